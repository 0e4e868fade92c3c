//! Tickets, for a desk's people.

use super::*;

#[test]
fn a_ticket_says_all_that_an_agent_asks() {
    let (incident, configuration) = (incident(), configuration());
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let words = ticket(&facts, REFERENCE);
    golden!("ticket.en.txt", format!("{}\n\n{}", words.short_description, words.description));
    assert!(!words.description.contains("9990000018"), "no patient's number leaves");
    let ours = "refused the connection, request fc943476-5919-821f-8123-9434765919ab";
    assert!(words.description.contains(ours), "ten digits of our own id of a request are nobody's");

    let mut incident = incident;
    let said = "the gateway says that the service behind it cannot be reached (status 503, messaging.adaptors.http.flow)";
    let text =
        format!("status from internet: {said}, HTTP 503, request 7f3c1c1e-1111-4222-8333-444455556666");
    incident.evidence[0].text = text.clone();
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    assert!(
        ticket(&facts, REFERENCE).description.contains(&text),
        "it can be looked up where it was answered"
    );
}

#[test]
fn a_desk_may_read_welsh() {
    let (mut incident, configuration) = (incident(), in_welsh(configuration()));
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let words = ticket(&facts, REFERENCE);
    golden!("ticket.cy.txt", format!("{}\n\n{}", words.short_description, words.description));

    let mut said = Vec::new();
    let mut say = |incident: &Incident, now: &str| {
        let facts = Facts { incident, configuration: &configuration, now: at(now) };
        let words = ticket(&facts, REFERENCE);
        said.push(format!("{}\n\n{}", words.short_description, words.description));
    };
    // Answered, ruled by people, recovered.
    let ruling =
        |why: &str| domain::Ruling { at: at("02:15:00"), by: "Mair Rhys".to_owned(), why: why.to_owned() };
    incident.rank.set = Some(ruling("mae wardiau ar gau"));
    incident.recovered_at = Some(at("02:19:00"));
    incident.layer = Some(domain::Layer::Backend);
    if let Some(major) = &mut incident.major {
        (major.by, major.why) = (Some("Mair Rhys".to_owned()), "tri bwrdd iechyd".to_owned());
    }
    let answers = [Some(domain::Answer::CallNext), Some(domain::Answer::NotReal)];
    let callouts = incident.escalation.iter_mut().flat_map(|running| &mut running.callouts);
    for (callout, answer) in callouts.zip(answers) {
        callout.answer = answer.map(|answer| (at("02:18:00"), answer));
    }
    say(&incident, "02:21:00");
    incident.rank.not_major = Some(ruling("prawf ydoedd"));
    (incident.major, incident.escalation, incident.recovered_at) = (None, None, None);
    say(&incident, "02:22:00");
    incident.cause = domain::Cause::Ahead(domain::Ahead::Certificate("5e1f".repeat(16)));
    say(&incident, "02:23:00");
    for configuration in [configuration.clone(), in_english(configuration.clone())] {
        let lines = domain::Layer::ALL.map(|layer| {
            let incident = Incident { layer: Some(layer), ..example::incident() };
            let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:22:00") };
            let words = ticket(&facts, REFERENCE).description;
            let fails = |line: &&str| line.starts_with("Fails at") || line.starts_with("Mae'n methu yn");
            words.lines().find(fails).unwrap().to_owned()
        });
        said.push(lines.join("\n"));
    }
    golden!("tickets.cy.txt", said.join("\n\n----\n\n"));
}

#[test]
fn of_one_that_is_back_it_is_said_since_when_it_has_been_back_and_who_was_called_since() {
    let (mut incident, configuration) = (incident(), configuration());
    incident.flaps = domain::Flaps { epoch: 1, since: Some(at("03:05:00")), ..domain::Flaps::default() };
    incident.opened_at = at("03:06:00");
    let now = at("03:10:00");
    let facts = Facts { incident: &incident, configuration: &configuration, now };
    let words = ticket(&facts, REFERENCE);
    assert!(words.short_description.contains("(since 04:05 BST, "), "{}", words.short_description);
    assert!(words.description.contains("04:05 BST (2026-06-21 03:05:00 UTC)"), "{}", words.description);
    // Whoever was called before it came back has to be asked anew.
    assert!(!words.description.contains("Already told: Gw"), "{}", words.description);
    let callout = notification(NotificationKind::Callout { callout: 1 });
    let said = text(&facts, &callout, Language::En, FIRST).unwrap();
    assert!(said.contains(" since 04:05 BST."), "{said}");
    let over = Incident { recovered_at: Some(at("03:09:00")), ..incident.clone() };
    let facts = Facts { incident: &over, configuration: &configuration, now };
    let stand_down = notification(NotificationKind::StandDown { taken_by: None });
    let said = letter(&facts, &stand_down, Some(Language::En), REFERENCE).unwrap().body;
    assert!(said.contains("since 04:05 BST") && said.contains("after 4 min"), "{said}");
}

#[test]
fn a_storm_is_one_trouble_with_a_list() {
    let (mut incident, configuration) = (incident(), configuration());
    incident.cause = domain::Cause::Storm(Environment::Production);
    incident.api = None;
    let identity = domain::ApiId::parse("identity").unwrap();
    incident.held_back.clone_from(&incident.affects);
    incident.affects.push(domain::InstanceId { api: identity, environment: Environment::Production });
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let words = ticket(&facts, REFERENCE);
    let callout = notification(NotificationKind::Callout { callout: 1 });
    let [en, cy] = [Language::En, Language::Cy].map(|of| text(&facts, &callout, of, FIRST).unwrap());
    let said = format!("{}\n\n{}\n\n{en}\n\n{cy}", words.short_description, words.description);
    golden!("storm.txt", said);
    // Where it is we who cannot see them, nothing is said of wards and care.
    incident.cause = domain::Cause::Refused(Environment::Production);
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let refused = ticket(&facts, REFERENCE).description;
    assert!(!refused.contains("Clinical safety") && !refused.contains("Provider teams"), "{refused}");
}

#[test]
fn what_is_only_to_come_has_no_words_for_callers() {
    let (mut incident, configuration) = (incident(), configuration());
    incident.cause = domain::Cause::Ahead(domain::Ahead::Certificate("5e1f".repeat(16)));
    incident.priority = Priority::P4;
    incident.diagnosis = Text::new("The certificate ends on 11 December 2026.", "Daw'r dystysgrif i ben.");
    (incident.layer, incident.major, incident.escalation) = (None, None, None);
    incident.evidence.clear();
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let words = ticket(&facts, REFERENCE);
    golden!("ahead.txt", format!("{}\n\n{}", words.short_description, words.description));
    incident.cause = domain::Cause::Ahead(domain::Ahead::OwnSecret("env:RESULTS_KEY".to_owned()));
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    assert_eq!(
        [facts.symptom(Language::En), facts.symptom(Language::Cy)],
        [
            "Curiad's own secret env:RESULTS_KEY ends soon and has to be renewed",
            "mae cyfrinach Curiad ei hun env:RESULTS_KEY yn dod i ben yn fuan a rhaid ei hadnewyddu"
        ]
    );
}

#[test]
fn what_is_due_on_another_day_is_said_with_the_day() {
    let (mut incident, mut configuration) = (incident(), configuration());
    incident.priority = Priority::P4;
    let target = domain::ServiceTarget {
        update: Some(std::time::Duration::from_secs(40 * 3_600)),
        ..domain::ServiceTarget::default()
    };
    configuration.desks.values_mut().for_each(|desk| desk.targets = [(Priority::P4, target.clone())].into());
    let said = [configuration.clone(), in_welsh(configuration)].map(|configuration| {
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
        let words = ticket(&facts, REFERENCE).description;
        words.lines().find(|line| line.contains(" BST o") || line.contains(" BST dd")).unwrap().to_owned()
    });
    golden!("ticket-due.txt", said.join("\n"));
}

#[test]
fn a_work_note_ends_in_its_marker() {
    let (incident, configuration) = (incident(), configuration());
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let words = Note {
        at: at("02:19:30"),
        text: "Acknowledged by Test Person Two.".to_owned(),
        with: domain::With::Nothing,
    };
    golden!("note.txt", note(&facts, "C-42-k3f9xq/note/1", &words));
}

pub(super) fn in_welsh(configuration: Configuration) -> Configuration {
    of_desks(configuration, Language::Cy)
}

fn in_english(configuration: Configuration) -> Configuration {
    of_desks(configuration, Language::En)
}

fn of_desks(mut configuration: Configuration, language: Language) -> Configuration {
    configuration.desks.values_mut().for_each(|desk| desk.language = language);
    configuration
}
