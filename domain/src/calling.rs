//! Callouts at work: who is called next, until a human answers (invariants 9 and 10).

use crate::{
    Callout, Configuration, Environment, Escalation, Incident, IncidentStatus, NotificationKind, Person,
    PersonId, RotaId, Running, Situation, Step, Target, Way, desk_asked, duty, fold::Fold, last_resort,
    rota_gap, telling,
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// From one round to the next where the steps leave no other measure.
const ROUND_GAP: Duration = Duration::from_secs(300);
/// A callout that no carrier took by then is given up: the next person will have been called. The last resort is
/// tried until it is called again.
pub(crate) const CALLOUT_EXPIRES: SignedDuration = SignedDuration::from_mins(10);
/// Callouts an incident keeps; of a person called more often, the earliest goes.
const MOST_CALLOUTS: usize = 100;
/// 12 characters of 5 bits: not to be guessed, and short enough for a text.
const REFERENCE_LENGTH: usize = 12;

/// Chooses the escalation by the hours, and starts it.
pub(crate) fn start(fold: &mut Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    let policy = configuration.policy(incident.environment).and_then(|policy| policy.major.as_ref());
    let Some((name, why)) = policy.map(|policy| choose(&configuration, policy, fold.now)) else {
        return;
    };
    let Some(escalation) = configuration.escalations.get(&name) else {
        return;
    };
    incident.note(fold.now, format!("escalation {name} starts: {why}"));
    let (mut escalation, all) = (escalation.clone(), escalation.steps.len());
    // Whom it means is as frozen as the rest: the API at fault may be found to be another.
    escalation.steps.retain_mut(|step| match step.call.meant(&configuration, incident.api.as_ref()) {
        Some(meant) => {
            step.call = meant;
            true
        }
        None => false,
    });
    if escalation.steps.len() < all {
        incident.note(fold.now, "no team with a rota answers for this: steps that call one are left out");
    }
    run(fold, incident, escalation);
}

pub(crate) fn choose(
    configuration: &Configuration,
    policy: &crate::MajorPolicy,
    now: Timestamp,
) -> (crate::EscalationId, String) {
    match configuration.hours.get(&policy.hours).map(|hours| hours.at(now)) {
        Some(opening) if opening.open => (policy.in_hours.clone(), opening.why),
        Some(opening) => (policy.out_of_hours.clone(), opening.why),
        None => (
            policy.out_of_hours.clone(),
            "the hours are not known: a needless call is safer than none".into(),
        ),
    }
}

pub(crate) fn run(fold: &Fold, incident: &mut Incident, escalation: Escalation) {
    let first = escalation.steps.first().map_or(Duration::ZERO, |step| step.after);
    // Of an incident that was over before: their numbers go on.
    let before = incident.escalation.take();
    let (callouts, desks) = before.map_or_else(Default::default, |before| (before.callouts, before.desks));
    incident.escalation = Some(Running {
        started_at: fold.now,
        round_at: fold.now,
        round: 1,
        next_step: 0,
        next_at: Some(fold.now + duty::signed(first)),
        anew_at: None,
        stopped: None,
        callouts,
        desks,
        escalation,
    });
}

/// Stops calling.
pub(crate) fn stop(incident: &mut Incident, why: &str) {
    if let Some(running) = &mut incident.escalation {
        running.next_at = None;
        running.stopped.get_or_insert_with(|| why.to_owned());
    }
}

/// The next step now: somebody said they cannot, or no carrier would take the call. `false`: the next has been called
/// already, or there is nobody beyond the last resort.
pub(crate) fn pass_on(incident: &mut Incident, callout: u32, now: Timestamp) -> bool {
    let Some(running) = &mut incident.escalation else {
        return false;
    };
    let began = running.started_at;
    let newest = |last: &Callout| last.number == callout && last.step > 0 && last.at >= began;
    let newest = running.callouts.last().is_some_and(newest);
    match running.next_at.filter(|_| newest) {
        Some(at) => {
            running.next_at = Some(at.min(now));
            true
        }
        None => false,
    }
}

/// Takes the step that is due.
pub(crate) fn step(fold: &mut Fold, incident: &mut Incident) {
    let Some(mut running) = incident.escalation.take() else {
        return;
    };
    let steps = running.escalation.steps.clone();
    if running.round > running.escalation.repeat {
        last_resort::call(fold, incident, &mut running);
    } else if let Some(step) = steps.get(running.next_step) {
        if running.next_step == 0 {
            // A round that begins early begins now.
            running.round_at = running.round_at.min(fold.now);
        }
        let asked = take(fold, incident, &mut running, step);
        advance(&mut running, step, &steps, fold.now);
        if !asked {
            running.next_at = Some(fold.now);
        }
    } else {
        // A round without steps cannot be configured; if it is, the last resort is next.
        running.round = running.escalation.repeat.saturating_add(1);
    }
    incident.escalation = Some(running);
}

/// Taken early or late, a step keeps the pause to the one after it.
fn advance(running: &mut Running, taken: &Step, steps: &[Step], now: Timestamp) {
    running.next_step += 1;
    if let Some(next) = steps.get(running.next_step) {
        running.next_at = Some(now + duty::signed(next.after.saturating_sub(taken.after)));
        return;
    }
    let widest = steps
        .iter()
        .zip(steps.iter().skip(1))
        .map(|(a, b)| b.after.saturating_sub(a.after))
        .max()
        .filter(|gap| !gap.is_zero())
        .unwrap_or(ROUND_GAP);
    running.round += 1;
    running.next_step = 0;
    running.round_at = now + duty::signed(widest);
    running.next_at = Some(running.round_at);
}

/// Whom `rota … next` of a running escalation means at `at`: whoever has come on call since this round called that rota, or the
/// next in turn who was not called in this round; where all were, the next in turn.
pub fn next_of(
    configuration: &Configuration,
    running: &Running,
    rota: &RotaId,
    at: Timestamp,
) -> Option<PersonId> {
    let known = configuration.rotas.get(rota)?;
    let mut before = running.escalation.steps.iter().take(running.next_step);
    let asked = before.any(|step| matches!(&step.call, Target::OnCall(called) if called == rota));
    let round = running.callouts.iter().filter(|callout| callout.at >= running.round_at);
    let on_call = known.on_call(at).map(|shift| shift.person);
    let uncalled = |person: &PersonId| round.clone().all(|callout| callout.person != *person);
    let new = on_call.filter(|person| asked && uncalled(person));
    let following = known.following(at);
    new.or_else(|| following.iter().find(|person| uncalled(person)).or(following.first()).cloned())
}

/// Whether somebody was asked.
fn take(fold: &mut Fold, incident: &mut Incident, running: &mut Running, step: &Step) -> bool {
    let number = u32::try_from(running.next_step).unwrap_or(u32::MAX).saturating_add(1);
    let configuration = fold.configuration();
    let person = match &step.call {
        Target::Person(person) => Some(person.clone()),
        Target::OnCall(rota) => {
            let known = configuration.rotas.get(rota);
            let shift = known.and_then(|rota| rota.on_call(fold.now));
            if known.is_none() {
                incident.note(fold.now, format!("step {number}: there is no rota {rota} any more"));
            } else if shift.is_none() {
                rota_gap::nobody_on_call(fold, incident, rota);
            }
            shift.map(|shift| shift.person)
        }
        Target::Next(rota) => next_of(&configuration, running, rota, fold.now),
        // Of an escalation that runs, each stands for its rota.
        Target::Team(_) | Target::Provider => None,
        // One that has not confirmed the ticket may not even be there, and one that has closed it reads no more of it: nobody waits
        // for it.
        Target::Desk(desk) if !desk_asked::can_be_asked(incident) => {
            let text = format!("step {number}: {} has no open ticket to be asked through", fold.desk(desk));
            incident.note(fold.now, text);
            return false;
        }
        Target::Desk(desk) => {
            incident.note(
                fold.now,
                format!("step {number}: {} asked through the ticket to take it", fold.desk(desk)),
            );
            desk_asked::ask(fold, incident, running, (desk, REFERENCE_LENGTH));
            return true;
        }
    };
    let called = person.is_some_and(|person| call(fold, incident, running, &person, &step.by, number));
    if !called {
        incident.note(fold.now, format!("step {number}: nobody to call; on to the next step"));
    }
    called
}

/// Whether there is such a person, and a way to them.
pub(crate) fn call(
    fold: &mut Fold,
    incident: &mut Incident,
    running: &mut Running,
    person: &PersonId,
    by: &[Way],
    step: u32,
) -> bool {
    let configuration = fold.configuration();
    let Some(known) = configuration.people.get(person).filter(|known| !known.ways.is_empty()) else {
        return false;
    };
    let lasts = if step == 0 { last_resort::AGAIN } else { CALLOUT_EXPIRES };
    let asked: Vec<Way> = known.ways.iter().copied().filter(|way| by.contains(way)).collect();
    let ways = if asked.is_empty() { unasked(known, incident, step) } else { asked };
    place(fold, incident, running, (person, &known.name, ways), step, lasts);
    true
}

/// The ways of a step that names none that they have: all at once, or the first of their own order; two for what is gravest, and
/// all of them when nobody else is left.
fn unasked(known: &Person, incident: &Incident, step: u32) -> Vec<Way> {
    let most = match (known.in_turn, step, incident.priority.number()) {
        (false, _, _) | (true, 0, _) => known.ways.len(),
        (true, _, 1) => 2,
        (true, _, _) => 1,
    };
    known.ways.iter().copied().take(most).collect()
}

/// Calls this one person, and nobody after them: whether it reaches them is to be seen within `lasts`.
pub(crate) fn call_for(
    fold: &mut Fold,
    incident: &mut Incident,
    running: &mut Running,
    (person, ways): (&PersonId, Vec<Way>),
    lasts: SignedDuration,
) {
    let name = fold.person(person);
    place(fold, incident, running, (person, &name, ways), 1, lasts);
}

fn place(
    fold: &mut Fold,
    incident: &mut Incident,
    running: &mut Running,
    (person, name, ways): (&PersonId, &str, Vec<Way>),
    step: u32,
    lasts: SignedDuration,
) {
    let number = running.callouts.last().map_or(1, |last| last.number.saturating_add(1));
    if running.callouts.len() >= MOST_CALLOUTS
        && let Some(earlier) = running.callouts.iter().position(|callout| callout.person == *person)
    {
        running.callouts.remove(earlier);
    }
    for way in &ways {
        telling::send(
            fold,
            incident.id,
            &format!("callout/{number}/{}", way.word()),
            NotificationKind::Callout { callout: number },
            telling::person_channel(*way, person.clone()),
            lasts,
        );
    }
    let by_words: Vec<&str> = ways.iter().map(|way| way.word()).collect();
    let what =
        if step == 0 { "last resort".to_owned() } else { format!("step {step}, round {}", running.round) };
    incident.note(fold.now, format!("{what}: {name} called by {}", by_words.join(" and ")));
    running.callouts.push(Callout {
        number,
        person: person.clone(),
        ways,
        step,
        at: fold.now,
        reference: fold.after.key.word(&format!("{}/{person}", incident.id), REFERENCE_LENGTH),
        accepted: Vec::new(),
        given_up: Vec::new(),
        delivered: Vec::new(),
        delivered_at: None,
        unclear: Vec::new(),
        stood_down: Vec::new(),
        replies: Vec::new(),
        answer: None,
    });
}

impl Situation {
    /// The incident and the callout of a reference, newest first: what `/ack/{reference}` is about.
    /// A person called twice about the same incident has one reference.
    pub fn callout(&self, reference: &str) -> Option<(&Incident, &Callout)> {
        self.incidents.values().rev().find_map(|incident| {
            let callouts = &incident.escalation.as_ref()?.callouts;
            let callout = callouts.iter().rev().find(|callout| callout.reference == reference)?;
            Some((incident.as_ref(), callout))
        })
    }

    /// Whether it is a major incident, of production or of where else majors call out, that nobody has answered and that is not
    /// over: somebody must have a next action (invariant 10).
    pub fn is_waiting_for_a_human(&self, incident: &Incident) -> bool {
        let policy = self.configuration.policy(incident.environment);
        incident.status == IncidentStatus::Open
            && incident.major.is_some()
            && (incident.environment == Environment::Production
                || policy.is_some_and(|policy| policy.major.is_some()))
    }
}
