//! `curiad incident update`: what is to stand on the page, from phrases and own words.

use super::words;
use crate::{
    cli::UpdateArgs,
    commands::Asking,
    exit::{Failed, USAGE},
    terminal::Terminal,
};
use domain::Phrases;
use jiff::Timestamp;
use serde_json::json;
use status_page::phrased;
use std::time::Duration;

/// More is said within this.
const LONGEST: Duration = Duration::from_hours(168);

/// What is asked for, in both languages.
pub(super) fn phrases(arguments: &UpdateArgs, now: Timestamp) -> Result<Phrases, Failed> {
    let words = match (&arguments.en, &arguments.cy) {
        (None, None) => None,
        (Some(en), Some(cy)) => Some(words(en, cy, arguments.same)?),
        (Some(_), None) => return Err(one_language("Welsh", "--cy")),
        (None, Some(_)) => return Err(one_language("English", "--en")),
    };
    if arguments.next.is_some_and(|next| next.is_zero() || next > LONGEST) {
        let what = "more is to be said too soon or too late\nwrite a --next such as 30m or 2h, 168h at most";
        return Err(Failed::new(USAGE, what));
    }
    let next = arguments.next.and_then(|next| now.checked_add(next).ok());
    let (because, effect, advice) = (arguments.cause, arguments.effect, arguments.advice);
    let phrases = Phrases { because, effect, words, advice, next };
    if phrases.is_empty() {
        let what = "it says nothing\nput it together from phrases (--cause, --effect, --advice, --next), or write it in --en and --cy";
        return Err(Failed::new(USAGE, what));
    }
    Ok(phrases)
}

fn one_language(missing: &str, flag: &str) -> Failed {
    let what = format!(
        "there is no {missing}: what the public reads is there in both languages at once\nwrite it in {flag}, or say it \
         by phrases, which are there in both: --cause, --effect, --advice, --next"
    );
    Failed::new(USAGE, what)
}

/// Prints what would stand there.
pub(super) fn preview(phrases: &Phrases, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let zone = &asking.configuration.site.time_zone;
    let said = phrased(phrases, zone, asking.now).map_err(anyhow::Error::from)?;
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&json!({ "en": said.en, "cy": said.cy }));
    } else {
        terminal.line(&said.en);
        terminal.line(&said.cy);
    }
    Ok(())
}
