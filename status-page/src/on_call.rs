//! Who is on call as a calendar, for their own: names and times, and no address of anybody.

use crate::{
    Words, WordsError,
    icalendar::{Icalendar, Occasion},
};
use domain::{Language, RotaId, Shift, Site};
use jiff::Timestamp;
use uuid::Uuid;

/// A shift as somebody really serves it, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// On which rota.
    pub rota: RotaId,
    /// Whose, and when.
    pub shift: Shift,
    /// Their name.
    pub name: String,
    /// It was theirs, and is not any more, or not as one.
    pub cancelled: bool,
}

/// The calendar of `turns`, which are those of a rota or of a person: `whose`. A turn has the same UID whenever and from
/// wherever it is made: by its rota, its beginning and its person. One that is cancelled takes itself out of the calendars that have it.
pub fn on_call_calendar(
    turns: &[Turn],
    whose: &str,
    site: &Site,
    language: Language,
    now: Timestamp,
) -> Result<String, WordsError> {
    let words = Words::load()?;
    let title = words.find(language, "on-call", &[("what", whose.into())])?;
    let mut file = Icalendar::begin("On call", &format!("{title} – {}", site.title.get(language)), language);
    let ours = Uuid::new_v5(&Uuid::NAMESPACE_URL, site.url.en.as_bytes());
    for Turn { rota, shift, name, cancelled } in turns {
        let key = format!("{rota}/{}/{}", shift.from, shift.person);
        let what = [("who", name.as_str().into()), ("rota", rota.as_str().into())];
        let swap = match shift.layer {
            _ if *cancelled => Some(words.find(language, "on-call-cancelled", &[])?),
            Some(_) => None,
            None => Some(words.find(language, "on-call-override", &[])?),
        };
        file.add(&Occasion {
            uid: &Uuid::new_v5(&ours, key.as_bytes()).to_string(),
            changed: now,
            from: shift.from,
            to: shift.to,
            summary: &words.find(language, "on-call-turn", &what)?,
            description: swap.as_deref(),
            category: rota.as_str(),
            url: None,
            cancelled: *cancelled,
        });
    }
    Ok(file.end())
}
