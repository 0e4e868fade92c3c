//! Nobody's NHS number is sent, but those reserved for tests and those that an instance lists as of its own test patients.

use super::{
    api::{ApiDraft, InstanceDraft},
    operation::OperationDraft,
    problem::{Problems, Rank},
    reading::Reading,
    tree::Node,
};
use domain::{NhsNumber, may_be_a_patients, may_be_patients};
use std::sync::Arc;

const MOST_TEST_PATIENTS: usize = 50;

/// What is said of a number that may be a real person's, and what to do.
const A_PATIENTS: &str = "this may be the NHS number of a real person";
const FOR_TESTS: &str = "use one reserved for tests: 999 000 0000 to 999 999 9999, such as 9990000018";

/// Nobody's record is asked for, nor put into a log on the way (domain.md §5).
pub(super) fn refuse(node: &Node, text: &str, reading: &mut Reading<'_>) {
    if read_plainly(text).iter().any(|text| may_be_a_patients(text)) {
        reading.problems.error(Rank::Value, &node.place, A_PATIENTS, Some(FOR_TESTS.to_owned()));
    }
}

/// Notes what an operation asks for that the instances it is exercised on must list as of test patients.
pub(super) fn note(node: &Node, text: &str, reading: &mut Reading<'_>) {
    for text in read_plainly(text) {
        for number in may_be_patients(&text) {
            if !reading.patients.iter().any(|(known, place)| *known == number && *place == node.place) {
                reading.patients.push((number, node.place.clone()));
            }
        }
    }
}

/// A text as it is written, and as its receiver may read it: with what is written as `%39` in its place, and with hyphens for the
/// dots between digits.
fn read_plainly(text: &str) -> [String; 2] {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digit = |at: usize| others.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let coded = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        bytes.push(coded.unwrap_or(*first));
        rest = others.get(if coded.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    let decoded = String::from_utf8_lossy(&bytes).replace('.', "-");
    [text.to_owned(), decoded]
}

/// Refuses what may be a real person's NHS number, but on instances that list it as of a test patient.
pub(super) fn refuse_unlisted(draft: &ApiDraft, operation: &OperationDraft, problems: &mut Problems) {
    let asked = |instance: &InstanceDraft| {
        instance.operations.as_ref().is_none_or(|chosen| chosen.contains(&operation.operation.id))
    };
    for (number, place) in &operation.patients {
        let mut asked = draft.instances.iter().filter(|(_, instance)| asked(instance)).peekable();
        let hint = if asked.peek().is_none() {
            FOR_TESTS.to_owned()
        } else if let Some((environment, _)) =
            asked.find(|(_, instance)| !instance.test_patients.contains(number))
        {
            format!(
                "{FOR_TESTS}; or, if it is a test patient's in {environment}, list it there in 'test_patients'"
            )
        } else {
            continue;
        };
        problems.error(Rank::Value, place, A_PATIENTS, Some(hint));
    }
}

/// NHS numbers outside those reserved for tests that are of test patients here: only whoever runs the API can say so.
pub(super) fn listed(node: &Node, reading: &mut Reading<'_>) -> Arc<[NhsNumber]> {
    let items = reading.list_of_some(node, "test patients").unwrap_or_default();
    if items.len() > MOST_TEST_PATIENTS {
        reading.wrong(&node.place, format!("an instance has at most {MOST_TEST_PATIENTS} test patients"));
    }
    let mut numbers = Vec::new();
    for item in items {
        let Some(text) = reading.text(item, "an NHS number") else { continue };
        match NhsNumber::parse(text) {
            None => reading
                .wrong(&item.place, "an NHS number is ten digits, the last of which is its check digit"),
            Some(number) if number.is_reserved() => {
                reading.wrong(
                    &item.place,
                    "this one is reserved for tests: it may be sent without being listed",
                );
            }
            Some(number) if numbers.contains(&number) => reading.wrong(&item.place, "this is listed twice"),
            Some(number) => numbers.push(number),
        }
    }
    numbers.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_written() {
        let found = |text: &str| read_plainly(text).iter().any(|text| may_be_a_patients(text));
        for real in [
            "9434765919",
            "/Patient/%39434765919",
            "943.476.5919",
            "943%2E476%2e5919",
            "943%20476%205919",
            "%39%34%33%34%37%36%35%39%31%39",
        ] {
            assert!(found(real), "{real}");
        }
        for other in ["%39990000018", "999.000.0018", "9434765910", "100%", "%zz", "ŵ%c5%b5"] {
            assert!(!found(other), "{other}");
        }
    }
}
