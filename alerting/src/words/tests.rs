use super::*;
use domain::{Environment, Note, Priority, Status, Text, VantageId};
use example::{at, configuration, id, incident};
use proptest::prelude::*;

const REFERENCE: &str = "curiad:C-42-k3f9xq";
const FIRST: Try = Try { number: 1, repeat: false };

fn notification(kind: NotificationKind) -> Notification {
    Notification {
        key: "C-42-k3f9xq/x".to_owned(),
        incident: domain::IncidentId(42),
        kind,
        channel: Channel::Text(id("oncall.one")),
        at: at("02:14:10"),
        not_before: at("02:14:10"),
        expires_at: at("02:24:10"),
    }
}

/// Compares with a file of `tests/golden`; with `CURIAD_REWRITE=1` what is said now is written there. Read the difference
/// before you keep it.
pub(super) fn golden(name: &str, said: &str, expected: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that writes these files anew is for this test alone"
    )]
    let rewrite = std::env::var("CURIAD_REWRITE").is_ok();
    if rewrite {
        std::fs::write(
            format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR")),
            format!("{}\n", said.trim_end()),
        )
        .unwrap();
        return;
    }
    assert_eq!(said.trim_end(), expected.trim_end(), "\n\ntests/golden/{name} should now say:\n{said}\n");
}

macro_rules! golden {
    ($name:literal, $said:expr) => {
        golden($name, &$said, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/", $name)))
    };
}

mod tickets;

use tickets::in_welsh;

/// Each of these a sentence, in that language.
fn says_why(letter: &Letter, language: Language) {
    let labels = match language {
        Language::En => ["Why you: ", "Why now: ", "What next: "],
        Language::Cy => ["Pam chi: ", "Pam nawr: ", "Beth nesaf: "],
    };
    for label in labels {
        let line = letter.body.lines().find_map(|line| line.strip_prefix(label));
        assert!(line.is_some_and(|words| words.ends_with('.')), "{label} {}", letter.body);
    }
}

fn write(letter: &Letter) -> String {
    format!("Subject: {}\n\n{}", letter.subject, letter.body)
}

#[test]
fn whoever_goes_on_duty_reads_when_first_and_that_nothing_is_wrong() {
    let (mut incident, mut configuration) = (incident(), configuration());
    let rota = domain::RotaId::parse("a-rota-with-a-name-too-long-for-a-text-of-160-characters").unwrap();
    let mut said = Vec::new();
    for (rota, text_replies) in [(domain::RotaId::parse("platform").unwrap(), true), (rota, false)] {
        configuration.text_replies = text_replies;
        let begins = domain::DutyBegins { person: id("oncall.one"), rota, from: at("09:00:00") };
        incident.cause = domain::Cause::Test(domain::TestCall::BeforeShift(begins));
        let callout = notification(NotificationKind::Callout { callout: 1 });
        for now in [at("09:00:00") - jiff::SignedDuration::from_hours(16), at("02:20:00")] {
            let facts = Facts { incident: &incident, configuration: &configuration, now };
            for language in [Language::En, Language::Cy] {
                let text = text(&facts, &callout, language, FIRST).unwrap();
                assert!(text.chars().count() <= 160, "{text}");
                let letter = letter(&facts, &callout, Some(language), REFERENCE).unwrap();
                says_why(&letter, language);
                said.push(format!("{text}\n\n{}", write(&letter)));
            }
        }
    }
    golden!("reminder.txt", said.join("\n----\n"));
}

#[test]
fn a_test_says_first_that_nothing_is_wrong() {
    let (mut incident, mut configuration) = (incident(), configuration());
    incident.cause = domain::Cause::Test(domain::TestCall::Asked(id("oncall.one")));
    let callout = notification(NotificationKind::Callout { callout: 1 });
    let mut said = Vec::new();
    for text_replies in [false, true] {
        configuration.text_replies = text_replies;
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
        for language in Language::ALL {
            said.push(text(&facts, &callout, language, FIRST).unwrap());
            let letter = letter(&facts, &callout, Some(language), REFERENCE).unwrap();
            says_why(&letter, language);
            said.push(write(&letter));
        }
    }
    golden!("test-call.txt", said.join("\n----\n"));
}

#[test]
fn the_last_resort_reads_that_it_is_the_last() {
    let (mut incident, configuration) = (incident(), configuration());
    if let Some(running) = &mut incident.escalation {
        running.callouts[0].step = 0;
    }
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let callout = notification(NotificationKind::Callout { callout: 1 });
    let said = Language::ALL.map(|language| text(&facts, &callout, language, FIRST).unwrap());
    golden!("last-resort.txt", said.join("\n"));
}

#[test]
fn a_call_says_all_aloud_and_asks_for_a_digit() {
    let (mut incident, configuration) = (incident(), configuration());
    let mut said = Vec::new();
    for cause in [incident.cause.clone(), domain::Cause::Test(domain::TestCall::Asked(id("oncall.one")))] {
        incident.cause = cause;
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
        for language in [Language::En, Language::Cy] {
            let callout = notification(NotificationKind::Callout { callout: 1 });
            let words = call(&facts, &callout, language).unwrap();
            assert!(words.chars().count() < 4_000, "Twilio takes no more: {words}");
            let (once, _) = words.split_once("</Gather>").unwrap();
            said.push(once.to_owned());
        }
    }
    incident.cause = example::incident().cause;
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    for taken_by in [None, Some("Tom <b> & Co".to_owned())] {
        for language in [Language::En, Language::Cy] {
            let over = notification(NotificationKind::StandDown { taken_by: taken_by.clone() });
            said.push(call(&facts, &over, language).unwrap());
        }
    }
    for language in Language::ALL {
        let off = notification(NotificationKind::CalledOff { by: "Tom <b> & Co".to_owned() });
        said.push(call(&facts, &off, language).unwrap());
    }
    golden!("call.txt", said.join("\n"));
}

#[test]
fn a_text_says_all_at_a_glance_in_the_language_of_whoever_gets_it() {
    let (incident, configuration) = (incident(), configuration());
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let callout = notification(NotificationKind::Callout { callout: 1 });
    let over = notification(NotificationKind::StandDown { taken_by: None });
    let taken = notification(NotificationKind::StandDown { taken_by: Some("Gwên Tŷ-Ŵyl".to_owned()) });
    let off = notification(NotificationKind::CalledOff { by: "Siân ap Rhisiart-Llewelyn".to_owned() });
    let part = notification(NotificationKind::PartOf { incident: domain::IncidentId(43) });
    let again = Try { number: 2, repeat: true };
    let said: Vec<String> = Language::ALL
        .into_iter()
        .flat_map(|language| {
            [
                (&callout, FIRST),
                (&callout, again),
                (&over, FIRST),
                (&taken, FIRST),
                (&off, again),
                (&part, FIRST),
            ]
            .map(|(notification, attempt)| text(&facts, notification, language, attempt).unwrap())
        })
        .collect();
    golden!("texts.txt", said.join("\n"));
}

#[test]
fn who_may_answer_by_text_is_told_how_and_what_we_took_from_it() {
    let (mut incident, mut configuration) = (incident(), configuration());
    configuration.text_replies = true;
    let callout = NotificationKind::Callout { callout: 1 };
    let heard = |answer| NotificationKind::Heard { callout: 1, answer };
    let (mine, next) = (heard(Some(domain::Answer::Mine)), heard(Some(domain::Answer::CallNext)));
    let person = incident.escalation.as_ref().unwrap().callouts[0].person.clone();
    let name = configuration.people[&person].name.clone();
    let mut said = Vec::new();
    for taken in [None, Some(name), Some("Test Person Two".to_owned())] {
        incident.acknowledged =
            taken.map(|by| domain::Acknowledgement { at: at("02:18:00"), by, person: None, until: None });
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
        for language in Language::ALL {
            for kind in [&callout, &mine, &next, &heard(None)] {
                let text = text(&facts, &notification(kind.clone()), language, FIRST).unwrap();
                assert!(text.chars().count() <= 160, "{text}");
                said.push(text);
            }
        }
    }
    golden!("answers-by-text.txt", said.join("\n"));
    (incident.acknowledged, incident.status) = (None, domain::IncidentStatus::Recovering);
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let watched = text(&facts, &notification(next), Language::En, FIRST).unwrap();
    assert!(watched.contains("works again, and is watched: nobody is called"), "{watched}");
}

#[test]
fn letters_say_why_you_why_now_and_what_next() {
    let (mut incident, configuration) = (incident(), configuration());
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    let say = |facts: &Facts<'_>, kind: NotificationKind, language| {
        let ours = !matches!(kind, NotificationKind::TicketFallback | NotificationKind::FallbackNote { .. });
        let letter = letter(facts, &notification(kind), language, REFERENCE).unwrap();
        for of in Language::ALL.into_iter().filter(|of| ours && language.is_none_or(|only| only == *of)) {
            says_why(&letter, of);
        }
        write(&letter)
    };
    let callout = NotificationKind::Callout { callout: 2 };
    golden!("callout.en.txt", say(&facts, callout.clone(), Some(Language::En)));
    golden!("callout.cy.txt", say(&facts, callout, Some(Language::Cy)));
    let taken = NotificationKind::StandDown { taken_by: Some("Test Person Two".to_owned()) };
    golden!("taken.en.txt", say(&facts, taken.clone(), Some(Language::En)));
    golden!("taken.cy.txt", say(&facts, taken, Some(Language::Cy)));
    let mut held = incident.clone();
    let (by, until) = ("Test Person Two".to_owned(), Some(at("03:04:00")));
    held.acknowledged =
        Some(domain::Acknowledgement { at: at("02:19:00"), by: by.clone(), person: None, until });
    let while_held = Facts { incident: &held, ..facts };
    let taken = NotificationKind::StandDown { taken_by: Some(by) };
    golden!("taken-until.txt", say(&while_held, taken, None));
    let off = NotificationKind::CalledOff { by: "Test Person Two".to_owned() };
    golden!("called-off.txt", say(&facts, off, None));
    let part = NotificationKind::PartOf { incident: domain::IncidentId(43) };
    golden!("part-of.txt", say(&facts, part, None));
    golden!("told.txt", say(&facts, NotificationKind::Told, None));
    let taken = NotificationKind::ToldTaken { by: "Test Person Two".to_owned() };
    golden!("told-taken.txt", say(&facts, taken, None));
    let resolves = NotificationKind::DeskResolves { number: "INC0010002".to_owned() };
    golden!("desk-resolves.txt", say(&facts, resolves, None));
    let overruns =
        NotificationKind::Overruns { work: Some(7), was_to_end_at: at("02:20:00"), told_at: at("02:30:00") };
    golden!("overruns.txt", say(&facts, overruns, None));
    golden!("fallback.txt", say(&facts, NotificationKind::TicketFallback, None));
    let note = Note {
        at: at("02:19:30"),
        text: "Acknowledged by Test Person Two.".to_owned(),
        with: domain::With::Nothing,
    };
    golden!("fallback-note.txt", say(&facts, NotificationKind::FallbackNote { note: note.clone() }, None));
    let welsh = in_welsh(configuration.clone());
    let facts = Facts { incident: &incident, configuration: &welsh, now: facts.now };
    golden!("fallback.cy.txt", say(&facts, NotificationKind::TicketFallback, None));
    golden!("fallback-note.cy.txt", say(&facts, NotificationKind::FallbackNote { note }, None));
    incident.resolved_at = Some(at("02:31:00"));
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:32:00") };
    golden!("closed.txt", say(&facts, NotificationKind::StandDown { taken_by: None }, None));
    incident.recovered_at = Some(at("02:31:00"));
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:32:00") };
    golden!("told-over.txt", say(&facts, NotificationKind::ToldOver, None));
    let over = NotificationKind::StandDown { taken_by: None };
    golden!("over.en.txt", say(&facts, over.clone(), Some(Language::En)));
    golden!("over.cy.txt", say(&facts, over, Some(Language::Cy)));
}

#[test]
fn what_has_no_words_for_a_channel_is_refused_for_good() {
    let (incident, configuration) = (incident(), configuration());
    let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
    for kind in [NotificationKind::Told, NotificationKind::Callout { callout: 9 }] {
        let refused = text(&facts, &notification(kind), Language::En, FIRST).unwrap_err();
        assert!(matches!(refused, crate::SendError::Permanent { .. }));
    }
}

proptest! {
    /// Whatever happened, to whatever it is called: one text, all in the GSM alphabet, the link whole, and what
    /// a locked screen shows says priority, environment, name and effect.
    #[test]
    fn a_callout_is_one_text_and_its_head_says_it_all(
        name in "[A-Za-zŵŷâêîôûïàÂŴ’ –()&/-]{1,80}",
        who in "\\PC{1,60}",
        priority in 1_u8..=5,
        environment in 0_usize..5,
        worst in 0_usize..6,
        cause in 0_usize..13,
        attempt in 1_u32..100,
        repeat: bool,
        hours in 0_i64..400,
        host in "[a-z]{3,24}",
        welsh: bool,
    ) {
        let (mut incident, mut configuration) = (incident(), configuration());
        let language = if welsh { Language::Cy } else { Language::En };
        incident.priority = Priority::new(priority).unwrap();
        incident.environment = Environment::ALL[environment];
        incident.worst = Status::ALL[worst];
        let long = "v".repeat(domain::MAX_LENGTH);
        incident.cause = match cause {
            0 => domain::Cause::Refused(incident.environment),
            1 => domain::Cause::Blind(VantageId::parse(&long).unwrap()),
            2 => domain::Cause::Rota(domain::RotaId::parse(&long).unwrap()),
            4 => domain::Cause::Behind(VantageId::parse(&long).unwrap()),
            5 => domain::Cause::Storm(incident.environment),
            9 => domain::Cause::Burn(incident.affects.first().unwrap().clone()),
            10 => domain::Cause::Alert(domain::Alerting {
                instance: incident.affects.first().unwrap().clone(),
                name: domain::AlertName::read(&long).unwrap(),
            }),
            8 => domain::Cause::Certificate(domain::ShownCertificate {
                environment: incident.environment,
                fingerprint: "5e".repeat(32),
            }),
            11 => domain::Cause::Gateway(domain::Gateway {
                environment: incident.environment,
                host: format!("{long}.{long}.example"),
            }),
            6 => domain::Cause::Ahead(domain::Ahead::Certificate("5e".repeat(32))),
            7 => domain::Cause::Ahead(domain::Ahead::Rota(domain::RotaId::parse(&long).unwrap())),
            3 => domain::Cause::Token(domain::TokenEndpoint {
                environment: incident.environment,
                url: format!("https://{long}.{long}.example/oauth2/token"),
            }),
            _ => incident.cause,
        };
        let api = incident.api.clone().unwrap();
        configuration.apis.get_mut(&api).map(std::sync::Arc::make_mut).unwrap().name = Text::new(name.clone(), name);
        configuration.people.get_mut(&id("duty.manager")).unwrap().name = who;
        let site = format!("https://{host}.example.wales");
        configuration.site.url = Text::new(site.clone(), site.clone());
        let now = incident.started_at + jiff::SignedDuration::from_hours(hours);
        let facts = Facts { incident: &incident, configuration: &configuration, now };
        let callout = notification(NotificationKind::Callout { callout: 1 });
        let said = text(&facts, &callout, language, Try { number: attempt, repeat }).unwrap();
        prop_assert!(said.chars().count() <= 160, "{} characters: {said}", said.chars().count());
        prop_assert!(gsm::is_plain(&said), "{said}");
        let link = format!("{site}/ack/k7m2q9x4tz1p");
        prop_assert!(said.contains(&link), "{said}");
        let head: String = said.chars().take(40).collect();
        prop_assert!(head.starts_with(&format!("P{priority} {} ", facts.tag(language))), "{head}");
        prop_assert!(head.contains(facts.effect(language)), "{head}");
        prop_assert_eq!(repeat, said.contains(if welsh { " eto " } else { " repeat " }));

        let other = text(&facts, &callout, language, Try { number: attempt + 1, repeat }).unwrap();
        prop_assert_ne!(said, other, "the network drops identical texts");
    }

    /// The text service's own words before it, as long as they may be, are of the same text.
    #[test]
    fn whatever_else_is_told_by_text_is_one_text_too(
        name in "[A-Za-zŵŷâêîôûïàÂŴ’ –()&/-]{1,80}",
        who in "\\PC{1,60}",
        prefix in "[A-Za-z ]{0,30}",
        kind in 0_usize..4,
        repeat: bool,
        welsh: bool,
    ) {
        let (incident, mut configuration) = (incident(), configuration());
        let api = incident.api.clone().unwrap();
        configuration.apis.get_mut(&api).map(std::sync::Arc::make_mut).unwrap().name = Text::new(name.clone(), name);
        configuration.text_prefix = (!prefix.is_empty()).then_some(prefix);
        let kind = match kind {
            0 => NotificationKind::StandDown { taken_by: None },
            1 => NotificationKind::StandDown { taken_by: Some(who) },
            2 => NotificationKind::CalledOff { by: who },
            _ => NotificationKind::PartOf { incident: domain::IncidentId(4_294_967_295) },
        };
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
        let language = if welsh { Language::Cy } else { Language::En };
        let said = text(&facts, &notification(kind), language, Try { number: 2, repeat }).unwrap();
        let whole = said.chars().count() + gsm::taken(&configuration);
        prop_assert!(whole <= 160 && gsm::is_plain(&said), "{whole} characters: {said}");
    }

    /// A desk cuts what is longer without a word.
    #[test]
    fn a_ticket_fits_whatever_it_says(name in "\\PC{1,300}", lines in 0_usize..12, line in "\\PC{0,2000}") {
        let (mut incident, mut configuration) = (incident(), configuration());
        let api = incident.api.clone().unwrap();
        configuration.apis.get_mut(&api).map(std::sync::Arc::make_mut).unwrap().name = Text::new(name.clone(), name);
        let evidence = domain::Evidence { at: at("02:12:00"), text: line.clone(), request: None };
        incident.evidence = vec![evidence; lines];
        incident.diagnosis = Text::new(line.clone(), line);
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
        let words = ticket(&facts, REFERENCE);
        prop_assert!(words.short_description.chars().count() <= 160);
        prop_assert!(words.short_description.ends_with("C-42)"));
        prop_assert!(words.description.chars().count() <= 4_000);
        let both = letter(&facts, &notification(NotificationKind::Told), None, REFERENCE).unwrap().subject;
        prop_assert!(both.chars().count() <= 160 && both.ends_with(" [C-42]"), "{both}");
        prop_assert!(both.contains(" / P1 production: "), "one language is cut away: {both}");
    }
}
