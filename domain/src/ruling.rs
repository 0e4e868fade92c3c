//! What a human decides of an incident's weight: recorded with who and why, and no rule changes it any more.

use crate::{
    Cell, Incident, Major, Priority, calling, desk, duty,
    fold::Fold,
    holding,
    plan::next_call,
    stand_down::{Relief, stand_down},
    telling,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a human decided, in place of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// How an incident came to the weight that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rank {
    /// The cell of the matrix that the rules' priority comes from: the highest that it has had. `None`: it is in none.
    pub cell: Option<Cell>,
    /// A human set its priority; `None`: the rules do.
    pub set: Option<Ruling>,
    /// A human says that it is no major incident; `None`: the rules may declare one.
    pub not_major: Option<Ruling>,
}

impl Incident {
    /// Who says that it is no major incident, while that holds.
    pub fn not_major(&self) -> Option<&Ruling> {
        self.rank.not_major.as_ref()
    }
}

/// A human sets the priority.
pub(crate) fn set_priority(
    fold: &mut Fold,
    mut incident: Incident,
    (by, why): (&str, &str),
    priority: Priority,
) -> String {
    let (id, before) = (incident.id, incident.priority);
    let said = |set: &Ruling| set.by == by && set.why == why;
    if before == priority && incident.rank.set.as_ref().is_some_and(said) {
        return format!("{id} is {priority} already");
    }
    incident.rank.set = Some(Ruling { at: fold.now, by: by.to_owned(), why: why.to_owned() });
    incident.priority = priority;
    holding::sign_of_life(fold, &mut incident);
    let (note, told) = if before == priority {
        let told = format!("{by} keeps the priority at {priority}: {why}. No rule changes it any more.");
        (format!("{by} keeps it at {priority}: {why}"), told)
    } else {
        let told = format!(
            "Priority set to {priority} by {by}, {before} before: {why}. No rule changes it any more."
        );
        (format!("{before} → {priority}, set by {by}: {why}"), told)
    };
    incident.note(fold.now, note);
    let at_desk = incident.flaps.weighed.take().unwrap_or(before);
    desk::priority_changed(fold, &mut incident, at_desk, told);
    let follows = if incident.major.is_some() {
        format!(
            "; it is a major incident all the same: `curiad incident declare {id} --not-major` takes that back"
        )
    } else if duty::majors(fold, &incident).is_some() {
        ", and now a major incident".to_owned()
    } else {
        String::new()
    };
    fold.put_incident(incident);
    format!("{id} is {priority}, and no rule changes it any more{follows}")
}

/// A human says that it is a major incident.
pub(crate) fn declare(
    fold: &mut Fold,
    mut incident: Incident,
    by: &str,
    why: &str,
) -> Result<String, String> {
    let id = incident.id;
    if let Some(major) = incident.major.as_mut().filter(|major| major.proposed) {
        // Who has it has it, and who is called is called.
        *major = Major { by: Some(by.to_owned()), why: why.to_owned(), proposed: false, at: major.at };
        holding::sign_of_life(fold, &mut incident);
        incident.note(fold.now, format!("{by} declares the major incident that was proposed: {why}"));
    } else if let Some(major) = &incident.major {
        let since = fold.time(major.at);
        return Err(format!("{id} is a major incident since {since}"));
    } else {
        incident.note(fold.now, format!("{by} declares a major incident: {why}"));
        incident.rank.not_major = None;
        let major = Major { at: fold.now, why: why.to_owned(), by: Some(by.to_owned()), proposed: false };
        duty::becomes_major(fold, &mut incident, major);
    }
    telling::work_note(fold, &mut incident, format!("Declared a major incident by {by}: {why}"));
    fold.put_incident(incident.clone());
    Ok(format!("{id} is a major incident; {}", who_is_called(fold, &incident)))
}

/// Whom a major incident calls: whoever declares one believes that people come.
fn who_is_called(fold: &Fold, incident: &Incident) -> String {
    let (situation, environment) = (&fold.after, incident.environment);
    if situation.configuration.policy(environment).is_none_or(|policy| policy.major.is_none()) {
        return format!("nobody is called out in {environment}");
    }
    if let Some(taken) = &incident.acknowledged {
        return format!("{} has it", taken.by);
    }
    match next_call(situation, incident, fold.now) {
        Some(next) => {
            format!("{} is called at {}", next.who.unwrap_or_else(|| "nobody".to_owned()), fold.time(next.at))
        }
        None => "nobody is called while it works again".to_owned(),
    }
}

/// A human says that it is none: nobody else is called, and no rule declares it again. It goes on as any other.
pub(crate) fn take_back(
    fold: &mut Fold,
    mut incident: Incident,
    by: &str,
    why: &str,
) -> Result<String, String> {
    let id = incident.id;
    match incident.not_major() {
        Some(said) if said.by == by && said.why == why => {
            return Ok(format!("{id} is no major incident already"));
        }
        Some(said) => {
            let since = fold.time(said.at);
            return Err(format!("{id} is no major incident, says {} since {since}", said.by));
        }
        None => {}
    }
    let was = incident.major.take();
    incident.rank.not_major = Some(Ruling { at: fold.now, by: by.to_owned(), why: why.to_owned() });
    if let Some(taken) = &mut incident.acknowledged {
        taken.until = None;
    }
    let what = match &was {
        Some(major) if major.proposed => "no major incident, as was proposed",
        Some(_) => "no major incident any more",
        None => "no major incident, whatever a rule says",
    };
    incident.note(fold.now, format!("{what}, says {by}: {why}"));
    let calls = incident.escalation.as_ref().is_some_and(|running| running.next_at.is_some());
    calling::stop(&mut incident, &format!("no major incident, says {by}"));
    let taken = incident.acknowledged.clone();
    let mut told = format!("Not a major incident, says {by}: {why}.");
    if calls {
        told.push_str(" On-call staff are no longer called.");
    }
    telling::work_note(fold, &mut incident, told);
    // Where somebody has it, the others have heard that.
    stand_down(fold, &mut incident, Relief::NotMajor(by), |person, name| {
        name == by || taken.as_ref().is_some_and(|taken| taken.person.as_ref() != Some(person))
    });
    fold.put_incident(incident);
    Ok(format!("{id} is no major incident, and no rule declares it one"))
}
