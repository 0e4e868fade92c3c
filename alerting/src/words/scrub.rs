//! No patient's number leaves by our messages (invariant 14), whatever a check or a human wrote.

/// What stands where a number was.
const REMOVED: &str = "[number removed]";

/// `text` without anything that looks like an NHS number: ten digits, plain or as `999 000 0018`;
/// and without control characters, so that nothing written into it can start a new header or line.
///
/// Longer runs of digits (times, ports with addresses) stay: an NHS number has exactly ten.
pub(super) fn scrub(text: &str) -> String {
    let characters: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut clean = String::with_capacity(text.len());
    let mut rest = characters.as_slice();
    let mut after_digit = false;
    while let Some((first, others)) = rest.split_first() {
        if let Some(length) = number(rest).filter(|_| !after_digit) {
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

/// How many characters the number at the start of `text` has, if there is one: 3, 3 and 4 digits.
fn number(text: &[char]) -> Option<usize> {
    let separator = text.get(3).copied().filter(|c| matches!(c, ' ' | '-'));
    let digits = |from: usize, count: usize| {
        text.get(from..from + count).is_some_and(|part| part.iter().all(char::is_ascii_digit))
    };
    let (fits, length) = match separator {
        Some(c) => (digits(0, 3) && digits(4, 3) && text.get(7) == Some(&c) && digits(8, 4), 12),
        None => (digits(0, 10), 10),
    };
    let ends = !text.get(length).is_some_and(char::is_ascii_digit);
    (fits && ends).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_are_taken_out_and_other_numbers_stay() {
        assert_eq!(scrub("GET /Patient/9990000018 gave 500"), "GET /Patient/[number removed] gave 500");
        assert_eq!(scrub("999 000 0018, 999-000-0018"), "[number removed], [number removed]");
        assert_eq!(scrub("9990000018"), "[number removed]");
        for kept in ["curiad:C-42:1790000000000", "10.20.30.40:8443", "999000001", "", "2026-11-21 03:12"] {
            assert_eq!(scrub(kept), kept);
        }
    }

    #[test]
    fn nothing_can_start_a_new_line() {
        assert_eq!(scrub("taken\r\nBcc: all"), "taken  Bcc: all");
    }
}
