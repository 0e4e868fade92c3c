//! Characters that a file of the configuration does not hold: what cannot be seen, and what a merge left behind. They are
//! looked for before YAML is read, which would complain of something else.

use super::problem::Place;
use std::sync::Arc;

/// Git puts seven of one of these before each side of a conflict.
const CONFLICT: [&str; 3] = ["<<<<<<<", ">>>>>>>", "|||||||"];

/// A character that is none to the eye: zero-width spaces and joiners of words.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// The first such place: what it is, and what to do.
pub(super) fn first(file: &Arc<str>, text: &str) -> Option<(Place, String, &'static str)> {
    let at = |line: usize, column: usize| Place { file: file.clone(), line, column, end: column + 1 };
    for (number, line) in (1..).zip(text.lines()) {
        if CONFLICT.iter().any(|mark| line.starts_with(mark)) {
            let place = Place { end: 8, ..at(number, 1) };
            return Some((
                place,
                "a merge conflict was left here".to_owned(),
                "resolve it, and leave out its marks",
            ));
        }
        let mut indent = true;
        for (column, c) in (1..).zip(line.chars()) {
            let code = format!("U+{:04X}", u32::from(c));
            if is_invisible(c) || (c.is_control() && c != '\t') {
                let what = format!("a character that cannot be seen ({code}) stands here");
                return Some((at(number, column), what, "delete it"));
            }
            if indent && c.is_whitespace() && !c.is_ascii() {
                let what = format!("this only looks like a space ({code})");
                return Some((at(number, column), what, "indent with spaces"));
            }
            indent &= c.is_whitespace();
        }
    }
    None
}

/// Text in quotes that are none to YAML.
pub(super) fn is_in_curly_quotes(text: &str) -> bool {
    text.starts_with(['\u{201c}', '\u{201e}', '\u{2018}'])
        && text.ends_with(['\u{201c}', '\u{201d}', '\u{2019}'])
}
