//! How an incident goes on: an answer that ends, times agreed with the desk, what comes back, work that overruns, what is proposed.

use super::night::Night;
use domain::{
    Command, Configuration, Declare, DeskId, Environment, EnvironmentPolicy, Incident, IncidentStatus,
    Message, Phrases, Priority, ServiceTarget, Text,
};
use simulator::Trouble;
use std::{sync::Arc, time::Duration};

const ONE: &str = "+447700900101";
const TWO: &str = "+447700900102";
const MINUTE: i64 = 60;

fn production(configuration: &mut Configuration) -> &mut EnvironmentPolicy {
    configuration.environments.get_mut(&Environment::Production).unwrap()
}

fn incident(night: &Night) -> Arc<Incident> {
    let [incident] = <[_; 1]>::try_from(night.incidents()).unwrap();
    incident
}

/// The calls by text to this number: no news, and no answer to an answer.
fn calls(night: &Night, number: &str) -> usize {
    let is_call = |text: &simulator::Message| text.to == number && text.body.contains("/ack/");
    night.world.notify().texts().iter().filter(|text| is_call(text)).count()
}

/// What the only ticket says: work notes in the order in which they came.
fn notes(night: &Night) -> Vec<String> {
    let [ticket] = <[_; 1]>::try_from(night.world.desk().tickets()).unwrap();
    ticket.work_notes().into_iter().map(str::to_owned).collect()
}

fn noted(night: &Night, words: &str) -> usize {
    notes(night).iter().filter(|note| note.contains(words)).count()
}

#[tokio::test]
async fn whoever_took_it_and_is_silent_is_asked_again_and_then_the_next_is_called() {
    let mut night = Night::begin_with_one(|configuration| {
        production(configuration).major.as_mut().unwrap().answer_lasts = Duration::from_secs(45 * 60);
    })
    .await;
    night.fail(true);
    night.pass(3 * MINUTE).await;
    assert_eq!((calls(&night, ONE), calls(&night, TWO)), (1, 0));
    night.answer_all().await;

    night.pass(44 * MINUTE).await;
    assert_eq!((calls(&night, ONE), calls(&night, TWO)), (1, 0), "an answer lasts 45 minutes");
    night.pass(2 * MINUTE).await;
    assert_eq!((calls(&night, ONE), calls(&night, TWO)), (2, 0), "asked again first");
    assert_eq!(noted(&night, "nothing was heard since: asked again, then the next is called."), 1);
    assert!(incident(&night).acknowledged.is_none());
    night.pass(5 * MINUTE).await;
    assert_eq!((calls(&night, ONE), calls(&night, TWO)), (2, 1), "then the next");

    // A sign of life puts the end off.
    night.answer_all().await;
    night.pass(40 * MINUTE).await;
    let said = Command::Update {
        incident: incident(&night).id,
        by: "Test Person Two".to_owned(),
        phrases: Phrases::own(Text::new("We are at it.", "Rydym wrthi.")),
    };
    night.tell(Message::Command(said)).await;
    night.pass(40 * MINUTE).await;
    assert_eq!((calls(&night, ONE), calls(&night, TWO)), (2, 1), "they are there");
    night.pass(6 * MINUTE).await;
    assert_eq!((calls(&night, ONE), calls(&night, TWO)), (2, 2));
    night.close().await;
}

#[tokio::test]
async fn the_desk_hears_how_much_of_the_time_it_agreed_to_is_over_until_somebody_has_it() {
    let mut night = Night::begin_with_one(|configuration| {
        let target = ServiceTarget { respond: Some(Duration::from_secs(3_600)), update: None, hours: None };
        let desk = configuration.desks.get_mut(&DeskId::parse("nsd").unwrap()).unwrap();
        desk.targets.insert(Priority::P1, target);
        // Nobody is called, who could answer.
        production(configuration).major = None;
    })
    .await;
    night.fail(true);
    night.pass(2 * MINUTE).await;
    let mut said = Vec::new();
    for minute in 3..=58_i64 {
        night.pass(MINUTE).await;
        said.extend(vec![minute; noted(&night, "% of the time is over") - said.len()]);
    }
    assert_eq!(said, [31, 46], "{:?}", notes(&night));
    assert_eq!(noted(&night, "Nobody has taken it: 50 % of the time is over, it is due by "), 1);
    assert_eq!(noted(&night, "Nobody has taken it: 75 % of the time is over, it is due by "), 1);
    // The ticket hears something each quarter of an hour at most, the timeline hears it in time.
    let line = |words: &str| incident(&night).timeline.iter().any(|entry| entry.text.contains(words));
    assert!(line("Nobody has taken it: 90 % of the time is over"));

    let taken = Command::Acknowledge { incident: incident(&night).id, by: "Nia Rees".to_owned() };
    night.tell(Message::Command(taken)).await;
    night.pass(30 * MINUTE).await;
    assert_eq!(noted(&night, "% of the time is over"), 2, "{:?}", notes(&night));
    night.close().await;
}

#[tokio::test]
async fn what_comes_back_opens_the_same_ticket_again_and_what_does_so_often_is_unstable_with_that_one() {
    let mut night = Night::begin_with_one(|configuration| {
        production(configuration).flapping = domain::Flapping {
            reopen: Duration::from_secs(1_800),
            unstable: 2,
            within: Duration::from_secs(3_600),
            steady: Duration::from_secs(1_200),
        };
    })
    .await;
    for times in 1..=2_usize {
        night.fail(true);
        night.pass(4 * MINUTE).await;
        assert_eq!((calls(&night, ONE), incident(&night).epochs().len()), (times, times));
        night.fail(false);
        night.pass(4 * MINUTE).await;
        assert!(night.is_over(), "{:?}", incident(&night));
    }
    assert_eq!(noted(&night, "the same incident, and the same ticket"), 1, "{:?}", notes(&night));
    night.fail(true);
    night.pass(4 * MINUTE).await;
    let unstable = incident(&night);
    assert!(unstable.flaps.unstable.is_some(), "{unstable:?}");
    let before = notes(&night).len();
    night.fail(false);
    night.pass(10 * MINUTE).await;
    assert!(!night.is_over(), "well for ten minutes only");
    for _ in 0..4 {
        night.fail(true);
        night.pass(2 * MINUTE).await;
        night.fail(false);
        night.pass(2 * MINUTE).await;
    }
    assert!(notes(&night).len() <= before + 3, "what goes on is not told each time: {:?}", notes(&night));
    night.pass(21 * MINUTE).await;
    assert!(night.is_over(), "steady at last");
    assert_eq!(night.world.desk().tickets().len(), 1, "one ticket instead of twenty");
    night.close().await;
}

#[tokio::test]
async fn planned_work_that_does_not_end_in_time_tells_its_owner_and_ten_minutes_later_it_is_an_incident() {
    let mut night = Night::begin_with_one(|_| ()).await;
    let now = night.hand.now();
    let work = Command::Maintain {
        by: "Duty Manager".to_owned(),
        why: Text::new("A new database.", "Cronfa ddata newydd."),
        from: now,
        until: now + jiff::SignedDuration::from_mins(20),
        environment: Environment::Production,
        api: None,
    };
    night.tell(Message::Command(work)).await;
    night.fail(true);
    night.pass(19 * MINUTE).await;
    assert_eq!((night.world.desk().tickets().len(), calls(&night, ONE)), (0, 0), "muted");
    assert!(night.mails_to("manager@").is_empty());
    night.pass(2 * MINUTE).await;
    let mails = night.mails_to("manager@");
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].text.contains("Why now: planned work 1 was to end at "), "{}", mails[0].text);
    night.pass(8 * MINUTE).await;
    assert_eq!((night.world.desk().tickets().len(), calls(&night, ONE)), (0, 0), "ten minutes of grace");
    night.pass(4 * MINUTE).await;
    assert_eq!((night.world.desk().tickets().len(), calls(&night, ONE)), (1, 1), "an incident as any other");
    assert_eq!(night.mails_to("manager@").len(), 1, "told once");
    night.close().await;
}

#[tokio::test]
async fn what_is_proposed_as_major_calls_people_all_the_same_and_a_human_declares_it() {
    let mut night = Night::begin_with_one(|configuration| {
        production(configuration).major.as_mut().unwrap().declare = Declare::Propose;
    })
    .await;
    night.fail(true);
    night.pass(4 * MINUTE).await;
    let proposed = incident(&night);
    assert!(proposed.major.as_ref().is_some_and(|major| major.proposed && major.by.is_none()));
    assert_eq!(calls(&night, ONE), 1, "proposing still calls out");
    let mails = night.mails_to("one@");
    assert!(mails[0].text.contains(", proposed as major ("), "{}", mails[0].text);
    let ticket = night.world.desk().tickets().remove(0);
    assert!(ticket.field("description").contains("Proposed major incident"), "{ticket:?}");

    let declared =
        Command::Declare { incident: proposed.id, by: "Nia Rees".to_owned(), why: "wards ring".to_owned() };
    night.tell(Message::Command(declared)).await;
    let major = incident(&night).major.clone().unwrap();
    assert_eq!(
        (major.proposed, major.by.as_deref(), major.why.as_str()),
        (false, Some("Nia Rees"), "wards ring")
    );
    assert_eq!(noted(&night, "Nia Rees"), 1, "{:?}", notes(&night));
    night.pass(MINUTE).await;
    assert_eq!(calls(&night, ONE), 1, "nobody is called twice for it");
    night.close().await;
}

#[tokio::test]
async fn a_call_that_could_not_leave_before_it_worked_again_wakes_nobody_and_is_made_when_it_fails_again() {
    let mut night = Night::begin_with_one(|configuration| {
        production(configuration).hold.resolve = Duration::from_secs(600);
    })
    .await;
    night.world.notify().set_trouble(Trouble::ServerError).await;
    night.fail(true);
    night.pass(150).await;
    assert!(!incident(&night).escalation.as_ref().unwrap().callouts.is_empty(), "it was to be made");
    assert_eq!(calls(&night, ONE) + calls(&night, TWO), 0);
    night.fail(false);
    night.pass(30).await;
    assert_eq!(incident(&night).status, IncidentStatus::Recovering);
    night.world.notify().set_trouble(Trouble::None).await;
    night.pass(45).await;
    assert_eq!(
        (incident(&night).status, calls(&night, ONE)),
        (IncidentStatus::Recovering, 0),
        "nobody is woken"
    );
    night.fail(true);
    night.pass(MINUTE + 10).await;
    assert_eq!(
        (calls(&night, ONE), calls(&night, TWO)),
        (1, 0),
        "who was to be called is: {:#?}",
        incident(&night).timeline
    );
    night.close().await;
}
