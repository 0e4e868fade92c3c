//! What will happen in one run: which APIs fail and when, and what goes wrong around it. Made from the seed alone.

use crate::{
    dice::Dice,
    hand::{self, Seen},
    outside::Mood,
};
use domain::{
    Certificate, Configuration, Environment, HandOver, Objective, Override, PersonId, Priority, RotaId,
    TeamWay,
};
use jiff::{SignedDuration, Timestamp, civil};
use std::{sync::Arc, time::Duration};

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// From then on the machinery is well; the APIs may still fail.
pub(crate) const HEALED: i64 = 12 * MINUTE;
/// From then on the APIs are well, too.
pub(crate) const WELL: i64 = 24 * MINUTE;
/// What a clock that was set has upset is in order again so long after.
const LEAP_SETTLES: i64 = 2 * MINUTE;
/// By then nothing is open, and nothing waits.
pub(crate) const END: i64 = 110 * MINUTE;

/// An API in an environment does not work for a while.
#[derive(Debug)]
pub(crate) struct Outage {
    pub(crate) api: &'static str,
    pub(crate) environment: Environment,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) seen: Seen,
    /// It comes and goes in stretches of so long; `None`: it stays.
    pub(crate) flaps: Option<i64>,
}

/// Outside systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Desk,
    Texts,
    Calls,
    Mail,
    /// People's own.
    Programs,
    /// Chats, pagers and programs of teams.
    Teams,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) outages: Vec<Outage>,
    pub(crate) moods: Vec<(Who, i64, i64, Mood)>,
    pub(crate) store_away: Vec<(i64, i64)>,
    /// Of a thousand transactions, so many whose answer is lost.
    pub(crate) lost: i64,
    /// Of a thousand places between two effects, so many at which the program dies.
    pub(crate) deadly: i64,
    /// When the program stands still, and for how long.
    pub(crate) freezes: Vec<(i64, i64)>,
    /// When the wall clock jumps, and by how much.
    pub(crate) leaps: Vec<(i64, i64)>,
    /// When an operator does something.
    pub(crate) commands: Vec<i64>,
    /// When an agent at the desk does something with a ticket.
    pub(crate) agents: Vec<i64>,
    /// Of a thousand calls that arrive, so many are answered.
    pub(crate) answers: i64,
    /// Until when the APIs of production show a certificate that ends in two weeks.
    pub(crate) renewed: i64,
    /// What evidence says: somebody's number among it, now and then.
    pub(crate) message: &'static str,
}

impl Plan {
    pub(crate) fn new(dice: &mut Dice, estate: &Configuration) -> Self {
        let windows = |dice: &mut Dice, most: i64| -> Vec<(i64, i64)> {
            let count = dice.within(0, most + 1);
            let one = |dice: &mut Dice| {
                let from = dice.within(0, HEALED);
                (from, (from + dice.within(5 * SECOND, 4 * MINUTE)).min(HEALED))
            };
            (0..count).map(|_| one(dice)).collect()
        };
        let moods = [Mood::Refuses, Mood::Limits, Mood::TakesAndIsSilent, Mood::IsSilent];
        let mut all = Vec::new();
        for who in [Who::Desk, Who::Texts, Who::Calls, Who::Mail, Who::Programs, Who::Teams] {
            for (from, to) in windows(dice, 2) {
                all.push((who, from, to, *dice.pick(&moods)));
            }
        }
        let calm = dice.chance(300);
        let leaps = if dice.chance(150) { windows(dice, 2) } else { Vec::new() };
        Self {
            configuration: Arc::new(configuration(dice, estate.clone())),
            outages: (0..dice.within(1, 4)).map(|_| outage(dice)).collect(),
            moods: all,
            store_away: if calm { Vec::new() } else { windows(dice, 2) },
            lost: if calm { 0 } else { *dice.pick(&[0, 10, 50]) },
            deadly: if calm { 0 } else { *dice.pick(&[0, 5, 20]) },
            freezes: if dice.chance(300) { windows(dice, 2) } else { Vec::new() }
                .into_iter()
                .map(|(from, _)| (from, dice.within(SECOND, 100 * SECOND)))
                .collect(),
            leaps: leaps.into_iter().map(|(at, _)| (at, dice.within(-10 * MINUTE, 10 * MINUTE))).collect(),
            commands: windows(dice, 2).into_iter().map(|(at, _)| at).collect(),
            agents: windows(dice, 4).into_iter().map(|(at, _)| at + 3 * MINUTE).collect(),
            answers: *dice.pick(&[0, 300, 900]),
            renewed: if dice.chance(200) { dice.within(0, WELL) } else { 0 },
            message: *dice.pick(&["it broke", "no patient 943 476 5919 here", "no patient 9434765919"]),
        }
    }

    /// By how much the clock is set, all in all.
    fn leapt(&self) -> i64 {
        self.leaps.iter().map(|(_, by)| by).sum()
    }

    /// Whether the clock was not set lately, at this moment of the world: what waited for a clock that was ahead has caught up.
    pub(crate) fn is_steady(&self, at: i64) -> bool {
        self.leaps.iter().all(|(leap, _)| at < *leap || at > leap + LEAP_SETTLES)
    }

    /// The wall clock at a moment of the world after which it is not set any more.
    pub(crate) fn wall(&self, at: i64) -> Timestamp {
        hand::start() + SignedDuration::from_millis(at + self.leapt())
    }

    /// From when on the wall clock goes steadily to the end.
    pub(crate) fn steady_from(&self) -> Timestamp {
        self.leaps.iter().map(|(at, _)| self.wall(at + LEAP_SETTLES)).max().unwrap_or(Timestamp::MIN)
    }

    /// What a probe of an API sees at a moment.
    pub(crate) fn seen(&self, api: &str, environment: Environment, at: i64) -> Seen {
        let fails = |outage: &&Outage| {
            outage.api == api
                && outage.environment == environment
                && (outage.from..outage.to).contains(&at)
                && outage.flaps.is_none_or(|each| (at - outage.from) / each % 2 == 0)
        };
        self.outages.iter().find(fails).map_or(Seen::Pass, |outage| outage.seen)
    }

    /// The certificate that a probe of production is shown at a moment.
    pub(crate) fn certificate(&self, at: i64) -> Certificate {
        let (days, word) = if at < self.renewed { (14, "old") } else { (400, "new") };
        let not_after = hand::start() + SignedDuration::from_hours(24 * days);
        Certificate { not_after, fingerprint: word.to_owned() }
    }

    pub(crate) fn mood(&self, who: Who, at: i64) -> Mood {
        let now = |(of, from, to, _): &&(Who, i64, i64, Mood)| *of == who && (*from..*to).contains(&at);
        self.moods.iter().find(now).map_or(Mood::Well, |(.., mood)| *mood)
    }

    pub(crate) fn is_store_away(&self, at: i64) -> bool {
        self.store_away.iter().any(|(from, to)| (*from..*to).contains(&at))
    }
}

fn outage(dice: &mut Dice) -> Outage {
    let from = dice.within(0, 6 * MINUTE);
    let to = if dice.chance(400) { WELL } else { from + dice.within(20 * SECOND, 14 * MINUTE) };
    let seen = [Seen::Fail, Seen::Fail, Seen::Fail, Seen::Expired, Seen::Slow, Seen::Refused, Seen::Ours];
    Outage {
        api: dice.pick::<&'static str>(&["identity", "results", "documents"]),
        environment: if dice.chance(850) { Environment::Production } else { Environment::Sit },
        from,
        to,
        seen: *dice.pick(&seen),
        flaps: dice.chance(200).then(|| dice.within(MINUTE, 4 * MINUTE)),
    }
}

/// The estate of the rules' own tests, with one check an instance.
pub(crate) fn estate() -> Configuration {
    let mut estate = hand::configuration();
    let sit = hand::instance("identity", Environment::Sit);
    estate.checks.retain(|id, _| {
        let here = id.instance.environment == Environment::Production || id.instance == sit;
        here && id.operation.as_str() == "status"
    });
    for check in estate.checks.values_mut() {
        let mut other = (**check).clone();
        other.every = Duration::from_secs(30);
        *check = Arc::new(other);
    }
    for api in estate.apis.values_mut().map(Arc::make_mut).filter(|api| api.id != sit.api) {
        api.instances.remove(&Environment::Sit);
    }
    estate
}

/// What a major incident is, and who is on call, differs from run to run: a rota may have a hole.
fn configuration(dice: &mut Dice, mut configuration: Configuration) -> Configuration {
    if let Some(policy) = configuration.environments.get_mut(&Environment::Production)
        && let Some(major) = &mut policy.major
    {
        major.when = *dice.pick(&[Priority::P1, Priority::P2, Priority::P5]);
        policy.storm.more_than = *dice.pick(&[10, 10, 1]);
    }
    configuration.availability.critical = Objective::parse("99.9% in 30d").ok().filter(|_| dice.chance(300));
    let fallback_after = Some(Duration::from_secs(*dice.pick(&[20, 60, 300])));
    configuration.desks.values_mut().for_each(|desk| desk.fallback_after = fallback_after);
    if dice.chance(500) {
        configuration.people.values_mut().for_each(|person| person.ways.push(domain::Way::Voice));
    }
    if dice.chance(300) {
        configuration.people.values_mut().for_each(|person| person.ways.push(domain::Way::Webhook));
    }
    if dice.chance(500) {
        let all = [TeamWay::Email, TeamWay::Chat, TeamWay::Webhook, TeamWay::Pager];
        configuration.teams.values_mut().for_each(|team| team.ways = all.to_vec());
        configuration.environments.values_mut().for_each(|policy| policy.tell_provider = true);
    }
    let rota = configuration.rotas.get_mut(&RotaId::parse("platform").expect("an id")).expect("the rota");
    // It starts at 02:00: somebody else comes on call while people are called.
    if dice.chance(200) {
        let at = civil::time(2, i8::try_from(dice.within(1, 40)).expect("a minute"), 0, 0);
        rota.layers.iter_mut().for_each(|layer| layer.hand_over = HandOver::Every(1, at));
    }
    if dice.chance(150) {
        let (from, to) = (dice.within(-10, 20), dice.within(20, 60));
        let at = |minutes: i64| hand::start() + SignedDuration::from_mins(minutes);
        rota.layers.clear();
        let one = PersonId::parse("one").expect("an id");
        rota.overrides = vec![
            Override { person: one.clone(), from: Timestamp::MIN, to: at(from), added: None },
            Override { person: one, from: at(to), to: Timestamp::MAX, added: None },
        ];
    }
    configuration
}
