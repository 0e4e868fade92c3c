//! What will be trouble if nobody acts before: told weeks ahead, in office hours, and never by a call.

mod words;

use crate::{
    ApiId, Cause, Environment, Health, Incident, InstanceId, Outcome, Priority, RotaId, Situation, Status,
    Target, TrackId, cause::open, clock_set, daily_test, desk, duty, fold::Fold, rota_gap, shown,
};
use jiff::{SignedDuration, Timestamp, civil::Time};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

const fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// By then whatever renews certificates by itself has done so, and whoever does it by hand has time.
const CERTIFICATE: SignedDuration = days(21);
/// Ours, and a secret of ours, is renewed by asking others for one.
const OURS: SignedDuration = days(30);
/// Who uses an API needs a quarter of a year to move.
const SUNSET: SignedDuration = days(90);
/// The dates of a year are published long before it; they come with a new program.
const BANK_HOLIDAYS: SignedDuration = days(365);
/// A gap in a rota.
const GAP: SignedDuration = days(14);
/// The next one shows: a day, of 25 hours at the longest.
const DAILY_TEST: SignedDuration = days(2);
/// A gap so near has to be filled now.
const GAP_IS_NEAR: SignedDuration = SignedDuration::from_hours(72);
/// So far beyond them gaps are looked for, so that nothing has to be worked out again before.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(12);

/// What will be trouble.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ahead {
    /// A certificate that instances show ends: hex SHA-256. One on sixty instances is one cause.
    Certificate(String),
    /// A certificate that we show ends; a word for its chain.
    OwnCertificate(String),
    /// A secret of ours ends, which is no certificate: its reference in the configuration.
    OwnSecret(String),
    /// An instance in production says when it will be gone (RFC 8594); or was to be, and still answers.
    Sunset(InstanceId),
    /// A rota from which people are called has nobody for a while.
    Rota(RotaId),
    /// The table of bank holidays ends.
    BankHolidays,
    /// The last daily test call did not arrive: a real one may not.
    DailyTest,
    /// Our own clock was set.
    Clock,
}

impl fmt::Display for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(fingerprint) => write!(f, "certificate:{fingerprint}"),
            Self::OwnCertificate(word) => write!(f, "own_certificate:{word}"),
            Self::OwnSecret(reference) => write!(f, "own_secret:{reference}"),
            Self::Sunset(instance) => write!(f, "sunset:{instance}"),
            Self::Rota(rota) => write!(f, "rota:{rota}"),
            Self::BankHolidays => f.write_str("bank_holidays"),
            Self::DailyTest => f.write_str("daily_test"),
            Self::Clock => f.write_str("clock"),
        }
    }
}

/// What is known of it.
struct Foreseen {
    at: Timestamp,
    affects: BTreeSet<InstanceId>,
}

/// All that is foreseen as things stand, and when that has to be worked out again.
struct Outlook {
    foreseen: BTreeMap<Ahead, Foreseen>,
    until: Timestamp,
    now: Timestamp,
}

impl Outlook {
    /// `what` comes at `at`, and is told so long ahead.
    fn add(&mut self, what: Ahead, at: Timestamp, ahead: SignedDuration, affects: Option<&InstanceId>) {
        let from = at.checked_sub(ahead).unwrap_or(Timestamp::MIN);
        if self.now < from {
            self.until = self.until.min(from);
            return;
        }
        let known = self.foreseen.entry(what).or_insert_with(|| Foreseen { at, affects: BTreeSet::new() });
        known.at = known.at.min(at);
        if self.now < at {
            self.until = self.until.min(at);
        }
        known.affects.extend(affects.cloned());
    }
}

/// Opens, keeps and ends what is foreseen, unless nothing can have changed since that was last worked out.
pub(crate) fn ahead(fold: &mut Fold) {
    if fold.after.foreseen_until.is_some_and(|until| fold.now < until) {
        return;
    }
    for (rota, environment) in callers(&fold.after) {
        let attended =
            fold.after.configuration.rotas.get(&rota).is_none_or(|rota| rota.on_call(fold.now).is_some());
        if !attended {
            rota_gap::gap(fold, environment, &rota);
        }
    }
    let outlook = outlook(fold);
    let open: Vec<Incident> = fold.after.open_incidents().map(|incident| (**incident).clone()).collect();
    for incident in open {
        let Cause::Ahead(what) = &incident.cause else { continue };
        if outlook.foreseen.contains_key(what) || !is_known_to_be_over(&fold.after, what, &incident, fold.now)
        {
            continue;
        }
        let here = if let Ahead::Rota(rota) = what {
            fold.after.open_incident(&Cause::Rota(rota.clone())).map(|here| here.id)
        } else {
            None
        };
        match here {
            Some(id) => duty::taken_in(fold, incident, id, "nobody is on call now"),
            None => duty::resolve(fold, incident, "it is no longer ahead"),
        }
    }
    for (what, foreseen) in outlook.foreseen {
        comes(fold, what, &foreseen);
    }
    fold.after.foreseen_until = Some(outlook.until);
}

/// An outcome says something of what is ahead that its check had not said before.
pub(crate) fn heard(fold: &mut Fold, track: &TrackId, outcome: &Outcome) {
    shown::heard(fold, track, outcome);
    let before = fold.after.latest.get(track);
    let before = before.and_then(|latest| latest.outcome.as_ref());
    if before.is_none_or(|before| said(before) != said(outcome)) {
        fold.after.foreseen_until = None;
    }
}

fn said(outcome: &Outcome) -> (Option<Timestamp>, bool) {
    (outcome.deprecation.as_ref().and_then(|goes| goes.sunset), speaks(outcome))
}

/// Who is called from a rota, where: an environment in which majors call, that which matters most.
fn callers(situation: &Situation) -> BTreeMap<RotaId, Environment> {
    let configuration = &situation.configuration;
    let mut callers = BTreeMap::new();
    for environment in Environment::ALL {
        let major = configuration.policy(environment).and_then(|policy| policy.major.as_ref());
        let names = major.into_iter().flat_map(|major| [&major.in_hours, &major.out_of_hours]);
        let steps = names.filter_map(|name| configuration.escalations.get(name)).flat_map(|e| &e.steps);
        for step in steps {
            for meant in step.call.all_meant(configuration, environment) {
                if let Target::OnCall(rota) = meant {
                    callers.insert(rota, environment);
                }
            }
        }
    }
    callers
}

fn outlook(fold: &Fold) -> Outlook {
    let now = fold.now;
    let configuration = fold.configuration();
    let mut outlook = Outlook { foreseen: BTreeMap::new(), until: Timestamp::MAX, now };
    for (id, latest) in fold.after.latest.iter() {
        let instance = &id.check.instance;
        let Some(outcome) = &latest.outcome else { continue };
        if configuration.policy(instance.environment).is_none() {
            continue;
        }
        if let Some(shown) = fold.after.shown.get(id) {
            if let Some(certificate) = shown.first_to_end(now) {
                let what = Ahead::Certificate(certificate.fingerprint.clone());
                outlook.add(what, certificate.not_after, CERTIFICATE, Some(instance));
            }
            let ends = shown.first_to_end(now).map(|certificate| certificate.not_after);
            for next in [Some(shown.long_heard_at(&fold.after, id)), ends].into_iter().flatten() {
                outlook.until = if now < next { outlook.until.min(next) } else { outlook.until };
            }
        }
        let sunset = outcome.deprecation.as_ref().and_then(|goes| goes.sunset);
        if let Some(at) = sunset.filter(|_| instance.environment == Environment::Production) {
            outlook.add(Ahead::Sunset(instance.clone()), at, SUNSET, Some(instance));
        }
    }
    for check in configuration.checks.values() {
        let shown = check.credential.as_ref().and_then(|credential| credential.certificate.as_ref());
        if let Some((certificate, ends)) = shown.and_then(|shown| Some((shown, shown.ends?))) {
            let word = fold.after.key.word(certificate.chain.reveal(), 12);
            outlook.add(Ahead::OwnCertificate(word), ends, OURS, Some(&check.id.instance));
        }
    }
    for certificate in configuration.desks.values().filter_map(|desk| desk.certificate.as_ref()) {
        if let Some(ends) = certificate.ends {
            let word = fold.after.key.word(certificate.chain.reveal(), 12);
            outlook.add(Ahead::OwnCertificate(word), ends, OURS, None);
        }
    }
    for (reference, ends) in &configuration.secrets_end {
        let what = || Ahead::OwnSecret(reference.clone());
        outlook.add(what(), ends.at, OURS, None);
        let known = |instance: &&InstanceId| configuration.policy(instance.environment).is_some();
        for instance in ends.shown_to.iter().filter(known) {
            outlook.add(what(), ends.at, OURS, Some(instance));
        }
    }
    let known = configuration.hours.values().filter_map(|hours| hours.bank_holidays.as_ref());
    if let Some(until) = known.map(|known| known.known_until()).min() {
        let last = until.to_datetime(Time::MAX).to_zoned(configuration.site.time_zone.clone());
        if let Ok(last) = last {
            outlook.add(Ahead::BankHolidays, last.timestamp(), BANK_HOLIDAYS, None);
        }
    }
    if let Some(next) = daily_test::failed(&fold.after, now) {
        outlook.add(Ahead::DailyTest, next, DAILY_TEST, None);
        outlook.until = outlook.until.min(next);
    }
    let seen_by = clock_set::last(&fold.after).and_then(|at| at.checked_add(clock_set::SEEN_WITHIN).ok());
    if let Some(at) = seen_by.filter(|at| now < *at) {
        outlook.add(Ahead::Clock, at, clock_set::SEEN_WITHIN, None);
    }
    for id in callers(&fold.after).into_keys() {
        let Some(rota) = configuration.rotas.get(&id) else { continue };
        outlook.until = outlook.until.min(now + LOOK_AGAIN);
        for (from, _) in rota.gaps(now, now + GAP + LOOK_AGAIN).into_iter().filter(|(from, _)| *from > now) {
            outlook.add(Ahead::Rota(id.clone()), from, GAP, None);
            for next in [from.saturating_sub(GAP_IS_NEAR), Ok(from)].into_iter().flatten() {
                if next > now {
                    outlook.until = outlook.until.min(next);
                }
            }
        }
    }
    outlook
}

/// What was foreseen from what instances said goes on while one of them has not said otherwise: after a start nothing is
/// known of them yet.
fn is_known_to_be_over(situation: &Situation, what: &Ahead, incident: &Incident, now: Timestamp) -> bool {
    let configured = |instance: &InstanceId| situation.configuration.checks_of(instance).next().is_some();
    match what {
        Ahead::Certificate(_) => incident.affects.iter().all(|instance| {
            let mut shown = situation.shown.iter().filter(|(id, _)| id.check.instance == *instance);
            !configured(instance) || shown.any(|(id, shown)| shown.long_heard_at(situation, id) <= now)
        }),
        Ahead::Sunset(instance) => {
            let mut outcomes = situation.latest.iter().filter(|(id, _)| id.check.instance == *instance);
            !configured(instance) || outcomes.any(|(_, latest)| latest.outcome.as_deref().is_some_and(speaks))
        }
        Ahead::OwnCertificate(_)
        | Ahead::OwnSecret(_)
        | Ahead::Rota(_)
        | Ahead::BankHolidays
        | Ahead::DailyTest
        | Ahead::Clock => true,
    }
}

/// Whether it is the API that says something: what a gateway says when it cannot reach it is not.
const fn speaks(outcome: &Outcome) -> bool {
    outcome.http.is_some() && outcome.failure.is_none()
}

fn comes(fold: &mut Fold, what: Ahead, foreseen: &Foreseen) {
    let diagnosis = words::words(&what, foreseen, fold);
    let priority = priority(&what, foreseen.at, fold.now);
    let cause = Cause::Ahead(what);
    let known = fold.after.open_incident(&cause).map(|incident| incident.id);
    let id = if let Some(id) = known {
        id
    } else {
        // What is over already shows by itself; what was to be gone and answers does not.
        if foreseen.at <= fold.now && !matches!(cause, Cause::Ahead(Ahead::Sunset(_))) {
            return;
        }
        let Some(instance) = instance(fold, &cause, foreseen) else { return };
        let (since, status) = (fold.now, Status::Operational);
        let health = Health { instance, status, since, layer: None, maintenance: false };
        open(fold, cause, &health, diagnosis.clone())
    };
    let Some(mut incident) = fold.incident(id) else { return };
    if known.is_none() {
        incident.evidence.clear();
        incident.affects.clear();
        incident.api = None;
    }
    let more: Vec<InstanceId> =
        foreseen.affects.iter().filter(|instance| !incident.affects.contains(instance)).cloned().collect();
    if !more.is_empty() {
        incident.affects.extend(more);
        let apis: BTreeSet<&ApiId> = incident.affects.iter().map(|instance| &instance.api).collect();
        incident.api = apis.first().filter(|_| apis.len() == 1).map(|api| (*api).clone());
    }
    incident.diagnosis = diagnosis;
    if priority < incident.priority && incident.rank.set.is_none() {
        let text = format!("{} → {priority}: {}", incident.priority, incident.diagnosis.en);
        incident.note(fold.now, text.clone());
        let before = std::mem::replace(&mut incident.priority, priority);
        desk::priority_changed(fold, &mut incident, before, text);
    }
    fold.put_incident(incident);
}

fn priority(what: &Ahead, at: Timestamp, now: Timestamp) -> Priority {
    match what {
        Ahead::Rota(_) if at.duration_since(now) <= GAP_IS_NEAR => Priority::P2,
        Ahead::Rota(_)
        | Ahead::Certificate(_)
        | Ahead::OwnCertificate(_)
        | Ahead::OwnSecret(_)
        | Ahead::Sunset(_)
        | Ahead::BankHolidays
        | Ahead::DailyTest
        | Ahead::Clock => Priority::P4,
    }
}

/// The instance whose environment's policy says who is told: that which matters most.
fn instance(fold: &Fold, cause: &Cause, foreseen: &Foreseen) -> Option<InstanceId> {
    let order = |environment: Environment| Environment::ALL.iter().position(|known| *known == environment);
    if let Some(instance) = foreseen.affects.iter().max_by_key(|instance| order(instance.environment)) {
        return Some(instance.clone());
    }
    let configuration = &fold.after.configuration;
    let environment = if let Cause::Ahead(Ahead::Rota(rota)) = cause {
        callers(&fold.after).get(rota).copied()
    } else {
        configuration.environments.keys().next_back().copied()
    };
    let api = configuration.apis.keys().next()?.clone();
    Some(InstanceId { api, environment: environment? })
}
