//! Texts that are sent as they are written: in the file itself, or in one beside it.

use super::{
    patients,
    problem::Rank,
    reading::Reading,
    secret::{Reference, path_of, read_text},
    tree::{Node, Value},
};
use std::path::{Component, Path};

/// Largest text, in bytes.
const MAX: u64 = 64 * 1024;

/// Most bytes that one side of a TCP conversation says.
const MAX_BYTES: usize = 4 * 1024;

impl Reading<'_> {
    /// A text, or `file:PATH` within the configuration's directory; about no real person.
    pub(super) fn text_or_file(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.word(node, what)?;
        let written = match Reference::parse(text) {
            None => text.to_owned(),
            Some(Ok(Reference::File(path))) if is_inside(path) => {
                let place = path_of(self.directory, path);
                self.stamps.note(place.clone());
                match read_text(&place, MAX) {
                    Ok(text) => {
                        self.sent.push((path.to_owned(), text.clone()));
                        text
                    }
                    Err(why) => {
                        self.wrong(&node.place, format!("{what} at {text} cannot be read: {why}"));
                        return None;
                    }
                }
            }
            Some(_) => {
                let hint = Some("write it here, or file: and a path such as messages/admit.hl7".to_owned());
                let message = format!("{what} stands here, or in a file of this configuration");
                self.problems.error(Rank::Value, &node.place, message, hint);
                return None;
            }
        };
        if written.trim().is_empty() {
            self.wrong(&node.place, format!("{what} may not be empty"));
            return None;
        }
        if written.len() as u64 > MAX {
            self.wrong(&node.place, format!("{what} has at most {} KiB", MAX / 1024));
        }
        patients::note(node, &written, self);
        Some(written)
    }

    /// Bytes: a text, or `{ hex: "0b 1c 0d" }`.
    pub(super) fn bytes(&mut self, node: &Node, what: &str) -> Option<Vec<u8>> {
        let bytes = if matches!(node.value, Value::Map(_)) {
            let mut section = super::section::Section::open(node, "bytes", self)?;
            let hex = section.required("hex", self).and_then(|node| self.parsed(node, "bytes", hex));
            section.close(self);
            hex?
        } else {
            self.word(node, what)?.as_bytes().to_vec()
        };
        patients::note(node, &String::from_utf8_lossy(&bytes), self);
        if bytes.is_empty() || bytes.len() > MAX_BYTES {
            self.wrong(&node.place, format!("{what} has 1 to {MAX_BYTES} bytes"));
            return None;
        }
        Some(bytes)
    }
}

/// Whether a path stays where it begins.
pub(super) fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("'{text}' is not bytes such as \"0b 1c 0d\"");
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| c.to_digit(16).ok_or_else(wrong))
        .collect::<Result<_, _>>()?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).map_err(|_| wrong()),
        _ => Err(wrong()),
    };
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_hexadecimal() {
        assert_eq!(hex("0b 1C0d"), Ok(vec![0x0b, 0x1c, 0x0d]));
        assert_eq!(hex(""), Ok(vec![]));
        for wrong in ["0", "0b1", "0x0b", "zz", "ŵŵ"] {
            assert!(hex(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_one_of_this_configuration() {
        assert!(is_inside("messages/admit.hl7") && is_inside("./a"));
        assert!(!is_inside("../a") && !is_inside("/etc/passwd") && !is_inside("a/../../b"));
    }
}
