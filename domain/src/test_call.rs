//! Test calls: somebody is called by the very way of a real callout, so that it is known to reach them. Nothing is wrong, so
//! nobody else hears of it: no ticket, no page, no figure, no other person.

use crate::{
    Answer, Cause, DutyBegins, Environment, Escalation, EscalationId, Flaps, Incident, IncidentStatus,
    Language, PersonId, Priority, Running, Site, Status, Step, Target, Text, Ticket, Way, calling,
    daily_test, fold::Fold, shift_reminder, telling,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A test that nobody answered is over after so long.
const LASTS: SignedDuration = SignedDuration::from_hours(1);
/// Nobody waits longer for one to begin: what was asked for while nothing recorded calls nobody in the night.
const WANTED: SignedDuration = SignedDuration::from_mins(2);
/// Whatever has not arrived by then would have come too late at night.
pub(crate) const DAILY_LASTS: SignedDuration = SignedDuration::from_mins(15);

/// Who is called to see whether it reaches them, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestCall {
    /// Somebody asked for it.
    Asked(PersonId),
    /// Their shift begins.
    BeforeShift(DutyBegins),
    /// A machine is called, as every day.
    Daily {
        /// Who that is.
        person: PersonId,
        /// The day, by the site's clock.
        on: Date,
    },
}

impl fmt::Display for TestCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked(person) => write!(f, "{person}"),
            Self::BeforeShift(begins) => write!(f, "{begins}"),
            Self::Daily { person, on } => write!(f, "{person}/{on}"),
        }
    }
}

impl TestCall {
    /// Who is called.
    pub const fn person(&self) -> &PersonId {
        match self {
            Self::Asked(person)
            | Self::BeforeShift(DutyBegins { person, .. })
            | Self::Daily { person, .. } => person,
        }
    }

    /// When one that began at `opened_at` is over if nobody answers.
    pub(crate) fn ends_at(&self, opened_at: Timestamp) -> Timestamp {
        match self {
            Self::Asked(_) => opened_at + LASTS,
            Self::BeforeShift(begins) => begins.from,
            Self::Daily { .. } => opened_at + DAILY_LASTS,
        }
    }

    /// By which of the `known` ways: all that a call would take, or one quiet word by that which wakes them.
    fn ways(&self, known: &[Way]) -> Vec<Way> {
        match self {
            Self::Asked(_) | Self::Daily { .. } => known.to_vec(),
            Self::BeforeShift(_) => {
                let quiet = known.iter().copied().find(|way| *way != Way::Voice);
                quiet.or_else(|| known.first().copied()).into_iter().collect()
            }
        }
    }

    /// What there is to say of it.
    fn words(&self, site: &Site) -> Text {
        let Self::BeforeShift(begins) = self else {
            return Text::new("This is a test. Nothing is wrong.", "Prawf yw hwn. Nid oes dim o’i le.");
        };
        let (rota, local) = (&begins.rota, begins.from.to_zoned(site.time_zone.clone()));
        let time = local.strftime("%H:%M %Z");
        let on = |language: Language| format!("{} {}", local.day(), language.month(local.date()));
        Text::new(
            format!(
                "Nothing is wrong. You are first on call on the rota {rota} from {time} on {}.",
                on(Language::En)
            ),
            format!(
                "Nid oes dim o’i le. Chi sydd gyntaf ar alw ar y rota {rota} o {time} ar {}.",
                on(Language::Cy)
            ),
        )
    }
}

impl Incident {
    /// Whether it is a test of whether somebody is reached: then nothing is wrong.
    pub const fn is_test(&self) -> bool {
        matches!(self.cause, Cause::Test(_))
    }
}

/// Somebody asks at `at` for a person to be called.
pub(crate) fn ask(fold: &mut Fold, by: &str, person: &PersonId, at: Timestamp) -> Result<String, String> {
    let test = TestCall::Asked(person.clone());
    let name = fold.person(person);
    if fold.now.duration_since(at) > WANTED {
        return Err(format!(
            "that test was asked for at {}, and nobody waits for it any more",
            fold.time(at)
        ));
    }
    // Nobody who is called because something is wrong is to read that nothing is.
    let called = |incident: &Incident| {
        let running = incident.escalation.as_ref().filter(|running| running.stopped.is_none());
        running.is_some_and(|running| running.callouts.iter().any(|callout| callout.person == *person))
    };
    if let Some(open) = fold.after.open_incidents().find(|open| !open.is_test() && called(open)) {
        return Err(format!("{name} is called for {}: no test while that goes on", open.id));
    }
    if let Some(open) = fold.after.open_incident(&Cause::Test(test.clone())) {
        return Err(format!("{name} is called for a test already ({}), and has not answered yet", open.id));
    }
    let why = format!("{by} asks whether {name} is reached");
    if call(fold, test, why) {
        Ok(format!("{name} is called, for a test"))
    } else {
        Err(format!("there is nobody called {person}"))
    }
}

/// Calls. `false`: there is nobody to be called.
pub(crate) fn call(fold: &mut Fold, test: TestCall, why: String) -> bool {
    let Ok(id) = EscalationId::parse("test-call") else { return false };
    let step = Step { call: Target::Person(test.person().clone()), by: Vec::new(), after: Duration::ZERO };
    let (now, person) = (fold.now, test.person().clone());
    let mut running = Running {
        escalation: Escalation { id, steps: vec![step], repeat: 1, last_resort: Vec::new() },
        started_at: now,
        round_at: now,
        round: 1,
        next_step: 1,
        next_at: None,
        anew_at: None,
        stopped: None,
        callouts: Vec::new(),
        desks: Vec::new(),
    };
    let configuration = fold.configuration();
    let ways = configuration.people.get(&person).map_or_else(Vec::new, |known| test.ways(&known.ways));
    if ways.is_empty() {
        return false;
    }
    let lasts = test.ends_at(now).duration_since(now);
    let diagnosis = test.words(&configuration.site);
    let mut incident = Incident {
        id: fold.number_incident(),
        cause: Cause::Test(test),
        status: IncidentStatus::Open,
        priority: Priority::P5,
        major: None,
        environment: Environment::Production,
        api: None,
        affects: Vec::new(),
        held_back: Vec::new(),
        worst: Status::Operational,
        layer: None,
        diagnosis,
        evidence: Vec::new(),
        background: Vec::new(),
        started_at: now,
        opened_at: now,
        flaps: Flaps::default(),
        acknowledged: None,
        recovered_at: None,
        resolved_at: None,
        ticket: Ticket::None,
        rank: crate::Rank::default(),
        earlier_tickets: Vec::new(),
        gathered: Vec::new(),
        nudged: Vec::new(),
        escalation: None,
        first_answer: None,
        part_of: None,
        outlasted: None,
        told_at: None,
        told: None,
        alerts: Vec::new(),
        timeline: Vec::new(),
        posts: Vec::new(),
    };
    incident.note(now, why);
    calling::call_for(fold, &mut incident, &mut running, (&person, ways), lasts);
    incident.escalation = Some(running);
    fold.put_incident(incident);
    true
}

/// They answered, whatever they said: it reached them.
pub(crate) fn answered(
    fold: &mut Fold,
    mut incident: Incident,
    number: u32,
    at: Timestamp,
    answer: Answer,
) -> String {
    let Some(callout) = incident.callout_mut(number) else { return String::new() };
    callout.answer.get_or_insert((at, answer));
    let name = fold.person(&callout.person.clone());
    if incident.is_open() {
        over(fold, incident, &format!("{name} has answered"));
    } else {
        fold.put_incident(incident);
    }
    format!("{name} has answered the test")
}

/// Its time is over.
pub(crate) fn run_out(fold: &mut Fold, incident: Incident) -> Incident {
    let Cause::Test(test) = &incident.cause else { return incident };
    let why = match test {
        TestCall::Daily { .. } if daily_test::arrived(&incident) => "it arrived",
        TestCall::Daily { .. } => "it did not arrive in time",
        TestCall::BeforeShift(_) => "the shift has begun",
        TestCall::Asked(_) => "nobody answered in time",
    };
    over(fold, incident, why)
}

/// Whoever is to be called for a test by now is called, unless nobody was to be yet when that was last worked out.
pub(crate) fn due(fold: &mut Fold) {
    if fold.late || fold.after.tests_at.is_some_and(|at| fold.now < at) {
        return;
    }
    let next = shift_reminder::remind(fold).min(daily_test::call(fold));
    fold.after.tests_at = Some(next);
}

/// Over: what was not sent is not to be sent any more, and nobody is told.
pub(crate) fn over(fold: &mut Fold, mut incident: Incident, why: &str) -> Incident {
    incident.status = IncidentStatus::Resolved;
    incident.resolved_at = Some(fold.now);
    incident.note(fold.now, format!("the test is over: {why}"));
    fold.after.foreseen_until = None;
    calling::stop(&mut incident, "the test is over");
    let unsent: Vec<(u32, Way)> = incident
        .escalation
        .iter()
        .flat_map(|running| &running.callouts)
        .flat_map(|callout| callout.ways.iter().map(|way| (callout.number, *way)))
        .collect();
    for (number, way) in unsent {
        let key = telling::key(fold, incident.id, &format!("callout/{number}/{}", way.word()));
        fold.withdraw(key);
    }
    fold.put_incident(incident.clone());
    incident
}
