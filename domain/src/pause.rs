//! How long a check is left alone because its API asked for it, with `Retry-After`.

use crate::{Check, Outcome};
use jiff::Timestamp;
use std::time::Duration;

/// However long an API asks for: half of the ten minutes after which a production instance of which nothing is known is an
/// incident (DESIGN §5). So when the refusal is over in that time, it is seen to be; and when it is not, the incident is
/// right.
const LONGEST: Duration = Duration::from_mins(5);

/// What is left alone, and for how long; never no time at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// This check, from this vantage.
    Check(Duration),
    /// This check, and for no longer than [`unseen_at_most`] the others of its instance, from this vantage.
    Instance(Duration),
}

/// What no probe is sent to after `outcome` of `check`; `None`: all is as usual.
///
/// A 429 is about all that our application asks of that instance, not about the operation that was refused. It says nothing of
/// the API, so nothing is lost while that operation is left alone. The others, which may be answered, are asked less often.
/// A 503 is a failure, and must be seen to go on or to end before it no
/// longer speaks: it is asked again after half of that time at the latest. What is left out is not measured, and so never
/// down. An answer that is as agreed asks nobody to be left alone.
pub fn pause(outcome: &Outcome, check: &Check) -> Option<Pause> {
    let asked = outcome.retry_after.filter(|asked| !asked.is_zero())?.min(LONGEST);
    let failed = outcome.failure.is_some();
    match outcome.http.as_ref().map(|http| http.status)? {
        429 if failed => Some(Pause::Instance(asked)),
        503 if failed => Some(Pause::Check(asked.min(unseen_at_most(check, outcome.at)))),
        _ => None,
    }
}

/// How long after a probe of `at` a check may be left alone because others of its instance are refused, however often they are:
/// half of the time for which that probe speaks. What is wanted to confirm a failure is not put off at all, for then a refusal
/// beside it would keep an outage from being one.
pub fn unseen_at_most(check: &Check, at: Timestamp) -> Duration {
    check.validity(at) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ApiId, CheckId, Environment, Failure, FailureKind, Http, HttpRequest, InstanceId, Layer, Operation,
        OperationId, Request, VantageId,
    };
    use std::sync::Arc;

    fn paused(status: u16, asked: u64, every: u64) -> Option<Pause> {
        let kind = FailureKind::RateLimited;
        paused_by(status, asked, every, Some(Failure { layer: Layer::Gateway, kind, message: "no".into() }))
    }

    fn paused_by(status: u16, asked: u64, every: u64, failure: Option<Failure>) -> Option<Pause> {
        let operation = OperationId::parse("read").unwrap();
        let api = ApiId::parse("results").unwrap();
        let id = CheckId {
            instance: InstanceId { api, environment: Environment::Production },
            operation: operation.clone(),
        };
        let vantage = VantageId::parse("internet").unwrap();
        let check = Check {
            id: id.clone(),
            url: "https://api.example".to_owned(),
            operation: Arc::new(Operation {
                id: operation,
                critical: true,
                request: Request::Http(HttpRequest::get("/")),
                expect: Arc::default(),
            }),
            every: Duration::from_secs(every),
            slow: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            test_patients: std::sync::Arc::default(),
            apart: None,
            credential: None,
            from: vec![vantage.clone()],
        };
        let mut outcome = Outcome::new(id, vantage, jiff::Timestamp::UNIX_EPOCH);
        outcome.http = Some(Http { status, version: "HTTP/2".into(), remote_ip: None, bytes: 0 });
        outcome.retry_after = Some(Duration::from_secs(asked));
        outcome.failure = failure;
        pause(&outcome, &check)
    }

    #[test]
    fn a_refusal_is_left_alone_for_as_long_as_it_asks_up_to_five_minutes() {
        for (asked, left) in [(7, 7), (300, 300), (301, 300), (u64::MAX, 300)] {
            let all = Pause::Instance(Duration::from_secs(left));
            assert_eq!(paused(429, asked, 10), Some(all), "{asked}");
        }
        assert_eq!(paused(429, 0, 10), None);
    }

    #[test]
    fn a_failure_is_seen_again_before_it_no_longer_speaks() {
        // An outcome speaks for a minute, or for three intervals.
        for (asked, every, left) in
            [(7, 10, 7), (30, 10, 30), (3_600, 10, 30), (3_600, 60, 90), (3_600, 600, 300)]
        {
            let this = Pause::Check(Duration::from_secs(left));
            assert_eq!(paused(503, asked, every), Some(this), "{asked} s, every {every} s");
        }
    }

    #[test]
    fn what_is_as_agreed_asks_nobody_to_be_left_alone() {
        for status in [429, 503] {
            assert_eq!(paused_by(status, 60, 10, None), None, "{status}");
        }
    }

    #[test]
    fn what_else_says_it_is_not_meant() {
        for status in [200, 301, 403, 500, 502] {
            assert_eq!(paused(status, 60, 10), None, "{status}");
        }
    }
}
