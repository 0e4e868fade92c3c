//! What counts as available, on the whole site; and what is said of one API in its place.

use super::{
    names::Noun,
    operation::Placed,
    problem::{Problems, Rank},
    reading::Reading,
    section::Section,
    tree::Node,
};
use domain::{Agreed, AvailabilityPolicy, Degraded, Hours, HoursId, Objective, PlannedWork};
use std::collections::BTreeMap;

/// The longest version: it stands beside every figure.
const LONGEST_VERSION: usize = 32;

/// Supported hours, and where they are named.
pub(super) type Supported = Option<Placed<HoursId>>;

/// Reads the policy. What it leaves out is as it is without one.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<(AvailabilityPolicy, Supported)> {
    let mut section = Section::open(node, "availability", reading)?;
    let name = section.required("name", reading).and_then(|node| reading.bilingual(node, "a policy's name"));
    let version = section.required("version", reading).and_then(|node| version(node, reading));
    let usual = AvailabilityPolicy::default();
    let maintenance = section.optional("maintenance", reading).and_then(|node| {
        let ways = PlannedWork::ALL.map(|way| (way.word(), way));
        reading.choice(node, "a way to count maintenance", &ways)
    });
    let degraded = section.optional("degraded", reading).and_then(|node| {
        reading.choice(node, "a way to count degraded", &Degraded::ALL.map(|way| (way.word(), way)))
    });
    let supported = hours(&mut section, reading);
    let [critical, standard] =
        section.optional("objectives", reading).map_or([None; 2], |node| objectives(node, reading));
    section.close(reading);
    let policy = AvailabilityPolicy {
        name: name?,
        version: version?,
        maintenance: maintenance.unwrap_or(usual.maintenance),
        degraded: degraded.unwrap_or(usual.degraded),
        hours: supported.as_ref().map(|supported| supported.value.clone()),
        critical,
        standard,
    };
    Some((policy, supported))
}

/// Reads what is agreed for one API.
pub(super) fn agreed(node: &Node, reading: &mut Reading<'_>) -> (Agreed, Supported) {
    let Some(mut section) = Section::open(node, "an API's availability", reading) else {
        return (Agreed::default(), None);
    };
    let supported = hours(&mut section, reading);
    let objective = objective(&mut section, "objective", reading);
    section.close(reading);
    (Agreed { hours: supported.as_ref().map(|supported| supported.value.clone()), objective }, supported)
}

fn version(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let version = reading.text(node, "a policy's version")?;
    let fits = version.len() <= LONGEST_VERSION
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !fits {
        let message = format!(
            "a policy's version is a short word of letters, digits, '-', '_' and '.', such as \"2026-1\", not '{version}'"
        );
        reading.problems.error(Rank::Value, &node.place, message, None);
    }
    fits.then(|| version.to_owned())
}

fn hours(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Supported {
    let node = section.optional("hours", reading)?;
    let value = reading.reference(node, Noun::Hours, HoursId::parse)?;
    Some(Placed { value, place: node.place.clone() })
}

fn objectives(node: &Node, reading: &mut Reading<'_>) -> [Option<Objective>; 2] {
    let Some(mut section) = Section::open(node, "objectives", reading) else { return [None; 2] };
    let objectives = ["critical", "standard"].map(|level| objective(&mut section, level, reading));
    section.close(reading);
    objectives
}

fn objective(section: &mut Section<'_>, key: &'static str, reading: &mut Reading<'_>) -> Option<Objective> {
    let node = section.optional(key, reading)?;
    reading.parsed(node, "an objective such as '99.9% in 30d'", Objective::parse)
}

/// Supported hours without a window would leave nothing to count.
pub(super) fn never<'s>(
    supported: impl Iterator<Item = &'s Placed<HoursId>>,
    hours: &BTreeMap<HoursId, Hours>,
    problems: &mut Problems,
) {
    for Placed { value, place } in supported {
        if hours.get(value).is_some_and(|hours| hours.weekly.is_empty()) {
            let message =
                format!("the hours '{value}' are never: as supported hours they leave nothing to count");
            problems.error(Rank::Sense, place, message, Some("leave 'hours' out".to_owned()));
        }
    }
}
