//! NHS numbers: whose may be sent. Those reserved for tests (999 000 0000 to 999 999 9999, never issued) may, and those that an
//! instance lists as of its own test patients.

use std::fmt;

/// Digits of an NHS number.
const LENGTH: usize = 10;

/// An NHS number: ten digits, the last of which is the right check digit. Not to be repeated in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NhsNumber([u8; LENGTH]);

impl NhsNumber {
    /// All of `text` as one, its digits together or grouped 3-3-4.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, end) = number_at(text.as_bytes(), 0)?;
        (end == text.len()).then_some(number)
    }

    /// Whether nobody was ever given it: 999 000 0000 to 999 999 9999 are for tests.
    pub fn is_reserved(self) -> bool {
        self.0.starts_with(&[9, 9, 9])
    }
}

impl fmt::Debug for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NhsNumber(…)")
    }
}

/// The numbers in `text` that may be those of real persons, in order: ten digits, alone or grouped 3-3-4, that are not reserved
/// for tests.
pub fn may_be_patients(text: &str) -> impl Iterator<Item = NhsNumber> {
    let bytes = text.as_bytes();
    (0..bytes.len()).filter_map(|start| {
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        let found = (!before.is_some_and(u8::is_ascii_digit)).then(|| number_at(bytes, start)).flatten();
        found.map(|(number, _)| number).filter(|number| !number.is_reserved())
    })
}

/// Whether `text` holds what may be the NHS number of a real person.
pub fn may_be_a_patients(text: &str) -> bool {
    may_be_patients(text).next().is_some()
}

/// Ten digits that begin at `start` and are followed by no further digit, when the check digit is right; and where they end.
fn number_at(bytes: &[u8], start: usize) -> Option<(NhsNumber, usize)> {
    let mut number = [0; LENGTH];
    let mut at = start;
    for (index, digit) in number.iter_mut().enumerate() {
        if matches!(index, 3 | 6) {
            at += separator(bytes.get(at..)?);
        }
        let byte = bytes.get(at).filter(|byte| byte.is_ascii_digit())?;
        *digit = byte - b'0';
        at += 1;
    }
    let is_one = !bytes.get(at).is_some_and(u8::is_ascii_digit) && has_right_check_digit(&number);
    is_one.then_some((NhsNumber(number), at))
}

/// How many bytes separate two groups: none, a space (also as it stands in a URL), a hyphen.
fn separator(bytes: &[u8]) -> usize {
    match bytes {
        [b' ' | b'-' | b'+', ..] => 1,
        [b'%', b'2', b'0', ..] => 3,
        _ => 0,
    }
}

/// Modulus 11: weights 10 to 2 over the first nine digits.
fn has_right_check_digit(number: &[u8; LENGTH]) -> bool {
    let sum: u32 = number.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let check = match 11 - sum % 11 {
        11 => 0,
        check => check,
    };
    check == u32::from(number[LENGTH - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_numbers_reserved_for_tests_may_be_sent() {
        for patients in
            ["9449306621", "/Patient/9000000009", "x 944 930 6621 y", "944-930-6621", "944%20930%206621"]
        {
            assert!(may_be_a_patients(patients), "{patients}");
        }
        for harmless in [
            "9990000018",
            "/Patient/9999999999?a=b",
            "999 000 0018",
            "9449306622",  // wrong check digit
            "19449306621", // eleven digits
            "94493066211", // eleven digits
            "944930662",   // nine
            "94493 06621", // grouped otherwise
            "",
            "cymraeg ŵŷ",
        ] {
            assert!(!may_be_a_patients(harmless), "{harmless}");
        }
    }

    #[test]
    fn a_number_is_all_of_a_text_and_is_not_repeated() {
        for text in ["9000000009", "900 000 0009", "900-000-0009"] {
            let number = NhsNumber::parse(text).unwrap();
            assert_eq!(may_be_patients("x=900%20000%200009&y=9990000018").collect::<Vec<_>>(), [number]);
            assert_eq!(format!("{number:?}"), "NhsNumber(…)");
        }
        for text in ["", "9000000008", "900000000", "90000000090", "9000000009 ", "a9000000009"] {
            assert_eq!(NhsNumber::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "(\\PC|[0-9 -]){0,40}") {
            may_be_a_patients(&text);
        }

        #[test]
        fn one_wrong_digit_is_never_an_nhs_number(at in 0_usize..LENGTH, by in 1_u8..10) {
            let mut digits = *b"9449306621";
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            let text = String::from_utf8(digits.to_vec()).unwrap();
            prop_assert!(!may_be_a_patients(&text), "{text}");
        }
    }
}
