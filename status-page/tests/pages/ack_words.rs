//! What the page of a link says to whoever was called, word by word, in both languages.
//! `CURIAD_REWRITE=1 cargo test --workspace --test pages ack_words` writes down what it says now. Read the difference before you keep it.

use crate::{
    acting::{path, taken_by, with_incident},
    estate,
    stage::{Stage, get},
};
use domain::{
    Acknowledgement, Answer, DeskAsked, DeskId, HandOver, IncidentStatus, PersonId, Rota, RotaId, RotaLayer,
    Situation, Target,
};
use jiff::{SignedDuration, civil};
use std::{env, fmt::Write as _, fs, path::Path, sync::Arc};

/// The text between the page's head and foot: a line a block, what is pressed in brackets.
fn words(html: &str) -> String {
    let main = html.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let main = main.split_once('>').unwrap().1;
    let marked = main
        .replace("<button", "\n[<button")
        .replace("</button>", "]")
        .replace("<li", "\n- <li")
        .replace("</p>", "\n")
        .replace("</h1>", "\n")
        .replace("</h2>", "\n");
    let text: String = marked.split('<').map(|part| part.split_once('>').map_or(part, |it| it.1)).collect();
    let text = text.replace("&amp;", "&").replace("&#x27;", "'").replace("&quot;", "\"");
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The desk's own link, to the same incident.
const DESK: &str = "d3skd3skd3sk";

fn asked_desk() -> Situation {
    with_incident(|incident| {
        let desk = DeskId::parse("nsd").unwrap();
        let asked = DeskAsked { desk, at: estate::ago(60), reference: DESK.to_owned(), answer: None };
        incident.escalation.as_mut().unwrap().desks.push(asked);
    })
}

/// Rhian Morgan was on call when it began; Tom Price has been since. Nobody else is in that rota.
fn handed_over() -> Situation {
    let rota = RotaId::parse("platform").unwrap();
    let mut situation = with_incident(|incident| {
        let steps = &mut incident.escalation.as_mut().unwrap().escalation.steps;
        steps[0].call = Target::OnCall(rota.clone());
        steps[1].call = Target::Next(rota.clone());
    });
    let configuration = Arc::make_mut(&mut situation.configuration);
    let layer = RotaLayer {
        people: ["oncall.one", "oncall.two"].map(|id| PersonId::parse(id).unwrap()).to_vec(),
        // Between the first call and the second.
        hand_over: HandOver::Every(1, civil::time(3, 7, 0, 0)),
        from: civil::date(2026, 11, 20),
        until: None,
    };
    let time_zone = configuration.site.time_zone.clone();
    let known = Rota { time_zone, layers: vec![layer], overrides: Vec::new(), remind: None };
    configuration.rotas.insert(rota, known);
    situation
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
async fn each_state_of_it_is_said_in_these_words() {
    let called = path();
    let desk = format!("/ack/{DESK}");
    let cases: [(&str, &str, Situation); 7] = [
        ("somebody is called", &called, with_incident(|_| ())),
        ("whoever has come on call since is called next", &called, handed_over()),
        (
            "whoever was called has it, until it is asked again",
            &called,
            with_incident(|incident| {
                incident.status = IncidentStatus::Acknowledged;
                incident.acknowledged = Some(Acknowledgement {
                    at: estate::ago(30),
                    by: "Rhian Morgan".to_owned(),
                    person: None,
                    until: Some(estate::now() + SignedDuration::from_mins(44)),
                });
                let running = incident.escalation.as_mut().unwrap();
                running.next_at = None;
                running.callouts[0].answer = Some((estate::now(), Answer::Mine));
            }),
        ),
        ("somebody else has it", &called, taken_by("Tom Price")),
        (
            "it works again, and is watched",
            &called,
            with_incident(|incident| {
                incident.status = IncidentStatus::Recovering;
                incident.recovered_at = Some(estate::ago(20));
            }),
        ),
        (
            "it is over",
            &called,
            with_incident(|incident| {
                incident.status = IncidentStatus::Resolved;
                incident.recovered_at = Some(estate::ago(120));
                incident.resolved_at = Some(estate::ago(60));
            }),
        ),
        ("a desk is asked", &desk, asked_desk()),
    ];
    let mut said = String::new();
    for (what, path, situation) in cases {
        let stage = Stage::of(situation).await;
        for language in ["en", "cy"] {
            let page = get(stage.public(), &format!("{path}?lang={language}")).await.text();
            let _infallible = write!(said, "## {what} ({language})\n\n{}\n\n", words(&page));
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ack.txt");
    if env::var("CURIAD_REWRITE").is_ok() {
        fs::write(&file, &said).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(said == kept, "it says something else than {}: {said}", file.display());
}
