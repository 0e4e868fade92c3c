//! `curiad doctor`: looks at everything Curiad needs, here and outside, without disturbing a human. Nothing is made,
//! written or sent: no ticket, no text, no mail, no heartbeat. Only tokens are had, as probes have them.

mod clocks;
mod credentials;
mod memory;
mod network;
mod people;
mod place;
mod show;

use crate::{
    commands::rota::Attended,
    config::{Listen, Loaded},
    equipment,
    exit::Failed,
    serve,
    terminal::Progress,
};
use alerting::{Channels, ClockSeen, Examined, Finding, Records, State};
use domain::Clock;
use jiff::Timestamp;
use memory::Recorder;
use prober::Prober;
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::timeout};

/// One outside system has so long, all in all. They are asked at the same time.
const PATIENCE: Duration = Duration::from_secs(10);
/// The exit code when there is a problem.
const PROBLEM: u8 = 1;

/// What the findings are listed under, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Configuration,
    Machine,
    Database,
    Telling,
    Network,
    Credentials,
    OnCall,
}

/// Everything that questions are asked with.
struct Asked {
    loaded: Loaded,
    listen: Listen,
    clock: Clock,
    client: reqwest::Client,
    prober: Prober,
    channels: Channels,
    /// Who records into the database, if anybody.
    recorder: Recorder,
}

type Answer = Pin<Box<dyn Future<Output = Examined> + Send>>;

/// One question, under its group, with the words for one who waits for it.
struct Question {
    group: Group,
    about: String,
    answer: Answer,
}

impl Question {
    fn new(
        group: Group,
        about: impl Into<String>,
        answer: impl Future<Output = Examined> + Send + 'static,
    ) -> Self {
        Self { group, about: about.into(), answer: Box::pin(answer) }
    }
}

/// Asks everything at once and prints what was found. 0: no problem.
pub(crate) async fn run(loaded: Loaded, clock: Clock, as_json: bool) -> Result<u8, Failed> {
    let listen = loaded.listen.clone();
    let clients = equipment::clients(&loaded)?;
    let client = clients.plain.clone();
    let channels = Channels::new(loaded.directory.clone(), &clients, PATIENCE)
        .map_err(|error| Failed::new(crate::exit::CONFIG, error.to_string()))?;
    let prober = equipment::prober(&loaded, &clock, serve::fresh_key()?)?;
    let recorder = Recorder::of(&loaded.database);
    let asked = Arc::new(Asked { loaded, listen, clock, client, prober, channels, recorder });

    let mut found: Vec<(Group, Finding)> = people::warnings(&asked.loaded);
    found.extend(place::findings(&asked));
    found.extend(credentials::certificates(&asked));
    // What is wrong with the database is found where that is looked at.
    let (attended, _) = Attended::of(&asked.loaded, asked.clock.now()).await;
    found.extend(people::on_call(&attended, asked.clock.now()));
    let (answers, mut clocks) = ask(questions(&asked), asked.clock.now()).await;
    found.extend(answers);
    clocks.sort_by(|a, b| a.whose.cmp(&b.whose));
    let clock = clocks::finding(&clocks);
    found.extend(clock.map(|finding| (Group::Machine, finding)));
    // A stable sort: within a group, things stay in the order they were asked in.
    found.sort_by_key(|(group, _)| *group);
    show::print(&found, as_json);
    Ok(if found.iter().any(|(_, finding)| finding.state == State::Problem) { PROBLEM } else { 0 })
}

/// Everything that takes time.
fn questions(asked: &Arc<Asked>) -> Vec<Question> {
    let mut questions = vec![memory::question(asked)];
    let records = records(asked);
    for id in asked.loaded.directory.desks.keys() {
        let (asked, id, records) = (Arc::clone(asked), id.clone(), records.clone());
        let name = format!("service desk {id}");
        questions.push(Question::new(Group::Telling, name.clone(), async move {
            let examined = asked.channels.examine_desk(&id, &name, &records, &asked.clock).await;
            examined.unwrap_or_default()
        }));
    }
    let texts = Arc::clone(asked);
    questions.push(Question::new(Group::Telling, "GOV.UK Notify", async move {
        texts.channels.examine_texts(&texts.clock).await.unwrap_or_default()
    }));
    let calls = Arc::clone(asked);
    questions.push(Question::new(Group::Telling, "Twilio", async move {
        calls.channels.examine_calls(&calls.clock).await.unwrap_or_default()
    }));
    for number in 0..asked.loaded.directory.alertmanagers.len() {
        let asked = Arc::clone(asked);
        questions.push(Question::new(Group::Telling, "an Alertmanager", async move {
            asked.channels.examine_alertmanager(number).await.unwrap_or_default()
        }));
    }
    let mail = Arc::clone(asked);
    questions.push(Question::new(Group::Telling, "the mail server", async move {
        mail.channels.examine_mail(PATIENCE).await.unwrap_or_default()
    }));
    questions.extend(network::questions(asked));
    questions.extend(credentials::questions(asked));
    questions.extend(place::questions(asked));
    questions
}

/// What the APIs' tickets will name: groups and configuration items, and for which API.
fn records(asked: &Asked) -> Records {
    let mut records = Records::default();
    for api in asked.loaded.configuration.apis.values() {
        for group in api.desk.groups.values() {
            records.groups.entry(group.clone()).or_insert_with(|| api.id.to_string());
        }
        for item in api.desk.ci.iter().chain(api.desk.cis.values()) {
            records.items.entry(item.clone()).or_insert_with(|| api.id.to_string());
        }
    }
    records
}

/// Asks all at once. Who does not answer in time is a problem by that.
async fn ask(questions: Vec<Question>, now: Timestamp) -> (Vec<(Group, Finding)>, Vec<ClockSeen>) {
    let mut waiting: BTreeMap<usize, String> =
        questions.iter().map(|question| question.about.clone()).enumerate().collect();
    let mut progress = Progress::new();
    progress.show(&waits(&waiting));
    let mut asking = JoinSet::new();
    for (number, question) in questions.into_iter().enumerate() {
        asking.spawn(async move {
            let answer = timeout(PATIENCE, question.answer).await;
            (number, question.group, question.about, answer.ok())
        });
    }
    let mut answers = BTreeMap::new();
    let mut clocks = Vec::new();
    while let Some(answered) = asking.join_next().await {
        let Ok((number, group, about, answer)) = answered else { continue };
        waiting.remove(&number);
        progress.show(&waits(&waiting));
        let examined = answer.unwrap_or_else(|| silent(&about));
        clocks.extend(examined.clock);
        let mut findings = examined.findings;
        let ends = examined.certificate.and_then(|der| prober::ends(&der.into()));
        findings.extend(ends.map(|ends| network::ends(&about, ends, now)));
        answers.insert(number, (group, findings));
    }
    progress.clear();
    let in_order = answers
        .into_values()
        .flat_map(|(group, findings)| findings.into_iter().map(move |finding| (group, finding)));
    (in_order.collect(), clocks)
}

fn waits(waiting: &BTreeMap<usize, String>) -> String {
    let names: Vec<&str> = waiting.values().map(String::as_str).collect();
    format!("waiting for {}", names.join(", "))
}

fn silent(about: &str) -> Examined {
    let detail = format!("no answer within {} s", PATIENCE.as_secs());
    let finding = Finding::problem(about, detail, "see whether it is overloaded, and the network between");
    Examined { findings: vec![finding], ..Examined::default() }
}
