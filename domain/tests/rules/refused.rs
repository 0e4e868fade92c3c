//! Operations that are refused (429) beside others of their instance: those are seen to fail, and to work again.

use crate::estate::{Hand, Seen, configuration, instance, outcome, start, track};
use domain::{
    Environment, Event, Failure, FailureKind, Http, Layer, Outcome, Pause, Status, TrackId, pause,
    unseen_at_most,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const PRODUCTION: Environment = Environment::Production;
const EVERY: i64 = 10;

/// What the answers are from here on.
#[derive(Clone, Copy)]
struct Answers {
    refused: bool,
    fails: bool,
}

/// A clock second by second: `results` is asked at its beats and where that is wanted, but for what is left alone.
struct Seconds {
    hand: Hand,
    probed: BTreeMap<TrackId, Timestamp>,
    alone: BTreeMap<TrackId, Timestamp>,
    all_alone: Timestamp,
}

impl Seconds {
    fn new() -> Self {
        let hand = Hand::new(configuration());
        Self { hand, probed: BTreeMap::new(), alone: BTreeMap::new(), all_alone: start() }
    }

    fn pass(&mut self, seconds: i64, answers: Answers) {
        for _ in 0..seconds {
            self.hand.wait(1);
            let now = self.hand.now;
            let beat = now.duration_since(start()).as_secs() % EVERY;
            if beat == 0 {
                for api in ["identity", "documents"] {
                    self.hand.see(&track(api, PRODUCTION, "ping"), Seen::Pass);
                    self.hand.see(&track(api, PRODUCTION, "status"), Seen::Pass);
                }
            }
            // Whoever is refused is so just before the other's beat.
            self.turn("status", beat == 2, Some(Seen::Refused).filter(|_| answers.refused));
            self.turn("ping", beat == 3, Some(Seen::Fail).filter(|_| answers.fails));
        }
    }

    fn turn(&mut self, operation: &str, beat: bool, seen: Option<Seen>) {
        let (id, now) = (track("results", PRODUCTION, operation), self.hand.now);
        let check = Arc::clone(self.hand.situation.configuration.checks.get(&id.check).expect("a check"));
        let probed = self.probed.get(&id).copied().unwrap_or(start());
        let wanted = self.hand.probes.iter().position(|wanted| wanted.track == id && wanted.at <= now);
        let alone = self.alone.get(&id).is_some_and(|until| now < *until);
        let all_alone = now < self.all_alone.min(probed + unseen_at_most(&check, probed));
        if alone || (wanted.is_none() && (!beat || all_alone)) {
            return;
        }
        if let Some(wanted) = wanted {
            self.hand.probes.remove(wanted);
        }
        let mut seen = (*outcome(&id, now, seen.unwrap_or(Seen::Pass))).clone();
        if seen.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::AccessRefused) {
            seen.failure = Some(Failure {
                layer: Layer::Gateway,
                kind: FailureKind::RateLimited,
                message: "too many requests".into(),
            });
            seen.http = Some(Http { status: 429, version: "HTTP/2".into(), remote_ip: None, bytes: 0 });
            seen.retry_after = Some(Duration::from_secs(300));
        }
        self.probed.insert(id.clone(), now);
        self.alone.remove(&id);
        match pause(&seen, &check) {
            Some(Pause::Check(pause)) => drop(self.alone.insert(id, now + pause)),
            Some(Pause::Instance(pause)) => {
                self.alone.insert(id, now + pause);
                self.all_alone = self.all_alone.max(now + pause);
            }
            None => {}
        }
        self.hand.event(&Event::Outcome(Arc::<Outcome>::new(seen)));
    }

    fn status(&self, operation: &str) -> Status {
        self.hand.situation.tracks.get(&track("results", PRODUCTION, operation)).expect("a track").status
    }
}

#[test]
fn a_failure_is_confirmed_and_its_end_seen_while_another_operation_is_refused() {
    let mut seconds = Seconds::new();
    seconds.pass(60, Answers { refused: false, fails: false });
    assert_eq!(seconds.hand.status("results", PRODUCTION), Status::Operational);
    let began = seconds.hand.now;
    seconds.pass(45, Answers { refused: true, fails: true });
    assert_eq!(seconds.status("ping"), Status::MajorOutage, "seen within half of its minute, and confirmed");
    for _ in 0..20 {
        seconds.pass(30, Answers { refused: true, fails: true });
        assert_eq!(seconds.status("ping"), Status::MajorOutage, "at {}", seconds.hand.now);
        let status = seconds.hand.status("results", PRODUCTION);
        assert!(matches!(status, Status::PartialOutage | Status::MajorOutage), "{status:?}");
    }
    let causes = seconds.hand.open_causes();
    assert!(causes.contains(&"instance:results/production".to_owned()), "{causes:?}");
    let health = seconds.hand.situation.healths.get(&instance("results", PRODUCTION)).expect("a health");
    assert!(health.since.duration_since(began) <= SignedDuration::from_secs(40), "{}", health.since);
    seconds.pass(90, Answers { refused: true, fails: false });
    assert_eq!(seconds.status("ping"), Status::Operational);
}
