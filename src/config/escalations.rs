//! The ordered steps of callouts.

use super::{
    names::Noun,
    problem::{Place, Rank},
    reading::Reading,
    section::Section,
    tree::Node,
};
use domain::{DeskId, EscalationId, PersonId, RotaId, Step, Target, TeamId, Way};
use std::time::Duration;

/// An escalation, before it has its name, and where its steps stand.
pub(super) struct EscalationDraft {
    pub steps: Vec<(Step, Place)>,
    pub repeat: u32,
    pub last_resort: Vec<PersonId>,
    pub place: Place,
}

impl EscalationDraft {
    /// The escalation of this name.
    pub(super) fn named(&self, id: EscalationId) -> domain::Escalation {
        domain::Escalation {
            id,
            steps: self.steps.iter().map(|(step, _)| step.clone()).collect(),
            repeat: self.repeat,
            last_resort: self.last_resort.clone(),
        }
    }
}

/// Reads an escalation.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<EscalationDraft> {
    let mut section = Section::open(node, "an escalation", reading)?;
    let steps = section
        .required("steps", reading)
        .and_then(|node| reading.list_of_some(node, "steps"))
        .map(|items| items.iter().map(|item| step(item, reading)).collect::<Vec<_>>());
    let repeat = match section.optional("repeat", reading) {
        None => Some(1),
        Some(node) => reading.number(node, "'repeat'", 1..=20),
    };
    let last_resort = section.required("last_resort", reading).and_then(|node| {
        let people = reading.references(node, Noun::Person, PersonId::parse)?;
        if people.is_empty() {
            let hint = Some("name the people who are called when nobody answered".to_owned());
            reading.problems.error(Rank::Value, &node.place, "the last resort is empty", hint);
            return None;
        }
        Some(people)
    });
    let place = section.place().clone();
    section.close(reading);
    let steps: Vec<(Step, Place)> = steps?.into_iter().collect::<Option<_>>()?;
    for ((before, _), (step, place)) in steps.iter().zip(steps.iter().skip(1)) {
        if step.after < before.after {
            let hint = Some("put the steps in the order of their times".to_owned());
            let message = "this step comes before the one above it and would be reached too late";
            reading.problems.error(Rank::Sense, place, message, hint);
        } else if step == before {
            let message = "this step is the one above it once more";
            reading.problems.error(Rank::Sense, place, message, None);
        }
    }
    Some(EscalationDraft { steps, repeat: repeat?, last_resort: last_resort?, place })
}

fn step(node: &Node, reading: &mut Reading<'_>) -> Option<(Step, Place)> {
    let mut section = Section::open(node, "a step", reading)?;
    let call = section.required("call", reading);
    let target = call.and_then(|node| target(node, reading));
    let by_node = section.optional("by", reading);
    let by = match by_node {
        None => Some(Vec::new()),
        Some(node) => ways(node, reading),
    };
    let limits = Duration::ZERO..=Duration::from_secs(24 * 3_600);
    let after = section
        .required("after", reading)
        .and_then(|node| reading.duration(node, "the time from the start of the round", limits));
    let place = call.map_or(&node.place, |call| &call.place).clone();
    section.close(reading);
    if let (Some(Target::Desk(_)), Some(node)) = (&target, by_node) {
        let message = "a desk is called through the ticket: 'by' has no effect here";
        reading.problems.error(Rank::Sense, &node.owner, message, None);
    }
    Some((Step { call: target?, by: by?, after: after? }, place))
}

/// Ways, at least one, none twice.
pub(super) fn ways(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<Way>> {
    let mut ways = Vec::new();
    for item in reading.list_of_some(node, "ways")? {
        match reading.choice(item, "a way", &Way::ALL.map(|way| (way.word(), way))) {
            Some(way) if ways.contains(&way) => reading.wrong(&item.place, "this way is named twice"),
            Some(way) => ways.push(way),
            None => {}
        }
    }
    (!ways.is_empty()).then_some(ways)
}

/// `rota X`, `rota X next`, `team`, `team X`, `person Y`, `desk Z`.
fn target(node: &Node, reading: &mut Reading<'_>) -> Option<Target> {
    let (text, plain) = reading.scalar(node, "whom to call")?;
    let id = |error: domain::IdError| error.to_string();
    let parsed = match text.split(' ').collect::<Vec<_>>().as_slice() {
        ["rota", name] => RotaId::parse(name).map(Target::OnCall).map_err(id),
        ["rota", name, "next"] => RotaId::parse(name).map(Target::Next).map_err(id),
        ["person", name] => PersonId::parse(name).map(Target::Person).map_err(id),
        ["team"] => Ok(Target::Provider),
        ["team", name] => TeamId::parse(name).map(Target::Team).map_err(id),
        ["desk", name] => DeskId::parse(name).map(Target::Desk).map_err(id),
        _ => Err(format!("'{text}' is none of: rota X, rota X next, team, team X, person Y, desk Z")),
    };
    match parsed {
        Ok(target) => {
            let (noun, name) = match &target {
                Target::OnCall(rota) | Target::Next(rota) => (Noun::Rota, rota.as_str()),
                Target::Team(team) => (Noun::Team, team.as_str()),
                Target::Provider => return Some(target),
                Target::Person(person) => (Noun::Person, person.as_str()),
                Target::Desk(desk) => (Noun::Desk, desk.as_str()),
            };
            let prefix = text.find(' ').map_or(0, |at| at + 1);
            let quote = usize::from(!plain);
            let column = node.place.column + quote + prefix;
            let place = Place { column, end: column + name.chars().count(), ..node.place.clone() };
            reading.names.refer(noun, name, &place);
            Some(target)
        }
        Err(why) => {
            reading.wrong(&node.place, why);
            None
        }
    }
}
