//! What the people and the carriers of a made-up past had to say.

use domain::{
    Advice, Answer, Because, Cause, Channel, Command, Effect, Environment, Incident, Message, Notification,
    NotificationKind, Phrases, Receipt, Sent, Situation, Status,
};
use jiff::{SignedDuration, Timestamp};

/// Of a hundred calls, so many are answered.
const ANSWERED: u64 = 85;
/// Of a hundred incidents in production, of so many somebody says something in public, if they last.
const SPOKEN_OF: u64 = 60;

/// What was told, when it was settled, and the other side's id for it.
type Delivered = (Notification, Timestamp, String);

/// A notification is told at once; then the carrier says so, and perhaps the one who was called answers.
pub(super) fn of_notification(
    situation: &Situation,
    notification: Notification,
    now: Timestamp,
) -> (Delivered, Vec<(Timestamp, Message)>) {
    let luck = luck(&notification.key);
    let at = now + SignedDuration::from_millis(400 + small(luck % 2_600));
    let id = situation.key.word(&notification.key, 20);
    let outcome = if notification.kind == NotificationKind::TicketOpen {
        let number = format!("INC{:07}", 10_000 + notification.incident.0);
        Sent::Ticket { number, record: id.clone(), mismatch: None }
    } else {
        Sent::Accepted { provider_id: id.clone() }
    };
    let receipt =
        Receipt { notification: notification.key.clone(), incident: notification.incident, at, outcome };
    let mut tellings = vec![(at, Message::Receipt(receipt))];
    if let (NotificationKind::Callout { callout }, Channel::Text(_)) =
        (&notification.kind, &notification.channel)
        && luck / 7 % 100 < ANSWERED
        && let Some(reference) = reference(situation, &notification, *callout)
    {
        let answered = now + SignedDuration::from_secs(25 + small(luck / 11 % 150));
        tellings.push((answered, Message::Answer { reference, answer: Answer::Mine, by: None }));
    }
    ((notification, at, id), tellings)
}

fn reference(situation: &Situation, notification: &Notification, callout: u32) -> Option<String> {
    let running = situation.incidents.get(&notification.incident)?.escalation.as_ref()?;
    running.callouts.iter().find(|one| one.number == callout).map(|one| one.reference.clone())
}

/// When an incident begins: what somebody will say of it in public, if it lasts.
pub(super) fn of_incident(incident: &Incident, now: Timestamp) -> Vec<(Timestamp, Message)> {
    let luck = luck(&format!("{} {}", incident.id, incident.cause));
    let begins = incident.opened_at == now && incident.posts.is_empty();
    let is_public =
        incident.environment == Environment::Production && matches!(incident.cause, Cause::Instance(_));
    if !begins || !is_public || luck % 100 >= SPOKEN_OF {
        return Vec::new();
    }
    let said_at = now + SignedDuration::from_secs(240 + small(luck / 13 % 600));
    let (effect, advice) = match incident.worst {
        Status::MajorOutage => (Effect::AllFail, Advice::Keep),
        Status::PartialOutage => (Effect::SomeFail, Advice::Retry),
        Status::Operational | Status::Degraded | Status::Maintenance | Status::Unknown => {
            (Effect::Slow, Advice::AskLess)
        }
    };
    let phrases = Phrases {
        because: Some(Because::Backend),
        effect: Some(effect),
        words: None,
        advice: Some(advice),
        next: Some(said_at + SignedDuration::from_mins(30)),
    };
    let command = Command::Update { incident: incident.id, by: "National Service Desk".to_owned(), phrases };
    vec![(said_at, Message::Command(command))]
}

fn small(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

/// A number that looks random, and is the same for the same words.
fn luck(words: &str) -> u64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = words.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
    (hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 8
}
