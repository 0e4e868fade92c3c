//! JSONPath (RFC 9535) over what others send: refused is what would take more than some looks at each value of a body.
//!
//! The crate neither counts what it visits nor stops, and who probes and who records share one thread. So what multiplies is
//! refused when a path is compiled: a second `..` (it begins anew at each value that the first one found), whatever a filter
//! looks up at `$` or by `..` for each value, `match` and `search` (they compile their regular expression for each value),
//! many lists of selectors, and paths of more than [`STEPS`] steps. What is left visits each value of a body no more than a
//! small number of times for each step.

use serde_json::Value;

/// Names, brackets and wildcards of one path, those in filters too.
const STEPS: usize = 16;

/// Selectors beyond the first, in all lists of one path: each list may find a value once more.
const LISTED: usize = 3;

/// A path that can be used on a body of any shape.
#[derive(Debug, Clone)]
pub(crate) struct JsonPath {
    /// As the configuration has it.
    written: String,
    path: serde_json_path::JsonPath,
}

impl JsonPath {
    /// Compiles; says what cannot be used.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let path = serde_json_path::JsonPath::parse(text)
            .map_err(|error| format!("'{text}' is not a JSONPath such as $.status: {error}"))?;
        match costs(text) {
            None => Ok(Self { written: text.to_owned(), path }),
            Some(why) => Err(format!("the JSONPath '{text}' may take too long on a large body: {why}")),
        }
    }

    /// The first value that it finds.
    pub(crate) fn first<'v>(&self, body: &'v Value) -> Option<&'v Value> {
        self.path.query(body).first()
    }
}

impl std::fmt::Display for JsonPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

/// Whether a JSONPath can be used on answers, and if not, why.
pub fn check_json_path(text: &str) -> Result<(), String> {
    JsonPath::new(text).map(drop)
}

/// Why a path, which can be parsed, may take more than some looks at each value.
fn costs(path: &str) -> Option<String> {
    let (mut steps, mut listed, mut descents) = (0, 0, 0);
    // Of each bracket that is open: whether it is round. And how many of the square ones hold a filter.
    let (mut open, mut filters) = (Vec::new(), Vec::new());
    let mut word = String::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let in_filter = !filters.is_empty();
        let mut skip = first.len_utf8();
        match first {
            '\'' | '"' => skip = string(rest, first),
            '.' if rest.starts_with("..") => {
                (skip, descents) = (2, descents + 1);
                steps += usize::from(!rest.starts_with("..["));
                if in_filter {
                    return Some("a filter that looks by '..' does so for each value".to_owned());
                }
            }
            '.' => steps += usize::from(!rest.starts_with(".[")),
            '$' if in_filter => {
                return Some(
                    "a filter that looks at '$' does so for each value: look at '@' alone".to_owned(),
                );
            }
            '[' => {
                steps += 1;
                open.push(false);
            }
            '?' => filters.push(open.len()),
            '(' if matches!(word.as_str(), "match" | "search") => {
                return Some(format!(
                    "'{word}' is compiled for each value: find the value, and test it by {{ regex: … }}"
                ));
            }
            '(' => open.push(true),
            ']' | ')' => {
                filters.retain(|depth| *depth < open.len());
                open.pop();
            }
            ',' => {
                listed += usize::from(open.last() == Some(&false));
                filters.retain(|depth| *depth < open.len() || open.last() == Some(&true));
            }
            _ => {}
        }
        if first.is_alphanumeric() || first == '_' {
            word.push(first);
        } else {
            word.clear();
        }
        rest = rest.get(skip..).unwrap_or_default();
    }
    if descents > 1 {
        return Some("a second '..' begins anew at each value that the first one found".to_owned());
    }
    if listed > LISTED {
        return Some(format!("its lists have more than {LISTED} selectors beside their first"));
    }
    (steps > STEPS).then(|| format!("it has more than {STEPS} steps"))
}

/// How long the string is that `text` begins with.
fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// The largest body that is read.
    const LARGEST: usize = 2 * 1024 * 1024;

    #[test]
    fn what_multiplies_is_refused_with_the_reason() {
        for (path, why) in [
            ("$.entry[?search(@.id,'^zz[0-9]{1,8}$')].id", "'search' is compiled for each value"),
            ("$.entry[?@.a && match(@.id, 'x')].id", "'match' is compiled for each value"),
            ("$.entry[?count($..id) > 5].id", "looks at '$'"),
            ("$.entry[?count(@..id) > 5].id", "looks by '..'"),
            ("$.entry[?@.a == $.b].id", "looks at '$'"),
            ("$.entry[?@['a]'] == 1, ?@.b == $.b]", "looks at '$'"),
            ("$.entry[?(@.a == 1) && $.b]", "looks at '$'"),
            ("$.entry[?length(value(@.a)) == 1 && $.b]", "looks at '$'"),
            ("$..checks..status", "a second '..'"),
            ("$..a[*]..['b']", "a second '..'"),
            ("$[*,*][*,*][*,*][*,*]", "more than 3 selectors"),
            ("$.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", "more than 16 steps"),
            ("$[?@.a||@.b||@.c||@.d||@.e||@.f||@.g||@.h||@.i||@.j||@.k||@.l||@.m||@.n||@.o||@.p]", "steps"),
        ] {
            let said = check_json_path(path).unwrap_err();
            assert!(said.contains(why), "{path}: {said}");
        }
        for path in [
            "$.status",
            "$..status",
            "$.entry[?@.resource.resourceType == 'Patient'].resource.id",
            "$['a..b']['$..c'][\"it's [?$\"].d",
            "$..[?@.name == '$..x' && length(@.tags) > 1].value",
            "$['a','b'].c[?count(@.*) > 2, 1]",
            "$.a[?@[?@.b == 'c']]",
            "$['it\\'s $..a..b']",
        ] {
            assert_eq!(check_json_path(path), Ok(()), "{path}");
        }
    }

    /// Bodies as large as any that is read, of the shapes that make paths slow.
    fn large() -> Vec<Value> {
        let many = |one: &str| format!("[{}1]", one.repeat((LARGEST - 1_024) / one.len()));
        let levels = 110;
        let under = |inner: &str| format!("{}{inner}{}", r#"{"checks":"#.repeat(levels), "}".repeat(levels));
        let entries: Vec<String> =
            (0..40_000).map(|n| format!(r#"{{"id":"aa{n:08}","a":{{"b":{n}}}}}"#)).collect();
        let bodies = [
            many("1,"),
            many("[],"),
            format!(r#"{{"entry":[{}]}}"#, entries.join(",")),
            under(&many("{},")),
            many(&format!("{}{},", "[".repeat(110), "]".repeat(110))),
        ];
        bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    #[test]
    fn what_is_left_ends_on_the_largest_of_bodies() {
        let paths = [
            "$..status",
            "$..*",
            "$..[*,*][*,*].a",
            "$..[?@.a == @.b || @.c == @.d || @[0] == @[1] || @.e == @.f || @.g == @.h]",
            "$..[?@[?@[?@[?@.a == 'x']]]]",
            "$.entry[?count(@.*) > 2 && length(@.id) == 7 || @.a.b == 'x' || @.a.c > 3].id",
            "$[*][*][*][*][*][*][*][*][*][*][*][*][*][*][*][*]",
        ]
        .map(|path| JsonPath::new(path).unwrap());
        for (number, body) in large().iter().enumerate() {
            for path in &paths {
                let began = Instant::now();
                path.first(body);
                let took = began.elapsed();
                println!("body {number}: {path}: {took:?}");
                // Seconds in a build without optimisation on a busy machine; what is refused took minutes.
                assert!(took < Duration::from_secs(20), "body {number}: {path} took {took:?}");
            }
        }
    }
}
