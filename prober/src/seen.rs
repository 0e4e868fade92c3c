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

/// Characters of a word; what is longer, or more than one, is not of a protocol.
const WORD: usize = 64;

/// Of the value that `path` (JSONPath or XPath) leads to, which is good or not.
pub(crate) fn seen(path: &str, value: &str, ok: bool) -> String {
    let is_word = !value.chars().any(char::is_whitespace) && value.chars().nth(WORD).is_none();
    let of_the_protocol = is_word && last(path).is_some_and(|name| OF_THE_PROTOCOL.contains(&name));
    let is_small = value.len() <= DIGITS && value.parse::<f64>().is_ok();
    if of_the_protocol || is_small || matches!(value, "true" | "false" | "null" | "") {
        return scrubbed(value);
    }
    unsaid(value, ok)
}

/// Of a value of which nothing may be said but whether it is good.
pub(crate) fn unsaid(value: &str, ok: bool) -> String {
    if ok {
        return "so it is".to_owned();
    }
    format!("something else, {} characters long", value.chars().count())
}

/// The name of what a path leads to. `None`: it may be of any name, or is put together from several.
fn last(path: &str) -> Option<&str> {
    let is_json = path.starts_with('$');
    let mut rest = if is_json { path } else { path.strip_suffix("/text()").unwrap_or(path) };
    let is_of_a_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || (c == '.' && !is_json);
    let mut name = None;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '[' => group(rest)?,
            c if is_of_a_name(c) => rest.find(|c| !is_of_a_name(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at_checked(length)?;
        rest = after;
        name = match first {
            // A predicate chooses among nodes of one name, and so does a place in a list.
            '[' if !is_json || is_place(piece) => name,
            '[' => quoted(piece),
            '*' if name.is_none() => Some(piece),
            '.' | '$' if is_json => None,
            '/' | ':' | '@' if !is_json => None,
            c if is_of_a_name(c) => Some(piece),
            // Alternatives, functions, sums: of more than one name.
            _ => return None,
        };
    }
    name
}

/// The length of the group that begins with a bracket, up to the one that closes it; brackets in quotes are none.
fn group(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return Some(at + 1),
            (None, ']') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// `[0]`, `[-1]`, `[1:3]`.
fn is_place(group: &str) -> bool {
    within(group).is_some_and(|within| within.chars().all(|c| c.is_ascii_digit() || c == '-' || c == ':'))
}

/// The name of `['name']`, if it is one alone.
fn quoted(group: &str) -> Option<&str> {
    let within = within(group)?;
    let of = |quote: char| within.strip_prefix(quote)?.strip_suffix(quote);
    of('\'').or_else(|| of('"')).filter(|name| !name.contains(['\'', '"', '\\']))
}

fn within(group: &str) -> Option<&str> {
    group.strip_prefix('[')?.strip_suffix(']').map(str::trim)
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
            // What a path asks of, or passes by, is not what it leads to.
            ("//observation[@code='8302-2']", "Jones", "something else, 5 characters long"),
            ("$.name[?@.type]", "Jones", "something else, 5 characters long"),
            ("$.name[?@.x == ']'].type", "official", "official"),
            ("$.status[?@.x]", "Jones", "something else, 5 characters long"),
            ("$.status[*]", "Jones", "something else, 5 characters long"),
            ("$.status.*", "Jones", "something else, 5 characters long"),
            ("$['name','status']", "Jones", "something else, 5 characters long"),
            ("$['name']['status']", "DOWN", "DOWN"),
            ("$.status['name']", "Jones", "something else, 5 characters long"),
            ("$.status[0]", "DOWN", "DOWN"),
            ("concat(//Surname, //status)", "JonesUP", "something else, 7 characters long"),
            ("//Surname | //status", "Jones", "something else, 5 characters long"),
            ("//Surname|//status", "Jones", "something else, 5 characters long"),
            ("//Surname*//status", "Jones", "something else, 5 characters long"),
            ("//Surname['status']", "Jones", "something else, 5 characters long"),
            ("//status/..", "Jones", "something else, 5 characters long"),
            ("//status/*", "Jones", "something else, 5 characters long"),
            ("//ŷstatus", "Jones", "something else, 5 characters long"),
            ("//first.status", "Jones", "something else, 5 characters long"),
            ("//entry[resource[@x='[']]/r:status[1]", "closed", "closed"),
            ("//issue/@code", "exception", "exception"),
            // Words of a protocol are single ones.
            ("$.status", "seen by Jones", "something else, 13 characters long"),
        ] {
            assert_eq!(seen(path, value, false), said, "{path} {value}");
        }
        assert_eq!(seen("$.name[0].family", "ZZ-JONES", true), "so it is");
        let struck_out = seen("$.status", "patient-9990000018", false);
        assert!(!struck_out.contains("9990000018"), "{struck_out}");
        assert_eq!(seen("$.code", &"x".repeat(65), true), "so it is");
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_name_is_it_is_not_said(value in "[A-Za-z' ]{3,40}") {
            proptest::prop_assume!(!"something else, characters long true false null".contains(&value));
            proptest::prop_assert!(!seen("$.name[0].given[0]", &value, false).contains(&value));
        }
    }
}
