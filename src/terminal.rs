//! What the terminal shows: for people with colour, for programs as JSON. The one place that prints.

use crate::exit::{Failed, of_file};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
};

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

/// Narrower than this, lines are left to the terminal to break.
const NARROWEST: usize = 60;

/// Where text for people goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    colour: bool,
    /// How wide it is; `None`: it is no terminal, or does not say.
    columns: Option<usize>,
}

/// Colour only on a terminal that has some, where nobody asked for none.
fn is_colourful(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && wants_colour(|name| env::var_os(name))
}

/// What the environment says of colour (<https://no-color.org>).
fn wants_colour(environment: impl Fn(&str) -> Option<OsString>) -> bool {
    let asked_for_none = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
    !asked_for_none && !is_dumb(environment)
}

/// A terminal that understands no codes.
fn is_dumb(environment: impl Fn(&str) -> Option<OsString>) -> bool {
    environment("TERM").is_some_and(|term| term == "dumb")
}

fn columns(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

impl Terminal {
    /// Standard output; colour only when it is a terminal.
    pub(crate) fn new() -> Self {
        let out = io::stdout();
        Self { colour: is_colourful(&out), columns: columns(&out) }
    }

    /// For what goes to standard error; colour only when that is a terminal.
    pub(crate) fn of_errors() -> Self {
        let err = io::stderr();
        Self { colour: is_colourful(&err), columns: columns(&err) }
    }

    /// Without colour, wherever it goes.
    pub(crate) const fn plain() -> Self {
        Self { colour: false, columns: None }
    }

    /// In colour, wherever it goes.
    #[cfg(test)]
    pub(crate) const fn coloured() -> Self {
        Self { colour: true, columns: None }
    }

    /// Whether text may have colour.
    pub(crate) const fn has_colour(self) -> bool {
        self.colour
    }

    /// How long a line of text may be: as wide as the terminal, but no longer than is well read.
    pub(crate) fn columns(self, most: usize) -> usize {
        self.columns.map_or(most, |columns| columns.clamp(NARROWEST.min(most), most))
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

/// Puts a whole file to standard output, as it is. A reader who left (`curiad … | head`) is no error.
pub(crate) fn put(text: &str, what: &str) -> Result<(), Failed> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failed::new(
            of_file(&error),
            format!("{what} cannot be written: {error}\nsee where it is to go"),
        )),
        Ok(()) | Err(_) => Ok(()),
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
        Self { shown: io::stderr().is_terminal() && !is_dumb(|name| env::var_os(name)) }
    }

    /// Whether there is a line for it.
    pub(crate) const fn is_shown(&self) -> bool {
        self.shown
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
    use super::{Terminal, wants_colour, wrapped};

    #[test]
    fn colour_is_for_those_who_want_it() {
        let with = |name: &'static str, value: &'static str| {
            wants_colour(move |asked| (asked == name).then(|| value.into()))
        };
        assert!(with("TERM", "xterm-256color") && with("NO_COLOR", ""));
        assert!(!with("TERM", "dumb") && !with("NO_COLOR", "1"));
    }

    #[test]
    fn text_is_as_wide_as_the_terminal_but_no_wider_than_is_well_read() {
        let columns = |columns| Terminal { colour: false, columns }.columns(100);
        assert_eq!([None, Some(80), Some(300), Some(20)].map(columns), [100, 80, 100, 60]);
    }

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
