//! What others wrote, made fit to be kept: cut short, and without what may be an NHS number (invariant 14).

/// Characters of a value that may be kept.
const KEPT: usize = 80;

/// Digits of an NHS number.
const DIGITS: usize = 10;

/// At most 80 characters, in one line, ten-digit numbers (also written `943 476 5919`) struck out.
pub(crate) fn scrubbed(text: &str) -> String {
    // An NHS number that straddles the cut must not survive in part, so strike out first, in more than is kept.
    let start: Vec<char> =
        text.chars().take(KEPT * 4).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut kept = String::with_capacity(KEPT);
    let mut rest = start.as_slice();
    let mut before = None;
    while let Some((first, after)) = rest.split_first() {
        if let Some(length) = number_at(rest).filter(|_| !before.is_some_and(char::is_numeric)) {
            kept.push_str("[number]");
            rest = rest.get(length..).unwrap_or_default();
            before = Some('0');
        } else {
            kept.push(*first);
            before = Some(*first);
            rest = after;
        }
    }
    let long = kept.chars().count() > KEPT || text.chars().nth(KEPT * 4).is_some();
    if long { kept.chars().take(KEPT - 1).chain(['…']).collect() } else { kept }
}

/// The length of the ten-digit number that `text` starts with: digits, at most one space or hyphen between two.
fn number_at(text: &[char]) -> Option<usize> {
    let mut digits = 0;
    let mut parted = true;
    for (index, c) in text.iter().enumerate() {
        if c.is_ascii_digit() {
            digits += 1;
            parted = false;
        } else if matches!(c, ' ' | '-') && !parted && digits < DIGITS {
            parted = true;
        } else {
            break;
        }
        if digits == DIGITS {
            let goes_on = text.get(index + 1).is_some_and(char::is_ascii_digit);
            return (!goes_on).then_some(index + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_an_nhs_number_is_struck_out() {
        for (text, expected) in [
            ("", ""),
            ("plain words", "plain words"),
            ("9434765919", "[number]"),
            ("patient 943 476 5919 not found", "patient [number] not found"),
            ("943-476-5919", "[number]"),
            ("id=9434765919;", "id=[number];"),
            ("two 9434765919 9990000018", "two [number] [number]"),
            ("123456789", "123456789"),
            ("12345678901", "12345678901"),
            ("1790000000123 ms", "1790000000123 ms"),
            ("2026-11-20", "2026-11-20"),
            ("a\nb\tc", "a b c"),
        ] {
            assert_eq!(scrubbed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_long_is_cut_and_no_number_survives_the_cut() {
        let long = scrubbed(&"ŵ".repeat(500));
        assert_eq!(long.chars().count(), 80);
        assert!(long.ends_with('…'));
        let straddles = format!("{}9434765919 and more words that go on", "x".repeat(75));
        let seen = scrubbed(&straddles);
        assert!(!seen.contains("943"), "{seen}");
    }
}
