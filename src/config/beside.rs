//! Documents that lie beside `curiad.yaml` and are named there: part of what the configuration says.

use super::{problem::Rank, reading::Reading, secret::read_text, tree::Node, written::is_inside};

/// What is wrong, and what to do.
type Wrong = (String, Option<String>);

/// The text of a document of at most `most` bytes in the configuration's own directory, also where a link leads. `what` it is, with an
/// example of its name, for whoever named something else; `None`: it is said what is wrong.
pub(super) fn read(
    node: &Node,
    (name, what, example): (&str, &str, &str),
    most: u64,
    reading: &mut Reading<'_>,
) -> Option<String> {
    match text((name, what, example), most, reading) {
        Ok(text) => {
            reading.sent.push((name.to_owned(), text.clone()));
            Some(text)
        }
        Err((message, hint)) => {
            reading.problems.error(Rank::Value, &node.place, message, hint);
            None
        }
    }
}

fn text(
    (name, what, example): (&str, &str, &str),
    most: u64,
    reading: &mut Reading<'_>,
) -> Result<String, Wrong> {
    let outside = || {
        let hint = format!("name it from that directory on, such as {example}");
        (format!("{what} is a file in the configuration's directory"), Some(hint))
    };
    if !is_inside(name) || name.contains("://") {
        return Err(outside());
    }
    let unreadable = |why: String| (format!("{name} cannot be read: {why}"), None);
    let place = reading.directory.join(name);
    reading.stamps.note(place.clone());
    let real = place.canonicalize().map_err(|error| unreadable(error.to_string()))?;
    if !reading.directory.canonicalize().is_ok_and(|directory| real.starts_with(directory)) {
        return Err(outside());
    }
    read_text(&real, most).map_err(unreadable)
}
