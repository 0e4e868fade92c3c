//! What the terminal shows: for people with colour, for programs as JSON. The one place that prints.

use std::io::{self, IsTerminal, Write};

/// Colours, where they are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Red,
    Green,
    Yellow,
    Blue,
    Dim,
    Bold,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Dim => "2",
            Self::Bold => "1",
        }
    }
}

/// Where text for people goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    colour: bool,
}

impl Terminal {
    /// Standard output; colour only when it is a terminal.
    pub(crate) fn new() -> Self {
        Self { colour: io::stdout().is_terminal() }
    }

    /// For what goes to standard error; colour only when that is a terminal.
    pub(crate) fn of_errors() -> Self {
        Self { colour: io::stderr().is_terminal() }
    }

    /// Without colour, wherever it goes.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { colour: false }
    }

    /// In colour, wherever it goes.
    #[cfg(test)]
    pub(crate) const fn coloured() -> Self {
        Self { colour: true }
    }

    /// `text` in a colour.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()) } else { text.to_owned() }
    }

    /// Prints a line. A reader who left (`curiad … | head`) is no error.
    #[expect(clippy::unused_self, reason = "who prints has asked for the terminal first")]
    pub(crate) fn line(self, text: &str) {
        let _gone = writeln!(io::stdout().lock(), "{text}");
    }

    /// Prints JSON for programs.
    pub(crate) fn json(self, value: &serde_json::Value) {
        self.line(&serde_json::to_string_pretty(value).unwrap_or_default());
    }
}

/// What is waited for, on one line of the terminal that is wiped when the waiting is over. Nothing at all where standard
/// error is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    /// Longest line: it must not be broken, or it could not be wiped.
    const COLUMNS: usize = 78;

    pub(crate) fn new() -> Self {
        Self { shown: io::stderr().is_terminal() }
    }

    /// Says what is waited for now.
    pub(crate) fn show(&mut self, text: &str) {
        if self.shown {
            let short: String = text.chars().take(Self::COLUMNS).collect();
            let _gone = write!(io::stderr().lock(), "\r\u{1b}[2K\u{1b}[2m{short}\u{1b}[0m");
        }
    }

    /// Wipes the line.
    pub(crate) fn clear(self) {
        if self.shown {
            let _gone = write!(io::stderr().lock(), "\r\u{1b}[2K");
        }
    }
}

/// Lines of at most `columns` characters, broken between words. A word that is longer, such as a link, stays whole.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Errors go to standard error.
pub(crate) fn complain(text: &str) {
    let _gone = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn text_is_broken_between_words_and_links_stay_whole() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrapped("at http://127.0.0.1:8080/ack/abc now", 8),
            ["at", "http://127.0.0.1:8080/ack/abc", "now"]
        );
        assert!(wrapped("", 8).is_empty());
    }
}
