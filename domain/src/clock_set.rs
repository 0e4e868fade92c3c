//! The clock of our machine is set: all that is measured and told is dated by it, and carriers turn away what a wrong one signs.

use crate::{Ahead, Cause, Language, Situation, Text, duration_words, fold::Fold, gathered::Often};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// A clock that moves by more than time does was set (incident-systems.md §2.4): less is corrected all the time.
pub const CLOCK_IS_SET: Duration = Duration::from_secs(2);

/// It is an incident for so long: whoever looks in office hours sees it after the longest weekend, too.
pub(crate) const SEEN_WITHIN: SignedDuration = SignedDuration::from_hours(5 * 24);

/// How the clock was set last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockSet {
    at: Timestamp,
    by: SignedDuration,
}

/// It was set by so much, forward or back.
pub(crate) fn told(fold: &mut Fold, by: SignedDuration) -> String {
    fold.after.clock_set = Some(ClockSet { at: fold.now, by });
    fold.after.foreseen_until = None;
    let said = how(by).en;
    let known = fold.after.open_incident(&Cause::Ahead(Ahead::Clock)).map(|incident| incident.id);
    if let Some(mut incident) = known.and_then(|id| fold.incident(id)) {
        incident.note_often(fold.now, Often::Clock, &said, format!("the clock was {said}"));
        fold.put_incident(incident);
    }
    said
}

/// Somebody says that they have seen to it.
pub(crate) fn seen_to(fold: &mut Fold, cause: &Cause) {
    if *cause == Cause::Ahead(Ahead::Clock) {
        fold.after.clock_set = None;
    }
}

/// When it was set last, as far as is known: after a start, when it was first told.
pub(crate) fn last(situation: &Situation) -> Option<Timestamp> {
    let known = || situation.open_incident(&Cause::Ahead(Ahead::Clock)).map(|incident| incident.opened_at);
    situation.clock_set.map(|set| set.at).or_else(known)
}

fn how(by: SignedDuration) -> Text {
    let length = |language| duration_words(by.abs(), language);
    let (en, cy) = (length(Language::En), length(Language::Cy));
    if by.is_negative() {
        Text::new(format!("set back by {en}"), format!("ei droi yn ôl {cy}"))
    } else {
        Text::new(format!("set forward by {en}"), format!("ei droi ymlaen {cy}"))
    }
}

/// What there is to do. After a start it is not known how it was set, and what was said of it stands.
pub(crate) fn words(fold: &Fold) -> Text {
    let known = || fold.after.open_incident(&Cause::Ahead(Ahead::Clock)).map(|known| known.diagnosis.clone());
    let Some(set) = fold.after.clock_set else { return known().unwrap_or_else(|| Text::new("", "")) };
    let (Text { en, cy }, at) = (how(set.by), fold.time(set.at));
    Text::new(
        format!(
            "The clock of the machine that Curiad runs on was {en} at {at}. All that Curiad measures and tells is dated by it, and \
             GOV.UK Notify takes no text from a clock that is half a minute off: see to its time service (NTP)."
        ),
        format!(
            "Cafodd cloc y peiriant y mae Curiad yn rhedeg arno {cy} am {at}. Mae popeth y mae Curiad yn ei fesur ac yn ei ddweud \
             wedi’i ddyddio ganddo, ac nid yw GOV.UK Notify yn derbyn testun gan gloc sydd hanner munud allan ohoni: edrychwch ar ei \
             wasanaeth amser (NTP)."
        ),
    )
}
