//! Carriers in trouble: the other way takes over, nobody waits for a call that reached nobody, nothing is doubled that
//! can be known again.

use super::night::{APIS, EVERY, Night};
use domain::{Callout, Command, Incident, Message, Way};
use simulator::Trouble;
use std::collections::BTreeSet;

const ONE: &str = "+447700900101";
const MANAGER: &str = "+447700900103";

fn callouts(incident: &Incident) -> Vec<Callout> {
    incident.escalation.as_ref().map_or_else(Vec::new, |running| running.callouts.clone())
}

fn said(incident: &Incident, words: &str) -> bool {
    incident.timeline.iter().any(|entry| entry.text.contains(words))
}

/// Up to the moment of the first call, and a step beyond it.
async fn first_call(night: &mut Night) {
    night.fail(true);
    for _ in 0..40 {
        night.pass(EVERY).await;
        if night.incidents().len() == APIS.len()
            && night.incidents().iter().all(|it| !callouts(it).is_empty())
        {
            return;
        }
    }
    panic!("nobody was called");
}

#[tokio::test]
async fn while_notify_is_in_trouble_the_mail_calls_on_time_and_nobody_else_is_called_for_it() {
    for trouble in [
        Trouble::Refuse,
        Trouble::RateLimited,
        Trouble::DailyLimit,
        Trouble::ServerError,
        Trouble::Unauthorised,
        Trouble::WebPage,
        Trouble::Maintenance,
    ] {
        let mut night = Night::begin().await;
        night.world.notify().set_trouble(trouble).await;
        first_call(&mut night).await;
        let mails = night.mails_to("one@example.wales");
        assert_eq!(mails.len(), APIS.len(), "{trouble}: at once");
        assert!(night.world.notify().texts().is_empty());
        night.pass(60).await;
        for incident in night.incidents() {
            let called = callouts(&incident);
            assert_eq!(called.len(), 1, "{trouble}: the mail reached somebody: {called:?}");
            assert!(called[0].reached_by(Way::Email) && !called[0].has_arrived_by_text());
        }
        // Back within the ten minutes of a call: what was not refused for good goes out once.
        night.world.notify().set_trouble(Trouble::None).await;
        night.pass(60).await;
        let texts = night.world.notify().texts().into_iter().filter(|text| text.to == ONE).count();
        let for_good = matches!(trouble, Trouble::DailyLimit | Trouble::Unauthorised);
        assert_eq!(texts, if for_good { 0 } else { APIS.len() }, "{trouble}");
        night.close().await;
    }
}

/// What the tests look at of a call by text.
trait ByText {
    fn has_arrived_by_text(&self) -> bool;
}

impl ByText for Callout {
    fn has_arrived_by_text(&self) -> bool {
        self.accepted.iter().any(|(way, _)| *way == Way::Text) || self.delivered.contains(&Way::Text)
    }
}

#[tokio::test]
async fn a_text_whose_fate_is_unknown_is_found_by_its_reference() {
    for trouble in [Trouble::AcceptThenTimeOut, Trouble::AcceptThenHangUp] {
        let mut night = Night::begin().await;
        night.world.notify().set_trouble(trouble).await;
        first_call(&mut night).await;
        night.pass(60).await;
        let texts = night.world.notify().texts();
        assert_eq!(texts.len(), APIS.len(), "{trouble}: nobody is woken twice by one call");
        for incident in night.incidents() {
            assert!(callouts(&incident)[0].has_arrived_by_text(), "{trouble}: and it is known");
        }
        night.close().await;
    }
}

#[tokio::test]
async fn while_mail_is_in_trouble_the_text_calls_on_time() {
    for trouble in [Trouble::Refuse, Trouble::RateLimited, Trouble::ServerError, Trouble::Unauthorised] {
        let mut night = Night::begin().await;
        night.world.mail().set_trouble(trouble).await;
        first_call(&mut night).await;
        assert_eq!(night.first_texts(ONE).len(), APIS.len(), "{trouble}: at once");
        night.pass(60).await;
        for incident in night.incidents() {
            assert_eq!(callouts(&incident).len(), 1, "{trouble}: the text reached somebody");
            assert!(!callouts(&incident)[0].reached_by(Way::Email));
        }
        night.world.mail().set_trouble(Trouble::None).await;
        night.pass(60).await;
        let mails = night.mails_to("one@example.wales").len();
        let for_good = trouble == Trouble::Unauthorised;
        assert_eq!(mails, if for_good { 0 } else { APIS.len() }, "{trouble}: once, when it is back");
        night.close().await;
    }
}

#[tokio::test]
async fn when_no_carrier_will_ever_take_a_call_the_next_are_called_at_once_and_the_last_resort_at_the_end() {
    let mut night = Night::begin().await;
    night.world.mail().set_trouble(Trouble::Unauthorised).await;
    night.world.notify().set_trouble(Trouble::DailyLimit).await;
    first_call(&mut night).await;
    for incident in night.incidents() {
        let called = callouts(&incident);
        let steps: Vec<u32> = called.iter().map(|callout| callout.step).collect();
        assert_eq!(steps, [1, 2, 0], "one, two and the last resort, in the same moment");
        let at: BTreeSet<_> = called.iter().map(|callout| callout.at).collect();
        assert_eq!(at.len(), 1, "nobody waits for a call that reached nobody");
        assert!(said(&incident, "that call reached nobody: on to the next step"));
        assert!(said(
            &incident,
            "text to Test Person One given up: GOV.UK Notify: the day's limit is reached"
        ));
        assert!(said(&incident, "email to Test Person One given up: the mail server refused the e-mail"));
    }
    night.pass(600).await;
    assert!(night.incidents().iter().all(|it| callouts(it).len() == 3), "not again and again");
    night.world.notify().set_trouble(Trouble::None).await;
    night.pass(400).await;
    assert_eq!(night.first_texts(MANAGER).len(), APIS.len(), "the last resort is called again, and reached");
    night.close().await;
}

#[tokio::test]
async fn one_mailbox_that_does_not_exist_or_is_slow_to_trust_us_disturbs_nobody_else() {
    let mut night = Night::begin().await;
    night.world.mail().set_recipient("one@example.wales", Some("550 5.1.1 No such user"));
    first_call(&mut night).await;
    night.pass(60).await;
    for incident in night.incidents() {
        let called = callouts(&incident);
        assert!(called.len() == 1 && called[0].given_up == [Way::Email], "{called:?}");
        assert!(called[0].has_arrived_by_text());
    }
    // The second person's server wants to see us come back.
    night.world.mail().set_recipient("two@example.wales", Some("450 4.2.0 Greylisted, try again later"));
    night.pass(300).await;
    assert!(night.mails_to("two@example.wales").is_empty());
    night.world.mail().set_recipient("two@example.wales", None);
    night.pass(60).await;
    assert_eq!(night.mails_to("two@example.wales").len(), APIS.len(), "each once");
    night.close().await;
}

#[tokio::test]
async fn a_mail_whose_fate_is_unknown_is_known_again_and_whoever_it_may_have_reached_is_stood_down() {
    for trouble in [Trouble::AcceptThenTimeOut, Trouble::AcceptThenHangUp] {
        let mut night = Night::begin().await;
        // No text reaches anybody: the mail is all there is.
        night.world.notify().set_trouble(Trouble::DailyLimit).await;
        night.world.mail().set_trouble(trouble).await;
        first_call(&mut night).await;
        night.pass(30).await;
        let mails = night.mails_to("one@example.wales");
        let ids: BTreeSet<_> =
            mails.iter().map(|mail| mail.header("message-id").unwrap().to_owned()).collect();
        assert!(mails.len() > APIS.len(), "{trouble}: tried again, as nobody can be asked");
        assert_eq!(ids.len(), APIS.len(), "{trouble}: a mailbox knows it again");

        // Somebody takes them by the command line, while nobody knows whether the call arrived.
        for incident in night.incidents() {
            assert!(said(&incident, "email to Test Person One may have arrived"), "{:#?}", incident.timeline);
            let by = "Ann".to_owned();
            night.tell(Message::Command(Command::Acknowledge { incident: incident.id, by })).await;
        }
        night.world.mail().set_trouble(Trouble::None).await;
        night.pass(120).await;
        let stood_down = night.mails_to("one@example.wales");
        let stood_down: BTreeSet<_> = stood_down
            .iter()
            .filter(|mail| mail.text.contains("Ann has it now"))
            .map(|mail| mail.header("message-id").unwrap().to_owned())
            .collect();
        assert_eq!(stood_down.len(), APIS.len(), "{trouble}: whoever was woken hears who has it");
        night.close().await;
    }
}
