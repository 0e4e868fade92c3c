//! A certificate that is not good is one cause for all that show it.

use crate::estate::{Hand, Seen, configuration, instance, outcome, start, track};
use domain::{
    Cause, Certificate, ChainCertificate, Configuration, Environment, Event, Failure, FailureKind,
    IncidentStatus, Layer, Outcome, ShownCertificate, Ticket, TrackId, Transcript, VantageId,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
const EXPIRED: FailureKind = FailureKind::CertificateExpired;

/// What an API in production shows from now on.
#[derive(Debug, Clone, Copy)]
struct Shows<'a> {
    api: &'a str,
    certificate: &'a str,
    kind: FailureKind,
}

fn expired<'a>(api: &'a str, certificate: &'a str) -> Shows<'a> {
    Shows { api, certificate, kind: EXPIRED }
}

fn apart() -> Configuration {
    let mut configuration = configuration();
    for api in configuration.apis.values_mut().map(Arc::make_mut) {
        api.depends_on.clear();
    }
    configuration
}

fn hand(configuration: Configuration) -> Hand {
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand
}

fn ended() -> Timestamp {
    start() - SignedDuration::from_secs(60)
}

fn link(fingerprint: &str, not_after: Timestamp) -> ChainCertificate {
    ChainCertificate {
        subject: "CN=api.example".into(),
        issuer: "CN=authority".into(),
        names: Vec::new(),
        not_before: Timestamp::UNIX_EPOCH,
        not_after,
        fingerprint: fingerprint.to_owned(),
    }
}

impl Hand {
    /// Rounds ten seconds apart, in which these show what they show, those of `broken` answer with errors of their own, and
    /// all else is well.
    fn present(&mut self, count: usize, shows: &[Shows<'_>], broken: &[&str]) {
        for _ in 0..count {
            self.wait(10);
            let checks: Vec<_> = self.situation.configuration.checks.keys().cloned().collect();
            for check in checks {
                let track = TrackId { check, vantage: VantageId::parse("internet").expect("an id") };
                let of = |api: &str| track.check.instance == instance(api, PRODUCTION);
                let seen = if broken.iter().any(|api| of(api)) { Seen::Broken } else { Seen::Pass };
                let mut seen = outcome(&track, self.now, seen);
                if let Some(shown) = shows.iter().find(|shown| of(shown.api)) {
                    let fingerprint = shown.certificate.to_owned();
                    let transcript = Transcript {
                        chain: vec![link(&fingerprint, ended()), link("authority", ended())],
                        ..Transcript::default()
                    };
                    // Where it has not ended, the one that ends first is the authority's, which others have too.
                    let first = if shown.kind == EXPIRED { fingerprint } else { "authority".to_owned() };
                    seen = Arc::new(Outcome {
                        failure: Some(Failure {
                            layer: Layer::Tls,
                            kind: shown.kind,
                            message: "it is".into(),
                        }),
                        certificate: Some(Certificate { not_after: ended(), fingerprint: first }),
                        transcript: Some(Box::new(transcript)),
                        ..(*seen).clone()
                    });
                }
                self.event(&Event::Outcome(seen));
            }
        }
    }

    fn causes(&self) -> Vec<String> {
        self.open().iter().map(|incident| incident.cause.to_string()).collect()
    }
}

#[test]
fn all_that_show_it_are_one_incident_with_one_ticket_and_a_list() {
    let mut hand = hand(apart());
    let all = ["identity", "results", "documents"].map(|api| expired(api, "5e1f"));
    hand.present(20, &all, &[]);
    let open = hand.open();
    let [incident] = open.as_slice() else { panic!("one: {:?}", hand.causes()) };
    let certificate = ShownCertificate { environment: PRODUCTION, fingerprint: "5e1f".to_owned() };
    assert_eq!(incident.cause, Cause::Certificate(certificate));
    assert_eq!(incident.cause.to_string(), "certificate:production/5e1f");
    assert_eq!((incident.held_back.len(), incident.affects.len(), &incident.api), (3, 3, &None));
    assert!(
        incident.diagnosis.en.starts_with("The certificate ended on 20 November 2026: "),
        "{}",
        incident.diagnosis.en
    );
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
    assert!(incident.major.is_some(), "it stands for the gravest");
}

#[test]
fn another_certificate_is_another_cause_and_one_api_alone_is_named() {
    let mut hand = hand(apart());
    hand.present(10, &[expired("results", "5e1f"), expired("documents", "0abc")], &[]);
    assert_eq!(hand.causes(), ["certificate:production/0abc", "certificate:production/5e1f"]);
    assert!(hand.open().iter().all(|incident| incident.api.is_some()));
}

#[test]
fn one_that_is_wrong_in_another_way_is_known_by_itself_and_not_by_what_signed_it() {
    for kind in
        [FailureKind::CertificateName, FailureKind::CertificateUntrusted, FailureKind::CertificateNotYetValid]
    {
        let mut hand = hand(apart());
        let shows = |api, certificate| Shows { api, certificate, kind };
        hand.present(
            10,
            &[shows("results", "5e1f"), shows("documents", "5e1f"), shows("identity", "0abc")],
            &[],
        );
        let causes = hand.causes();
        assert_eq!(causes.len(), 2, "{kind:?}: {causes:?}");
        assert!(causes.iter().any(|cause| cause == "certificate:production/5e1f"), "{kind:?}: {causes:?}");
    }
}

#[test]
fn it_is_over_when_none_shows_it_any_more_also_after_a_restart() {
    let mut hand = hand(apart());
    let both = ["results", "documents"].map(|api| expired(api, "5e1f"));
    hand.present(10, &both, &[]);
    hand.restart(20);
    hand.wait(1);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open, "nothing has been seen of it yet");
    hand.present(5, &both, &[]);
    assert_eq!(hand.causes(), ["certificate:production/5e1f"]);
    hand.present(5, &both[..1], &[]);
    assert_eq!(hand.incident(1).held_back, [instance("results", PRODUCTION)]);
    hand.rounds(14, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    hand.present(5, &both, &[]);
    assert_eq!((hand.causes().len(), hand.incident(1).flaps.epoch), (1, 1), "the same is back");
}

#[test]
fn what_fails_otherwise_once_it_is_replaced_answers_for_itself() {
    let mut hand = hand(apart());
    let both = ["results", "documents"].map(|api| expired(api, "5e1f"));
    hand.present(10, &both, &[]);
    hand.present(10, &both[1..], &["results"]);
    assert_eq!(hand.causes(), ["certificate:production/5e1f", "instance:results/production"]);
    assert_eq!(hand.incident(1).held_back, [instance("documents", PRODUCTION)]);
}

#[test]
fn what_depends_on_one_that_shows_it_is_on_its_list_whichever_is_seen_first() {
    let identity = [expired("identity", "5e1f")];
    for together in [true, false] {
        let mut hand = hand(configuration());
        if !together {
            hand.present(4, &[], &["results"]);
            assert_eq!(hand.causes(), ["instance:results/production"]);
        }
        hand.present(10, &identity, &["results"]);
        assert_eq!(hand.causes(), ["certificate:production/5e1f"], "together: {together}");
        let incident = hand.open().pop().expect("one");
        let listed = ["identity", "results"].map(|api| instance(api, PRODUCTION));
        assert!(listed.iter().all(|one| incident.held_back.contains(one)), "{:?}", incident.held_back);
        assert_eq!(incident.api.as_ref().map(ToString::to_string), Some("identity".to_owned()));
        // It is replaced, and what depends on it fails for a reason of its own.
        hand.present(20, &[], &["results"]);
        assert_eq!(hand.causes(), ["instance:results/production"]);
    }
}

#[test]
fn what_fails_by_a_certificate_that_nobody_could_read_answers_for_itself() {
    let mut hand = hand(apart());
    hand.rounds(10, &[("results", PRODUCTION)], Seen::Expired);
    assert_eq!(hand.causes(), ["instance:results/production"]);
}

#[test]
fn that_it_ends_soon_is_part_of_it_once_it_has_ended() {
    let mut hand = hand(apart());
    let ends = hand.now + SignedDuration::from_secs(30);
    for operation in ["ping", "status"] {
        let track = track("results", PRODUCTION, operation);
        let seen = outcome(&track, hand.now + SignedDuration::from_secs(5), Seen::Pass);
        let certificate = Some(Certificate { not_after: ends, fingerprint: "5e1f".to_owned() });
        hand.event(&Event::Outcome(Arc::new(Outcome { certificate, ..(*seen).clone() })));
    }
    hand.wait(6);
    assert_eq!(hand.causes(), ["ahead:certificate:5e1f"]);
    hand.present(20, &[expired("results", "5e1f")], &[]);
    assert_eq!(hand.causes(), ["certificate:production/5e1f"], "one incident a cause");
    let (before, now) = (hand.incident(1), hand.incident(2));
    assert_eq!(before.status, IncidentStatus::Resolved);
    let last = before.timeline.last().expect("a line");
    assert_eq!(last.text, "taken in by C-2: the certificate has ended");
    assert_ne!(now.ticket, Ticket::None);
}
