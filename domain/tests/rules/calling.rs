//! Callouts: the next person is called when they should be, and nobody more often than that.

use crate::estate::{Hand, Seen, configuration, instance, secs};
use domain::{
    Answer, Command, Environment, Event, IncidentId, IncidentStatus, Message, PersonId, Sent, ServiceLevel,
    Status, Target, Way,
};
use jiff::SignedDuration;
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

/// Called once, ten seconds a round.
fn called() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 1);
    hand
}

fn calls(hand: &Hand) -> usize {
    hand.incident(1).escalation.as_ref().map_or(0, |running| running.callouts.len())
}

fn given_up(hand: &mut Hand, callout: usize) {
    for way in ["text", "email"] {
        hand.receipt(1, &format!("callout/{callout}/{way}"), Sent::GivenUp { why: "no carrier".into() });
    }
}

fn answer(hand: &mut Hand, callout: usize, answer: Answer) -> Result<String, String> {
    let running = hand.incident(1).escalation.clone().expect("calling");
    let reference = running.callouts.get(callout).expect("a call").reference.clone();
    hand.tell(Message::Answer { reference, answer, by: None })
}

#[test]
fn a_last_resort_that_cannot_be_reached_is_not_called_again_at_once() {
    let mut hand = called();
    for _ in 0..20 {
        let last = calls(&hand);
        given_up(&mut hand, last);
    }
    assert!(calls(&hand) <= 6, "{} calls in no time", calls(&hand));
    let running = hand.incident(1).escalation.clone().expect("calling");
    assert_eq!(running.next_at, Some(hand.now + SignedDuration::from_mins(15)));
}

/// The team of the API at fault comes first where an escalation says so; where nobody of it could be called, the rest does.
#[test]
fn the_provider_team_is_called_by_its_rota_and_where_it_has_none_the_others_are() {
    let boss = PersonId::parse("boss").expect("an id");
    for rota in [Some(domain::RotaId::parse("platform").expect("an id")), None] {
        let mut configuration = configuration();
        for team in configuration.teams.values_mut() {
            team.rota.clone_from(&rota);
        }
        for escalation in configuration.escalations.values_mut() {
            let mut step = escalation.steps[0].clone();
            step.call = Target::Provider;
            let last = domain::Step { call: Target::Person(boss.clone()), ..step.clone() };
            escalation.steps = vec![step, last];
        }
        let mut hand = Hand::new(configuration);
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        let running = hand.incident(1).escalation.clone().expect("calling");
        let first = running.callouts.first().expect("a call").person.clone();
        assert_eq!(first == boss, rota.is_none(), "{first}");
        let expected = rota.map_or(Target::Person(boss.clone()), Target::OnCall);
        assert_eq!(running.escalation.steps[0].call, expected, "it is frozen");
    }
}

#[test]
fn a_call_given_up_late_does_not_hurry_the_one_after_the_next() {
    let mut hand = called();
    hand.rounds(30, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 2);
    given_up(&mut hand, 1);
    assert_eq!(calls(&hand), 2, "the second is still being called");
    assert!(answer(&mut hand, 0, Answer::CallNext).is_ok());
    assert_eq!(calls(&hand), 2, "nor does the first one's late no");
    answer(&mut hand, 1, Answer::CallNext).expect("passed on");
    assert_eq!(calls(&hand), 3);
}

#[test]
fn a_step_taken_early_keeps_the_pause_to_the_one_after_it() {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        let mut third = escalation.steps[0].clone();
        third.call = Target::Person(PersonId::parse("boss").expect("an id"));
        third.after = secs(900);
        escalation.steps.push(third);
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    answer(&mut hand, 0, Answer::CallNext).expect("passed on");
    let running = hand.incident(1).escalation.clone().expect("calling");
    assert_eq!(running.next_at, Some(hand.now + SignedDuration::from_mins(10)), "5 to 15 minutes");
}

#[test]
fn steps_missed_while_stopped_are_not_all_taken_at_once() {
    let mut hand = called();
    hand.restart(3_600);
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 2);
}

#[test]
fn a_step_that_finds_nobody_is_followed_by_the_next_at_once() {
    let mut hand = called();
    let mut smaller = configuration();
    let two =
        hand.situation.configuration.rotas.values().next().expect("a rota").next(hand.now).expect("two");
    smaller.people.remove(&two);
    hand.event(&Event::Configured(Arc::new(smaller)));
    hand.rounds(30, &[RESULTS], Seen::Fail);
    // The second step's person has left: the second round begins at once.
    assert_eq!(calls(&hand), 2);
    assert!(hand.incident(1).timeline.iter().any(|entry| entry.text.contains("nobody to call")));
}

#[test]
fn when_all_of_the_last_resort_left_the_one_now_written_down_is_called() {
    let mut hand = called();
    let mut other = configuration();
    let boss = PersonId::parse("boss").expect("an id");
    let lead = PersonId::parse("lead").expect("an id");
    let person = other.people.remove(&boss).expect("boss");
    other.people.insert(lead.clone(), person);
    for escalation in other.escalations.values_mut() {
        escalation.last_resort = vec![lead.clone()];
    }
    hand.event(&Event::Configured(Arc::new(other)));
    hand.rounds(250, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).escalation.as_ref().expect("calling").callouts.iter().any(|c| c.person == lead));
}

#[test]
fn a_desk_that_is_asked_first_takes_it_by_a_link_of_its_own_or_passes_it_on() {
    for (answer, acknowledged, then_called) in [
        (None, None, true),
        (Some(Answer::Mine), Some("National Service Desk"), false),
        (Some(Answer::CallNext), None, true),
        (Some(Answer::NotReal), Some("National Service Desk"), false),
    ] {
        let mut configuration = configuration();
        for escalation in configuration.escalations.values_mut() {
            let first = escalation.steps[0].clone();
            for step in &mut escalation.steps {
                step.after += secs(300);
            }
            let desk = Target::Desk(domain::DeskId::parse("nsd").expect("an id"));
            escalation.steps.insert(0, domain::Step { call: desk, ..first });
        }
        let mut hand = Hand::new(configuration);
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(8, &[RESULTS], Seen::Fail);
        hand.ticket_raised(1);
        hand.rounds(8, &[RESULTS], Seen::Fail);
        let asked = hand.incident(1).escalation.clone().expect("calling").desks;
        assert_eq!((asked.len(), calls(&hand)), (1, 0), "the desk is asked, and nobody is called");
        let reference = asked[0].reference.clone();
        let notes = crate::read_back::notes(&hand);
        let link = format!("/ack/{reference}");
        assert!(notes.iter().any(|(.., note)| note.text.contains(&link)), "the ticket says where: {notes:?}");
        if let Some(answer) = answer {
            hand.tell(Message::Answer { reference: reference.clone(), answer, by: None }).expect("taken");
        }
        let at_once = answer == Some(Answer::CallNext);
        hand.rounds(1, &[RESULTS], Seen::Fail);
        assert_eq!(calls(&hand), usize::from(at_once), "{answer:?}");
        let taken = hand.incident(1).acknowledged.as_ref().map(|taken| taken.by.clone());
        assert_eq!(taken.as_deref(), acknowledged, "{answer:?}");
        hand.rounds(40, &[RESULTS], Seen::Fail);
        assert_eq!(calls(&hand) > 0, then_called, "{answer:?}");
        if answer == Some(Answer::CallNext) {
            let said = |hand: &Hand| {
                hand.incident(1).escalation.as_ref().and_then(|running| running.desks[0].answer)
            };
            assert!(said(&hand).is_some());
            let again = (0..600).any(|_| {
                hand.rounds(1, &[RESULTS], Seen::Fail);
                said(&hand).is_none()
            });
            assert!(again, "in the next round the desk is asked anew, whatever it said before");
        }
    }
}

#[test]
fn a_stand_down_goes_only_to_whom_a_call_reached() {
    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    let id = IncidentId(1);
    hand.tell(Message::Command(Command::Acknowledge { incident: id, by: "ann".into() })).expect("hers");
    let person = hand.incident(1).escalation.as_ref().expect("calling").callouts[0].person.clone();
    let stood_down =
        |hand: &Hand, way| hand.told().iter().any(|name| name.starts_with(&format!("taken/{person}/{way}")));
    assert!(stood_down(&hand, "text"));
    assert!(!stood_down(&hand, "email"), "the mail was taken back before it went out");
    // It had gone out after all.
    hand.receipt(1, "callout/1/email", Sent::Accepted { provider_id: "y".into() });
    assert!(stood_down(&hand, "email"));
    hand.receipt(1, "callout/1/email", Sent::Accepted { provider_id: "y".into() });
    assert_eq!(hand.told().iter().filter(|name| name.starts_with("taken")).count(), 2);
}

#[test]
fn a_call_that_arrives_after_the_end_is_stood_down_then() {
    let mut hand = called();
    hand.rounds(10, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert!(!hand.told().iter().any(|name| name.starts_with("stand-down")));
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    assert!(hand.told().iter().any(|name| name.starts_with("stand-down")));
}

#[test]
fn what_gets_worse_has_the_whole_hold_before_anybody_is_called() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(100, &[RESULTS], Seen::Slow);
    assert!(hand.incident(1).major.is_none());
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).major.is_some());
    assert_eq!(calls(&hand), 0, "a restart of a slow API wakes nobody");
    hand.rounds(12, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 1);
}

#[test]
fn who_took_a_lesser_incident_has_not_answered_for_a_major_one() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS], Seen::Slow);
    let id = IncidentId(1);
    hand.tell(Message::Command(Command::Acknowledge { incident: id, by: "desk".into() })).expect("theirs");
    hand.rounds(20, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    assert_eq!(calls(&hand), 1);
    hand.tell(Message::Command(Command::Acknowledge { incident: id, by: "ann".into() })).expect("hers");
    assert_eq!(hand.incident(1).status, IncidentStatus::Acknowledged);
}

#[test]
fn an_answer_while_it_recovers_stands_when_it_fails_again() {
    let mut hand = called();
    hand.rounds(3, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    answer(&mut hand, 0, Answer::Mine).expect("theirs");
    hand.rounds(40, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).status, IncidentStatus::Acknowledged);
    assert_eq!(calls(&hand), 1);
}

#[test]
fn when_it_fails_again_unanswered_the_calls_go_on() {
    let mut hand = called();
    hand.ticket_raised(1);
    hand.rounds(3, &[], Seen::Pass);
    let notes = |hand: &Hand| hand.told().iter().filter(|name| name.starts_with("note/")).count();
    let before = notes(&hand);
    hand.receipt(1, "note/1", Sent::Accepted { provider_id: "abc".into() });
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(notes(&hand), before + 1, "the desk hears of it");
    hand.rounds(30, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 2);
}

#[test]
fn what_still_fails_cannot_be_called_over() {
    let mut hand = called();
    let resolve = || {
        Message::Command(Command::Resolve { incident: IncidentId(1), by: "ann".into(), why: "mended".into() })
    };
    let refused = hand.tell(resolve()).expect_err("it fails");
    assert!(refused.contains("still"), "{refused}");
    hand.rounds(3, &[], Seen::Pass);
    hand.tell(resolve()).expect("it works");
    assert_eq!(hand.situation.next_incident, 2);
}

#[test]
fn a_gap_in_the_rota_is_over_when_somebody_is_on_call_again() {
    let mut empty = configuration();
    for rota in empty.rotas.values_mut() {
        rota.layers.clear();
    }
    let mut hand = Hand::new(empty);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(20, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).is_open());
    assert!(hand.incident(1).posts.is_empty(), "no matter for the public");
    hand.event(&Event::Configured(Arc::new(configuration())));
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
}

#[test]
fn however_many_incidents_are_open_the_newest_is_called_out_in_its_time() {
    let mut big = configuration();
    let one = big.apis[&instance("results", PRODUCTION).api].clone();
    for n in 0..250 {
        let mut api = (*one).clone();
        api.id = domain::ApiId::parse(&format!("api-{n:03}")).expect("an id");
        api.depends_on.clear();
        api.service_level = ServiceLevel::Standard;
        for (id, check) in configuration().checks {
            if id.instance == instance("results", Environment::Sit) {
                let mut check = (*check).clone();
                check.id.instance.api = api.id.clone();
                big.checks.insert(check.id.clone(), Arc::new(check));
            }
        }
        api.instances.remove(&PRODUCTION);
        big.apis.insert(api.id.clone(), Arc::new(api));
    }
    let names: Vec<String> = (0..250).map(|n| format!("api-{n:03}")).collect();
    let mut failing: Vec<(&str, Environment)> =
        names.iter().map(|id| (id.as_str(), Environment::Sit)).collect();
    let mut hand = Hand::new(big);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(3, &failing, Seen::Fail);
    assert_eq!(hand.open().len(), 250);
    failing.push(RESULTS);
    hand.rounds(15, &failing, Seen::Fail);
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
}

#[test]
fn an_incident_whose_api_left_asks_for_nothing_that_cannot_be_done() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(4, &[RESULTS], Seen::Fail);
    let mut smaller = configuration();
    let gone = instance("results", PRODUCTION).api;
    smaller.apis.remove(&gone);
    hand.situation.configuration = Arc::new(smaller);
    hand.wait(300);
    for incident in hand.open() {
        let next = domain::next_action(&hand.situation, &incident, hand.now);
        assert!(next.is_none_or(|next| next.at > hand.now), "it would be tried for ever");
    }
}

#[test]
fn a_person_without_a_way_is_nobody() {
    let mut configuration = configuration();
    for person in configuration.people.values_mut() {
        if person.name != "Boss" {
            person.ways = Vec::<Way>::new();
        }
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    let called = hand.incident(1).escalation.clone().expect("calling").callouts;
    assert!(matches!(&called[..], [one] if one.person.as_str() == "boss"), "{called:?}");
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
}

#[test]
fn an_incident_that_nobody_answers_for_days_stays_within_bounds() {
    let mut configuration = configuration();
    let results = instance("results", PRODUCTION).api;
    configuration.apis.retain(|id, _| *id == results);
    configuration.checks.retain(|id, _| id.instance.api == results);
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    for _ in 0..2_400 {
        hand.wait(50);
        hand.round(&[("results", PRODUCTION)], Seen::Fail);
    }
    let running = hand.incident(1).escalation.clone().expect("calling");
    assert!(running.callouts.len() <= 100, "{} callouts are kept", running.callouts.len());
    let last = running.callouts.last().expect("a call").number;
    assert!(last > 100, "{last} calls were made");
    assert!(running.next_at.is_some(), "and there is a next");
}
