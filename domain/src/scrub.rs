//! What others wrote, fit to be kept, shown and sent: without what may be a patient's number (invariant 14).

/// What stands where a number was.
const REMOVED: &str = "[number removed]";

/// `text` without anything that looks like an NHS number: ten digits, plain or parted as `999 000 0018` or `999-000-0018`;
/// and without control characters, so that nothing written into it can start a new header or line.
///
/// Longer and shorter runs of digits (times, ports, telephone numbers) stay: an NHS number has exactly ten.
/// Nothing is checked beyond that: a mistyped number is still somebody's.
pub fn scrubbed(text: &str) -> String {
    let characters: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut clean = String::with_capacity(text.len());
    let mut rest = characters.as_slice();
    let mut after_digit = false;
    while let Some((first, others)) = rest.split_first() {
        if let Some(length) = number_at(rest).filter(|_| !after_digit) {
            clean.push_str(REMOVED);
            rest = rest.get(length..).unwrap_or_default();
            after_digit = false;
        } else {
            clean.push(*first);
            after_digit = first.is_ascii_digit();
            rest = others;
        }
    }
    clean
}

/// How many characters the number at the start of `text` has, if there is one: 3, 3 and 4 digits, parted or not.
fn number_at(text: &[char]) -> Option<usize> {
    let mut length = 0;
    for (place, digits) in [3, 3, 4].into_iter().enumerate() {
        let parted = place > 0 && text.get(length).is_some_and(|c| matches!(c, ' ' | '-'));
        length += usize::from(parted);
        let part = text.get(length..length + digits)?;
        if !part.iter().all(char::is_ascii_digit) {
            return None;
        }
        length += digits;
    }
    (!text.get(length).is_some_and(char::is_ascii_digit)).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_are_taken_out() {
        for (text, expected) in [
            ("9434765919", "[number removed]"),
            ("GET /Patient/9990000018 gave 500", "GET /Patient/[number removed] gave 500"),
            ("patient 943 476 5919 not found", "patient [number removed] not found"),
            (
                "943-476-5919, 943 476-5919, 943 4765919",
                "[number removed], [number removed], [number removed]",
            ),
            ("id=9434765919;", "id=[number removed];"),
            ("two 9434765919 9990000018", "two [number removed] [number removed]"),
            ("ward 12 943 476 5919", "ward 12 [number removed]"),
        ] {
            assert_eq!(scrubbed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn other_numbers_stay() {
        for kept in [
            "",
            "plain words, ŵ and ŷ",
            "123456789",
            "12345678901",
            "1790000000123 ms",
            "curiad:C-42-k3f9xq",
            "10.20.30.40:8443",
            "2026-11-21 03:12",
            "2026-11-20",
            "+447700900461",
        ] {
            assert_eq!(scrubbed(kept), kept);
        }
    }

    #[test]
    fn nothing_can_start_a_new_line() {
        assert_eq!(scrubbed("taken\r\nBcc: all\tof them"), "taken  Bcc: all of them");
    }
}
