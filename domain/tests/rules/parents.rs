//! What an API cannot work without is asked before it is blamed.

use crate::estate::{Hand, Seen, configuration, instance};
use domain::Environment::Production as PRODUCTION;

#[test]
fn what_it_depends_on_is_asked_as_soon_as_it_fails_and_what_it_does_not_is_not() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.probes.clear();
    hand.rounds(3, &[("results", PRODUCTION)], Seen::Fail);
    let asked =
        |api: &str| hand.probes.iter().any(|wanted| wanted.track.check.instance == instance(api, PRODUCTION));
    assert!(asked("identity"), "{:?}", hand.probes);
    assert!(!asked("documents"), "{:?}", hand.probes);
}
