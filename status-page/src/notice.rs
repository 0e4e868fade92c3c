//! Above every internal page: what those who run Curiad should know of its configuration and its database.

use crate::{Snapshot, WordsError, wording::Wording};
use serde::Serialize;

/// Problems that a page shows; the log has them all.
const PROBLEMS: usize = 5;

/// What the program has to say of itself, to those who run it.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    text: String,
    /// As the log says it, in English.
    lines: Vec<String>,
}

/// What those who run it should know of the configuration and the database.
pub(crate) fn notices(snapshot: &Snapshot, wording: &Wording<'_>) -> Result<Vec<Notice>, WordsError> {
    let mut notices = Vec::new();
    if let Some(aside) = &snapshot.set_aside {
        let count = i64::try_from(aside.count).unwrap_or(i64::MAX);
        notices.push(Notice {
            text: wording.say("set-aside", &[("count", count.into())])?,
            lines: vec![aside.file.clone()],
        });
    }
    let Some(standing) = &snapshot.standing else { return Ok(notices) };
    if let Some(refused) = &standing.refused {
        let when = wording.times().full(refused.at).words;
        let count = i64::try_from(refused.problems.len()).unwrap_or(i64::MAX);
        notices.push(Notice {
            text: wording.say("configuration-refused", &[("when", when.into()), ("count", count.into())])?,
            lines: refused.problems.iter().take(PROBLEMS).cloned().collect(),
        });
    }
    if !standing.waits_for_restart.is_empty() {
        let text = standing.waits_for_restart.join(", ");
        notices.push(Notice {
            text: wording.say("configuration-restart", &[("text", text.into())])?,
            lines: Vec::new(),
        });
    }
    if !standing.left_production.is_empty() {
        let text: Vec<&str> = standing.left_production.iter().map(domain::ApiId::as_str).collect();
        let text = text.join(", ");
        notices.push(Notice {
            text: wording.say("configuration-left", &[("text", text.into())])?,
            lines: Vec::new(),
        });
    }
    Ok(notices)
}
