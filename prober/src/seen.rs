//! What may be said of a value that stands in an answer's body. It goes into the database, into tickets and mails, and a body
//! may be about a patient (invariant 14): so only what can be about nobody is said as it is.

use crate::scrub::scrubbed;

/// Members whose values are words of a protocol or of the API's own operation.
const OF_THE_PROTOCOL: [&str; 14] = [
    "code",
    "errorcode",
    "faultcode",
    "fhirVersion",
    "kind",
    "outcome",
    "releaseId",
    "resourceType",
    "result",
    "severity",
    "state",
    "status",
    "type",
    "version",
];

/// A number that is longer may be a date of birth, a telephone or an NHS number.
const DIGITS: usize = 6;

/// Of the value that `path` (JSONPath or XPath) leads to, which is good or not.
pub(crate) fn seen(path: &str, value: &str, ok: bool) -> String {
    let of_the_protocol = last(path).is_some_and(|name| OF_THE_PROTOCOL.contains(&name));
    let is_small = value.len() <= DIGITS && value.parse::<f64>().is_ok();
    if of_the_protocol || is_small || matches!(value, "true" | "false" | "null" | "") {
        return scrubbed(value);
    }
    if ok {
        return "so it is".to_owned();
    }
    format!("something else, {} characters long", value.chars().count())
}

/// The name that a path ends in.
fn last(path: &str) -> Option<&str> {
    let path = path.strip_suffix("/text()").unwrap_or(path);
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    path.split(|c| !is_of_a_name(c))
        .rfind(|name| name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_that_may_be_about_somebody() {
        for (path, value, said) in [
            ("$.name[0].family", "ZZ-JONES", "something else, 8 characters long"),
            ("$.birthDate", "19800101", "something else, 8 characters long"),
            ("$.birthDate", "1980-01-01", "something else, 10 characters long"),
            ("//p:Surname/text()", "Tŷ", "something else, 2 characters long"),
            ("$.id", "9990000018", "something else, 10 characters long"),
            ("$.resourceType", "OperationOutcome", "OperationOutcome"),
            ("$['status']", "DOWN", "DOWN"),
            ("$.issue[0].severity", "error", "error"),
            ("/s:Envelope/s:Body/r:result/r:status/text()", "closed", "closed"),
            ("$.total", "12", "12"),
            ("$.active", "false", "false"),
            ("$.deceased", "null", "null"),
        ] {
            assert_eq!(seen(path, value, false), said, "{path} {value}");
        }
        assert_eq!(seen("$.name[0].family", "ZZ-JONES", true), "so it is");
        let struck_out = seen("$.status", "patient 9990000018", false);
        assert!(!struck_out.contains("9990000018"), "{struck_out}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_name_is_it_is_not_said(value in "[A-Za-z' ]{3,40}") {
            proptest::prop_assume!(!"something else, characters long true false null".contains(&value));
            proptest::prop_assert!(!seen("$.name[0].given[0]", &value, false).contains(&value));
        }
    }
}
