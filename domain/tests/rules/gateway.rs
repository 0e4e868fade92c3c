//! What fails with its gateway is one trouble of the gateway, and not one of each API.

use crate::estate::{Hand, Seen, apis::address, configuration, instance, outcome, track};
use domain::{
    Cause, Check, Configuration, Environment, Event, Failure, FailureKind, IncidentStatus, Layer, Outcome,
    TrackId, VantageId,
};
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
pub(crate) const ALL: [&str; 3] = ["identity", "results", "documents"];
pub(crate) const REFUSED: (Layer, FailureKind) = (Layer::Connect, FailureKind::Refused);
pub(crate) const UNNAMED: (Layer, FailureKind) = (Layer::Dns, FailureKind::NameNotFound);
pub(crate) const HANGS: (Layer, FailureKind) = (Layer::Backend, FailureKind::FirstByteTimeout);
pub(crate) const BROKEN: (Layer, FailureKind) = (Layer::Backend, FailureKind::ServerError);

/// All APIs of an environment behind one gateway; none depends on another, unless `with_parents`.
pub(crate) fn shared(with_parents: bool) -> Configuration {
    let mut configuration = configuration();
    for check in configuration.checks.values_mut() {
        let at = &check.id.instance;
        let url = format!("http://127.0.0.1:80{}/{}", u8::from(at.environment == PRODUCTION), at.api);
        *check = Arc::new(Check { url, ..(**check).clone() });
    }
    for api in configuration.apis.values_mut().map(Arc::make_mut).filter(|_| !with_parents) {
        api.depends_on.clear();
    }
    configuration
}

pub(crate) fn well(configuration: Configuration) -> Hand {
    let mut hand = Hand::new(configuration);
    hand.rounds(3, &[], Seen::Pass);
    hand
}

impl Hand {
    pub(crate) fn look_at(&mut self, api: &str, how: Option<(Layer, FailureKind)>) {
        for operation in ["ping", "status"] {
            self.probe(api, operation, how);
        }
    }

    pub(crate) fn probe(&mut self, api: &str, operation: &str, how: Option<(Layer, FailureKind)>) {
        let track = track(api, PRODUCTION, operation);
        let failure = how.map(|(layer, kind)| Failure { layer, kind, message: format!("it {kind:?}") });
        let question = self.situation.configuration.checks.get(&track.check).map(|check| check.question());
        let seen = Outcome { failure, question, ..(*outcome(&track, self.now, Seen::Pass)).clone() };
        self.event(&Event::Outcome(Arc::new(seen)));
    }

    /// Rounds ten seconds apart, in which these of production fail so, and all else is well.
    pub(crate) fn failing(&mut self, count: usize, apis: &[(&str, (Layer, FailureKind))]) {
        for _ in 0..count {
            self.wait(10);
            let sit: Vec<_> = self.situation.configuration.checks.keys().cloned().collect();
            for check in sit.into_iter().filter(|check| check.instance.environment != PRODUCTION) {
                let vantage = VantageId::parse("internet").expect("an id");
                self.see(&TrackId { check, vantage }, Seen::Pass);
            }
            for api in ALL {
                self.look_at(api, apis.iter().find(|(name, _)| *name == api).map(|(_, how)| *how));
            }
        }
    }

    pub(crate) fn open_causes(&self) -> Vec<String> {
        self.open().iter().map(|incident| incident.cause.to_string()).collect()
    }
}

fn tickets(hand: &Hand) -> usize {
    hand.told().iter().filter(|name| *name == "ticket").count()
}

#[test]
fn all_behind_one_are_one_incident_with_one_ticket_and_a_list() {
    for how in [REFUSED, UNNAMED, HANGS, (Layer::Gateway, FailureKind::GatewayError)] {
        let mut hand = well(shared(false));
        hand.failing(20, &ALL.map(|api| (api, how)));
        assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"], "{how:?}");
        let incident = hand.incident(1);
        assert_eq!((incident.held_back.len(), &incident.api, incident.layer), (3, &None, Some(how.0)));
        assert_eq!(tickets(&hand), 1, "{:?}", hand.told());
        assert!(incident.major.is_some(), "it stands for the gravest");
        let named = incident.diagnosis.en.starts_with("The name of 127.0.0.1:801 cannot be found");
        assert_eq!(named, how == UNNAMED, "{}", incident.diagnosis.en);

        hand.failing(1, &[]);
        hand.failing(2, &[]);
        assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
        hand.failing(40, &[]);
        assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
        assert_eq!(hand.situation.next_incident, 2, "one in all");
    }
}

#[test]
fn one_alone_has_its_own_incident_while_another_answers_however_badly() {
    let mut hand = well(shared(false));
    hand.failing(6, &[("results", REFUSED)]);
    assert_eq!(hand.open_causes(), ["instance:results/production"]);

    let mut hand = well(shared(false));
    hand.failing(6, &[("results", REFUSED), ("documents", REFUSED), ("identity", BROKEN)]);
    assert!(hand.open().iter().all(|incident| matches!(incident.cause, Cause::Instance(_))));
    assert_eq!(hand.open().len(), 3);
}

#[test]
fn others_elsewhere_or_in_another_environment_say_nothing_of_it() {
    let mut configuration = shared(false);
    for check in
        configuration.checks.values_mut().filter(|check| check.id.instance.api.as_str() == "identity")
    {
        *check = Arc::new(Check { url: address("identity"), ..(**check).clone() });
    }
    let mut hand = well(configuration);
    hand.failing(6, &[("results", REFUSED), ("documents", REFUSED)]);
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
}

#[test]
fn whoever_fails_first_waits_for_word_of_the_others_which_are_asked_at_once() {
    let mut hand = well(shared(false));
    for _ in 0..4 {
        hand.wait(3);
        hand.look_at("results", Some(REFUSED));
    }
    assert!(hand.open().is_empty(), "nobody else was heard since: {:?}", hand.open_causes());
    let asked =
        |hand: &Hand, api| hand.probes.iter().any(|wanted| wanted.track.check.instance.api.as_str() == api);
    assert!(asked(&hand, "documents") && asked(&hand, "identity"));
    let mut other = well(shared(false));
    std::mem::swap(&mut hand, &mut other);
    // Nobody says a word.
    for _ in 0..7 {
        other.wait(5);
        other.look_at("results", Some(REFUSED));
    }
    assert_eq!(other.open_causes(), ["instance:results/production"]);
    // One says that it is well.
    for _ in 0..4 {
        hand.wait(3);
        hand.look_at("results", Some(REFUSED));
    }
    hand.look_at("documents", None);
    hand.wait(1);
    assert_eq!(hand.open_causes(), ["instance:results/production"]);
}

#[test]
fn what_was_taken_for_the_trouble_of_one_is_taken_in() {
    let mut hand = well(shared(false));
    hand.failing(5, &[("results", REFUSED)]);
    assert_eq!(hand.open_causes(), ["instance:results/production"]);
    hand.failing(5, &ALL.map(|api| (api, REFUSED)));
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    assert_eq!(hand.incident(1).part_of, Some(hand.incident(2).id));
    assert!(hand.incident(2).held_back.contains(&instance("results", PRODUCTION)));
}

#[test]
fn one_that_failed_long_before_is_no_proof() {
    let mut hand = well(shared(false));
    hand.failing(20, &[("results", REFUSED), ("identity", REFUSED)]);
    assert_eq!(hand.open().len(), 2, "documents answers");
    hand.failing(4, &ALL.map(|api| (api, REFUSED)));
    assert_eq!(hand.open().len(), 3, "{:?}", hand.open_causes());
}

#[test]
fn what_only_waits_for_its_parent_behind_the_same_gateway_is_the_parents() {
    let mut hand = well(shared(true));
    hand.failing(10, &ALL.map(|api| (api, HANGS)));
    assert_eq!(hand.open_causes(), ["instance:identity/production"]);
    let mut hand = well(shared(true));
    hand.failing(10, &ALL.map(|api| (api, REFUSED)));
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
}

#[test]
fn what_depends_on_one_behind_it_is_held_back_too() {
    let mut configuration = shared(false);
    let parents = [domain::ApiId::parse("results").expect("an id")];
    for api in configuration.apis.values_mut().map(Arc::make_mut).filter(|api| api.id.as_str() == "documents")
    {
        api.depends_on = parents.to_vec();
    }
    for check in
        configuration.checks.values_mut().filter(|check| check.id.instance.api.as_str() == "documents")
    {
        *check = Arc::new(Check { url: address("documents"), ..(**check).clone() });
    }
    let mut hand = well(configuration);
    hand.failing(20, &[("results", REFUSED), ("identity", REFUSED), ("documents", BROKEN)]);
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    assert_eq!(hand.incident(hand.situation.next_incident - 1).held_back.len(), 3, "{:?}", hand.open());
}

/// One operation of each API after the other, as their phases have it: `ping` every ten seconds, `status` every minute.
fn staggered(hand: &mut Hand, seconds: std::ops::Range<usize>, how: Option<(Layer, FailureKind)>) {
    for second in seconds {
        hand.wait(1);
        for (place, api) in ALL.into_iter().enumerate() {
            for (operation, every) in [("ping", 10), ("status", 60)] {
                if (second + place * 3) % every == 0 {
                    hand.probe(api, operation, how);
                }
            }
        }
        let wanted = std::mem::take(&mut hand.probes);
        for wanted in
            wanted.into_iter().filter(|wanted| wanted.track.check.instance.environment == PRODUCTION)
        {
            if wanted.at <= hand.now {
                hand.probe(
                    wanted.track.check.instance.api.as_str(),
                    wanted.track.check.operation.as_str(),
                    how,
                );
            } else {
                hand.probes.push(wanted);
            }
        }
    }
}

#[test]
fn checks_that_come_one_after_the_other_show_it_too() {
    let mut configuration = shared(false);
    for check in configuration.checks.values_mut().filter(|check| check.id.operation.as_str() == "status") {
        *check = Arc::new(Check { every: std::time::Duration::from_secs(60), ..(**check).clone() });
    }
    for begins in [60, 83, 97, 119] {
        let mut hand = Hand::new(configuration.clone());
        staggered(&mut hand, 0..begins, None);
        staggered(&mut hand, begins..begins + 90, Some(REFUSED));
        let causes = hand.open_causes();
        assert_eq!(causes, ["gateway:production/127.0.0.1:801"], "from {begins}");
        assert_eq!(hand.open().pop().expect("it").held_back.len(), 3);
        assert!(tickets(&hand) <= 1);
        staggered(&mut hand, begins + 90..begins + 300, None);
        assert!(hand.open().is_empty(), "{:?}", hand.open_causes());
    }
}

#[test]
fn what_hangs_for_want_of_a_parent_elsewhere_is_the_parents() {
    for how in [HANGS, (Layer::Gateway, FailureKind::GatewayError)] {
        let mut configuration = shared(true);
        for check in
            configuration.checks.values_mut().filter(|check| check.id.instance.api.as_str() == "identity")
        {
            *check = Arc::new(Check { url: address("identity"), ..(**check).clone() });
        }
        let mut hand = well(configuration);
        hand.failing(12, &[("identity", HANGS), ("results", how), ("documents", how)]);
        assert_eq!(hand.open_causes(), ["instance:identity/production"]);
    }
}

#[test]
fn while_a_storm_runs_it_is_part_of_the_storm() {
    let mut configuration = shared(false);
    let policy = configuration.environments.get_mut(&PRODUCTION).expect("a policy");
    policy.storm.more_than = 1;
    let mut hand = well(configuration);
    hand.failing(4, &[("results", BROKEN), ("documents", BROKEN)]);
    hand.failing(6, &ALL.map(|api| (api, REFUSED)));
    assert!(
        !hand.open_causes().iter().any(|cause| cause.starts_with("gateway:")),
        "{:?}",
        hand.open_causes()
    );
}

#[test]
fn what_was_slow_before_its_gateway_fell_is_taken_in_too() {
    let mut hand = well(shared(false));
    let slow = ALL.map(|api| (api, PRODUCTION));
    hand.rounds(60, &slow, Seen::Slow);
    assert_eq!(hand.open().len(), 3, "{:?}", hand.open_causes());
    hand.failing(6, &ALL.map(|api| (api, HANGS)));
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    let incident = hand.open().pop().expect("it");
    assert_eq!((incident.major.is_some(), incident.held_back.len()), (true, 3), "{:?}", incident.affects);
    hand.failing(14, &ALL.map(|api| (api, HANGS)));
    assert!(hand.told().iter().any(|name| name.starts_with("callout/1/")), "{:?}", hand.told());
}

#[test]
fn where_there_is_no_desk_each_team_hears_of_its_own() {
    let mut hand = well(shared(false));
    let sit = ALL.map(|api| (api, Environment::Sit));
    hand.rounds(12, &sit, Seen::Fail);
    let open = hand.open();
    assert!(!open.is_empty() && open.iter().all(|one| matches!(one.cause, Cause::Instance(_))), "{open:?}");
    assert!(hand.told().contains(&"told".to_owned()), "{:?}", hand.told());
}

#[test]
fn a_parent_elsewhere_that_is_found_later_takes_it_in() {
    let mut configuration = shared(true);
    for check in
        configuration.checks.values_mut().filter(|check| check.id.instance.api.as_str() == "identity")
    {
        *check = Arc::new(Check { url: address("identity"), ..(**check).clone() });
    }
    let mut hand = well(configuration);
    hand.failing(5, &[("results", HANGS), ("documents", HANGS)]);
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    hand.failing(6, &ALL.map(|api| (api, HANGS)));
    assert_eq!(hand.open_causes(), ["instance:identity/production"]);
    assert_eq!(hand.open().pop().expect("it").held_back.len(), 2);
}

#[test]
fn who_was_heard_before_a_restart_is_asked_for_a_word_too() {
    let mut hand = well(shared(false));
    hand.restart(5);
    for _ in 0..8 {
        hand.wait(5);
        hand.look_at("results", Some(REFUSED));
        hand.look_at("identity", Some(REFUSED));
    }
    let causes = hand.open_causes();
    assert!(causes.len() == 2 && causes.iter().all(|cause| cause.starts_with("instance:")), "{causes:?}");
}

#[test]
fn of_three_vantages_two_have_it() {
    let mut configuration = shared(false);
    let names = ["internet", "north", "south"].map(|name| VantageId::parse(name).expect("an id"));
    let model = configuration.vantages.first().expect("a vantage").clone();
    configuration.vantages =
        names.iter().map(|id| domain::Vantage { id: id.clone(), ..model.clone() }).collect();
    for check in configuration.checks.values_mut() {
        *check = Arc::new(Check { from: names.to_vec(), ..(**check).clone() });
    }
    let mut hand = Hand::new(configuration);
    for round in 0..12 {
        hand.wait(10);
        let checks: Vec<_> = hand.situation.configuration.checks.keys().cloned().collect();
        for (check, vantage) in checks.iter().flat_map(|check| names.iter().map(move |name| (check, name))) {
            let dark = round > 3 && check.instance.environment == PRODUCTION && vantage.as_str() != "south";
            let track = TrackId { check: check.clone(), vantage: vantage.clone() };
            hand.see(&track, if dark { Seen::Fail } else { Seen::Pass });
        }
    }
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
}

#[test]
fn tokens_that_are_not_reached_by_the_same_way_are_no_trouble_of_their_own() {
    let configuration = crate::tokens::with_tokens(shared(false), "http://127.0.0.1:801/oauth2/token");
    let mut hand = well(configuration);
    hand.failing(6, &ALL.map(|api| (api, REFUSED)));
    let unreached = (Layer::Token, FailureKind::TokenUnreachable);
    hand.failing(8, &[("results", unreached), ("documents", unreached), ("identity", REFUSED)]);
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    let broken = (Layer::Token, FailureKind::TokenBroken);
    hand.failing(8, &[("results", broken), ("documents", broken)]);
    assert!(hand.open_causes().iter().any(|cause| cause.starts_with("token:")), "{:?}", hand.open_causes());
}

#[test]
fn when_nothing_else_can_be_seen_either_it_is_part_of_that() {
    let mut configuration = shared(false);
    for check in
        configuration.checks.values_mut().filter(|check| check.id.instance.api.as_str() == "identity")
    {
        *check = Arc::new(Check { url: "https://identity.example".to_owned(), ..(**check).clone() });
    }
    let mut hand = well(configuration);
    hand.failing(4, &[("results", REFUSED), ("documents", REFUSED)]);
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    for _ in 0..28 {
        hand.wait(10);
        for check in hand.situation.configuration.checks.keys().cloned().collect::<Vec<_>>() {
            let vantage = VantageId::parse("internet").expect("an id");
            hand.see(&TrackId { check, vantage }, Seen::Fail);
        }
    }
    assert_eq!(hand.open_causes(), ["vantage:internet"]);
}
