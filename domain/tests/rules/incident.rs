//! Rules three and four: statuses become incidents, incidents become tickets, callouts and posts.

use crate::estate::{Hand, Seen, configuration, instance, secs};
use domain::{
    Answer, Because, Cause, Command, Environment, IncidentId, IncidentStatus, Message, Phrases, PostSays,
    Priority, Publish, Sent, Status, Text, Ticket,
};
use jiff::SignedDuration;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

fn failing() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(2, &[RESULTS], Seen::Fail);
    hand
}

#[test]
fn a_failing_production_api_becomes_one_ticket_after_the_hold_and_one_call_after_the_longer_one() {
    let mut hand = failing();
    let opened = hand.now;
    assert_eq!(hand.open().len(), 1);
    let incident = hand.incident(1);
    assert_eq!(incident.cause, Cause::Instance(instance("results", PRODUCTION)));
    assert_eq!((incident.priority, incident.worst), (Priority::P1, Status::MajorOutage));
    assert!(incident.major.is_some());
    assert!(hand.told().is_empty(), "held");
    hand.rounds(5, &[RESULTS], Seen::Fail);
    assert!(hand.told().is_empty(), "still held after 50 s");
    hand.rounds(1, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told(), ["ticket", "told"]);
    assert!(
        matches!(hand.incident(1).posts[..], [ref post] if matches!(post.says, PostSays::Investigating { .. }))
    );
    hand.rounds(5, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told().len(), 2, "nobody is called before two minutes");
    hand.rounds(1, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told()[2..], ["callout/1/text", "callout/1/email"]);
    assert_eq!(hand.now, opened + SignedDuration::from_secs(120));
    hand.rounds(30, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told()[4..], ["fallback", "callout/2/text"], "no ticket confirmed, no answer: the next");
    assert_eq!(hand.open().len(), 1, "one incident per cause");
}

#[test]
fn trouble_shorter_than_the_hold_tells_nobody() {
    let mut hand = failing();
    hand.rounds(2, &[RESULTS], Seen::Fail);
    hand.rounds(10, &[], Seen::Pass);
    assert!(hand.told().is_empty());
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert!(hand.incident(1).posts.is_empty(), "nor is the public told");
}

#[test]
fn an_answer_stops_the_calls_and_recovery_stands_everybody_down() {
    let mut hand = failing();
    hand.rounds(7, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand.rounds(40, &[RESULTS], Seen::Fail);
    let callouts = hand.incident(1).escalation.clone().expect("an escalation").callouts;
    assert_eq!(callouts.len(), 2);
    for callout in &callouts {
        let name = format!("callout/{}/text", callout.number);
        hand.receipt(1, &name, Sent::Accepted { provider_id: "x".into() });
    }
    assert_ne!(callouts[0].reference, callouts[1].reference);
    let answer = Message::Answer { reference: callouts[1].reference.clone(), answer: Answer::Mine, by: None };
    let said = hand.tell(answer).expect("accepted");
    let called = hand.situation.configuration.people[&callouts[1].person].name.clone();
    assert_eq!(said, format!("{called} has C-1"));
    assert_eq!(hand.incident(1).status, IncidentStatus::Acknowledged);
    let late = Message::Answer { reference: callouts[0].reference.clone(), answer: Answer::Mine, by: None };
    assert!(hand.tell(late).expect_err("late").starts_with(&format!("{called} has had it since")));
    let before = hand.told().len();
    hand.rounds(60, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told().len(), before, "nobody else is called");
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    hand.rounds(7, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    let told = hand.told();
    for person in ["one", "two"] {
        assert!(told.contains(&format!("stand-down/{person}/text")), "{told:?}");
    }
    assert!(told.contains(&"told-over".to_owned()));
    let posts: Vec<_> = hand.incident(1).posts.iter().map(|post| post.says.clone()).collect();
    assert!(matches!(
        posts[..],
        [PostSays::Investigating { .. }, PostSays::Acknowledged, PostSays::Recovered, PostSays::Resolved]
    ));
}

#[test]
fn when_nobody_answers_the_rounds_repeat_and_then_the_last_resort_is_called_for_ever() {
    let mut hand = failing();
    hand.rounds(400, &[RESULTS], Seen::Fail);
    let running = hand.incident(1).escalation.clone().expect("an escalation");
    let steps: Vec<u32> = running.callouts.iter().map(|callout| callout.step).collect();
    assert_eq!(steps[..6], [1, 2, 1, 2, 0, 0]);
    assert!(running.next_at.is_some(), "always a next action");
}

#[test]
fn somebody_who_cannot_passes_it_on_at_once() {
    let mut hand = failing();
    hand.rounds(12, &[RESULTS], Seen::Fail);
    let reference = hand.incident(1).escalation.clone().expect("calling").callouts[0].reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::CallNext, by: None }).expect("accepted");
    assert_eq!(hand.told().last().expect("a call"), "callout/2/text");
}

#[test]
fn a_call_that_no_carrier_takes_is_followed_by_the_next_at_once() {
    let mut hand = failing();
    hand.rounds(12, &[RESULTS], Seen::Fail);
    for way in ["text", "email"] {
        assert!(!hand.told().contains(&"callout/2/text".to_owned()));
        hand.receipt(1, &format!("callout/1/{way}"), Sent::GivenUp { why: "no carrier".into() });
    }
    assert!(hand.told().contains(&"callout/2/text".to_owned()));
}

#[test]
fn the_same_trouble_within_the_hold_is_the_same_incident() {
    let mut hand = failing();
    hand.rounds(7, &[RESULTS], Seen::Fail);
    hand.rounds(3, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(hand.open().len(), 1);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
}

#[test]
fn a_test_environment_never_calls_anyone() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(200, &[("results", Environment::Sit)], Seen::Fail);
    assert_eq!(hand.told(), ["told"], "only the provider team hears of it");
    assert!(hand.incident(1).major.is_none());
}

#[test]
fn what_an_api_depends_on_takes_the_blame() {
    let all = [("identity", PRODUCTION), RESULTS, ("documents", PRODUCTION)];
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    // The children are confirmed a round before the parent.
    hand.rounds(1, &all[1..], Seen::Fail);
    hand.rounds(20, &all, Seen::Fail);
    let open = hand.open();
    assert_eq!(open.len(), 1, "one incident per cause");
    assert_eq!(open[0].cause, Cause::Instance(instance("identity", PRODUCTION)));
    assert_eq!(open[0].held_back.len(), 2);
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
    // The parent mends; a child does not: it answers for itself.
    hand.rounds(12, &all[1..2], Seen::Fail);
    let open = hand.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].cause, Cause::Instance(instance("results", PRODUCTION)));
}

#[test]
fn a_child_that_failed_long_before_keeps_its_own_incident() {
    let mut hand = failing();
    hand.rounds(30, &[RESULTS], Seen::Fail);
    hand.rounds(20, &[RESULTS, ("identity", PRODUCTION)], Seen::Fail);
    assert_eq!(hand.open().len(), 2);
}

#[test]
fn refusals_of_two_apis_are_one_incident_that_cannot_tell() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS, ("documents", PRODUCTION)], Seen::Refused);
    let open = hand.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].cause, Cause::Refused(PRODUCTION));
    assert_eq!(open[0].worst, Status::Unknown);
    hand.rounds(20, &[], Seen::Pass);
    assert!(hand.open().is_empty());
}

#[test]
fn refusals_of_one_api_are_ours_to_mend_until_ten_minutes_in_production() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(55, &[RESULTS], Seen::Refused);
    assert!(hand.open().is_empty());
    hand.rounds(10, &[RESULTS], Seen::Refused);
    assert_eq!(hand.open().len(), 1);
}

#[test]
fn a_vantage_that_sees_nothing_for_three_minutes_calls_out_once() {
    let everything: Vec<(&str, Environment)> =
        ["identity", "results", "documents"].into_iter().map(|api| (api, PRODUCTION)).collect();
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(17, &everything, Seen::Ours);
    assert!(hand.open().is_empty());
    hand.rounds(60, &everything, Seen::Ours);
    let open = hand.open();
    assert_eq!(open.len(), 1, "no incident per API");
    assert!(matches!(open[0].cause, Cause::Blind(_)));
    assert_eq!(open[0].priority, Priority::P1);
    assert!(open[0].escalation.is_some());
}

#[test]
fn a_production_instance_unknown_for_ten_minutes_is_an_incident() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    for _ in 0..70 {
        hand.wait(10);
        for operation in ["ping", "status"] {
            for api in ["identity", "documents"] {
                hand.see(&crate::estate::track(api, PRODUCTION, operation), Seen::Pass);
            }
        }
    }
    let open = hand.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].worst, Status::Unknown);
}

#[test]
fn nobody_on_call_is_itself_a_p1_and_the_last_resort_hears_of_it() {
    let mut configuration = configuration();
    for rota in configuration.rotas.values_mut() {
        rota.layers.clear();
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.wait(1);
    let gap = hand.incident(1);
    assert!(matches!(gap.cause, Cause::Rota(_)));
    assert_eq!(gap.priority, Priority::P1);
    let called = &gap.escalation.as_ref().expect("calling").callouts;
    assert_eq!(called.first().expect("a call").person.as_str(), "boss");
    let over = Command::Resolve { incident: gap.id, by: "ann".into(), why: "we know".into() };
    let refused = hand.tell(Message::Command(over)).expect_err("it would be forgotten");
    assert!(refused.starts_with("nobody is on call on platform yet: "), "{refused}");
}

#[test]
fn a_silence_mutes_and_when_it_ends_with_the_trouble_still_there_it_is_told() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    let until = hand.now + SignedDuration::from_mins(10);
    let silence = |api: Option<&str>| Command::Silence {
        by: "ann".into(),
        why: "change 42".into(),
        until,
        api: api.map(|api| instance(api, PRODUCTION).api),
        environment: Some(PRODUCTION),
    };
    assert!(hand.tell(Message::Command(silence(None))).is_err(), "not all of production");
    hand.tell(Message::Command(silence(Some("results")))).expect("silenced");
    hand.rounds(50, &[RESULTS], Seen::Fail);
    assert!(hand.told().is_empty());
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage, "shown all the same");
    hand.rounds(15, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"ticket".to_owned()));
}

#[test]
fn notes_wait_for_the_ticket() {
    let mut hand = failing();
    hand.rounds(7, &[RESULTS], Seen::Fail);
    hand.rounds(10, &[], Seen::Pass);
    assert!(matches!(&hand.incident(1).ticket, Ticket::Asked { waiting, .. } if waiting.len() == 2));
    hand.ticket_raised(1);
    assert!(hand.told().ends_with(&["note/1".into()]), "one after the other");
    hand.ticket_raised(1);
    hand.receipt(1, "note/1", Sent::Accepted { provider_id: "abc".into() });
    hand.receipt(1, "note/1", Sent::Accepted { provider_id: "abc".into() });
    assert!(hand.told().ends_with(&["note/1".into(), "note/2".into()]));
    assert!(
        matches!(&hand.incident(1).ticket, Ticket::Raised { notes: 2, .. }),
        "a receipt that comes twice"
    );
}

#[test]
fn an_operator_updates_declares_and_resolves() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(4, &[("documents", PRODUCTION)], Seen::Fail);
    let id = IncidentId(1);
    assert!(hand.incident(1).major.is_none(), "a standard API is P2");
    let by = || "ann".to_owned();
    let declare = || Message::Command(Command::Declare { incident: id, by: by(), why: "clinics".into() });
    hand.tell(declare()).expect("declared");
    assert!(hand.tell(declare()).is_err());
    hand.rounds(20, &[("documents", PRODUCTION)], Seen::Fail);
    assert!(hand.incident(1).escalation.is_some(), "a declared major calls out");
    let words = Text::new("We restarted it.", "Rydym wedi ei ailgychwyn.");
    let update = |phrases| Message::Command(Command::Update { incident: id, by: by(), phrases });
    hand.tell(update(Phrases::own(words.clone()))).expect("published");
    assert!(hand.tell(update(Phrases::default())).is_err(), "it says nothing");
    let phrases = Phrases { because: Some(Because::Change), ..Phrases::own(words) };
    hand.tell(update(phrases.clone())).expect("published");
    assert_eq!(hand.incident(1).posts.last().expect("a post").says, PostSays::Phrases(phrases));
    hand.rounds(2, &[], Seen::Pass);
    hand.tell(Message::Command(Command::Resolve { incident: id, by: by(), why: "mended".into() }))
        .expect("resolved");
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    let review = Phrases::own(Text::new("A disk was full.", "Roedd disg yn llawn."));
    assert_eq!(hand.tell(update(review.clone())).expect("published"), "published a review on C-1");
    let incident = hand.incident(1);
    assert_eq!(incident.posts.last().expect("a post").says, PostSays::Phrases(review));
    assert_eq!(incident.status, IncidentStatus::Resolved, "and it is over as before");
}

#[test]
fn an_instance_that_leaves_the_configuration_takes_its_incident_along() {
    let mut hand = failing();
    let mut smaller = configuration();
    let gone = instance("results", PRODUCTION).api;
    smaller.apis.remove(&gone);
    smaller.checks.retain(|id, _| id.instance.api != gone);
    hand.event(&domain::Event::Configured(std::sync::Arc::new(smaller)));
    assert!(hand.open().is_empty());
}

#[test]
fn publishing_by_hand_waits_for_the_hand() {
    let mut configuration = configuration();
    if let Some(policy) = configuration.environments.get_mut(&PRODUCTION) {
        policy.publish = Publish::ByHand;
        policy.hold.ticket = secs(10);
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).posts.is_empty());
}

#[test]
fn what_people_read_has_names_and_local_times() {
    let mut configuration = configuration();
    if let Some(api) =
        configuration.apis.get_mut(&instance("results", PRODUCTION).api).map(std::sync::Arc::make_mut)
    {
        api.name = Text::new("Test Results", "Canlyniadau Profion");
    }
    let mut hand = Hand::new(configuration);
    hand.now = "2027-06-20T22:58:00.123456789Z".parse().expect("a time");
    hand.rounds(2, &[], Seen::Pass);
    let ping = crate::estate::track("results", PRODUCTION, "ping");
    let others: Vec<_> = ["identity", "documents"].map(|api| (api, PRODUCTION)).to_vec();
    for _ in 0..20 {
        hand.wait(10);
        hand.see(&ping, Seen::Fail);
        hand.see(&crate::estate::track("results", PRODUCTION, "status"), Seen::Pass);
        hand.round(&others, Seen::Pass);
        hand.see(&ping, Seen::Fail);
    }
    let incident = hand.incident(1);
    let timeline: Vec<&str> = incident.timeline.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(
        timeline[0],
        "partial outage since 23:58:30 BST; P1: impact 1 (production, critical service level, 1 instance of 3) × \
         urgency 2 (partial outage)"
    );
    assert!(timeline.contains(&"ticket asked for at National Service Desk: still so after the hold"));
    assert!(timeline.contains(&"the team Team is told"), "{timeline:?}");
    let evidence: Vec<&str> = incident.evidence.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(evidence, ["ping from internet: it Refused", "status from internet: works"]);
    hand.receipt(1, "callout/1/text", Sent::GivenUp { why: "no such number".into() });
    let last = hand.incident(1).timeline.last().expect("an entry").text.clone();
    assert_eq!(last, "text to One given up: no such number");
}

#[test]
fn before_anything_was_measured_history_says_so() {
    let mut hand = Hand::new(configuration());
    hand.wait(1);
    let whys: std::collections::BTreeSet<String> = hand
        .changes
        .iter()
        .filter_map(|change| {
            let domain::Change::Status(change) = change else { return None };
            Some(change.why.clone())
        })
        .collect();
    assert_eq!(whys, ["not measured yet".to_owned()].into());
    hand.round(&[], Seen::Pass);
    let Some(domain::Change::Status(last)) =
        hand.changes.iter().rev().find(|change| matches!(change, domain::Change::Status(_)))
    else {
        panic!("no change of status")
    };
    assert_eq!(last.why, "unknown → operational");
}
