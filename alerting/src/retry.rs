//! When a message that could not be sent is tried again: one pure function.

use crate::SendError;
use domain::{Notification, NotificationKind};
use jiff::Timestamp;
use ring::digest;
use std::time::Duration;
use store::Settlement;

/// Nothing that could not be sent waits longer than this for its next try, whoever asks for it.
pub(crate) const LONGEST: Duration = Duration::from_secs(900);

/// First wait, longest wait, and the longest wait the other side may ask for.
struct Pace {
    first: Duration,
    longest: Duration,
    asked: Duration,
}

const fn pace(kind: &NotificationKind) -> Pace {
    let (first, longest, asked) = match kind {
        // A person is waited for: another way takes over soon, so this one is tried hard.
        NotificationKind::Callout { .. } | NotificationKind::Heard { .. } => (2, 30, 60),
        NotificationKind::TicketOpen | NotificationKind::TicketFallback => (2, 60, 300),
        NotificationKind::StandDown { .. }
        | NotificationKind::CalledOff { .. }
        | NotificationKind::PartOf { .. }
        | NotificationKind::Overruns { .. } => (5, 60, 300),
        NotificationKind::TicketNote { .. }
        | NotificationKind::FallbackNote { .. }
        | NotificationKind::Told
        | NotificationKind::ToldTaken { .. }
        | NotificationKind::ToldOver
        | NotificationKind::DeskResolves { .. } => (5, 300, 900),
    };
    Pace {
        first: Duration::from_secs(first),
        longest: Duration::from_secs(longest),
        asked: Duration::from_secs(asked),
    }
}

/// What becomes of `notification` after its try number `attempts` (from 1) failed with `error` at `now`.
///
/// The waits double from try to try, with up to a fifth more by the key's hash, so that what failed together
/// does not come back together. Who asks for a longer wait gets it, within reason. When no time is left
/// before `expires_at` it is given up at once, so that another channel or person takes over.
pub fn next_try(notification: &Notification, attempts: u32, error: &SendError, now: Timestamp) -> Settlement {
    let (asked, why) = match error {
        SendError::Permanent { why } => return Settlement::GivenUp { why: why.clone() },
        SendError::Retryable { after, why, .. } => (*after, why),
    };
    let pace = pace(&notification.kind);
    let wait = doubled(pace.first, pace.longest, attempts.saturating_sub(1));
    let wait = wait + wait.mul_f64(jitter(&notification.key, attempts) / 5.0);
    let wait = wait.max(asked.unwrap_or_default().min(pace.asked));
    match now.checked_add(wait) {
        Ok(at) if at < notification.expires_at => Settlement::RetryAt { at, why: why.clone() },
        Ok(_) | Err(_) => {
            Settlement::GivenUp { why: format!("{why} (try {attempts}; no time is left for another)") }
        }
    }
}

/// `first`, doubled so often, and never longer than `longest`.
pub(crate) fn doubled(first: Duration, longest: Duration, times: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(longest)
}

/// `0.0..1.0`, the same for the same key and try on every machine.
fn jitter(key: &str, attempts: u32) -> f64 {
    let hash = digest::digest(&digest::SHA256, format!("{key}#{attempts}").as_bytes());
    hash.as_ref().first().map_or(0.0, |byte| f64::from(*byte) / 256.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Channel, IncidentId, PersonId};

    fn notification(kind: NotificationKind, lasts: &str) -> Notification {
        let at: Timestamp = "2026-11-21T03:14:00Z".parse().unwrap();
        Notification {
            key: "C-42/callout/1/text".to_owned(),
            incident: IncidentId(42),
            kind,
            channel: Channel::Text(PersonId::parse("oncall.one").unwrap()),
            at,
            not_before: at,
            expires_at: at + lasts.parse::<jiff::SignedDuration>().unwrap(),
        }
    }

    fn wait(notification: &Notification, attempts: u32, after: Option<u64>) -> Option<f64> {
        let after = after.map(Duration::from_secs);
        let error = SendError::Retryable { after, why: "the desk answered 503".to_owned(), unclear: false };
        match next_try(notification, attempts, &error, notification.at) {
            Settlement::RetryAt { at, why } => {
                assert_eq!(why, "the desk answered 503");
                Some(at.duration_since(notification.at).as_secs_f64())
            }
            Settlement::GivenUp { .. } => None,
            Settlement::Sent { .. } => panic!("nothing was sent"),
        }
    }

    #[test]
    fn a_callout_is_tried_again_after_2_4_8_16_and_then_every_30_seconds_and_a_fifth_at_most() {
        let callout = notification(NotificationKind::Callout { callout: 1 }, "PT1H");
        for (attempts, base) in [(1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 30.0), (6, 30.0), (60, 30.0)] {
            let waited = wait(&callout, attempts, None).unwrap();
            assert!((base..base * 1.2).contains(&waited), "try {attempts}: {waited}");
        }
    }

    #[test]
    fn who_asks_for_a_longer_wait_gets_it_within_reason() {
        let callout = notification(NotificationKind::Callout { callout: 1 }, "PT1H");
        let told = notification(NotificationKind::Told, "PT24H");
        assert_eq!(wait(&callout, 1, Some(10)), Some(10.0));
        assert_eq!(wait(&callout, 1, Some(3600)), Some(60.0), "a callout cannot wait an hour");
        assert_eq!(wait(&told, 1, Some(3600)), Some(900.0));
        assert!(wait(&callout, 3, Some(1)).unwrap() >= 8.0, "nor is it tried sooner than its own pace");
    }

    #[test]
    fn without_time_for_another_try_it_is_given_up_at_once() {
        let callout = notification(NotificationKind::Callout { callout: 1 }, "PT20S");
        assert!(wait(&callout, 3, None).is_some());
        assert!(wait(&callout, 5, None).is_none());
    }

    #[test]
    fn what_cannot_succeed_is_not_tried_again() {
        let callout = notification(NotificationKind::Callout { callout: 1 }, "PT1H");
        let settled = next_try(&callout, 1, &SendError::permanent("no such number"), callout.at);
        assert!(matches!(settled, Settlement::GivenUp { why } if why == "no such number"));
    }
}
