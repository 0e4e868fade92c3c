//! `graphql: { path, query, variables }`: a query that is posted.

use super::{
    operation, patients,
    problem::Rank,
    reading::Reading,
    section::Section,
    tree::{Node, Value},
};
use domain::{Dialect, HttpRequest, Method};
use serde_json::{Number, json};

/// Reads a GraphQL request.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<HttpRequest> {
    let mut section = Section::open(node, "a GraphQL request", reading)?;
    let path = operation::path_or_none(&mut section, reading);
    let query_node = section.required("query", reading);
    let query = query_node.and_then(|node| reading.text_or_file(node, "a query"));
    let variables = section.optional("variables", reading).map(|node| variables(node, reading));
    section.close(reading);
    if let (Some(query), Some(node)) = (&query, query_node)
        && may_write(query)
    {
        let hint = Some("a probe never writes: only queries are sent".to_owned());
        reading.problems.error(Rank::Sense, &node.place, "this query may write", hint);
    }
    let body = match variables {
        Some(variables) => json!({ "query": query?, "variables": variables? }),
        None => json!({ "query": query? }),
    };
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let body = Some(body.to_string());
    Some(HttpRequest {
        method: Method::Post,
        path: path?,
        headers,
        body,
        dialect: Dialect::Graphql,
        ..HttpRequest::get("")
    })
}

/// The documents of a body that is posted: of JSON its `query`, or each of a batch; else it is one itself. `None`: JSON
/// without a query, such as the hash of one that the server knows.
fn documents(body: &str) -> Option<Vec<String>> {
    let query = |one: &serde_json::Value| one.get("query")?.as_str().map(str::to_owned);
    match serde_json::from_str::<serde_json::Value>(body) {
        Err(_) => Some(vec![body.to_owned()]),
        Ok(serde_json::Value::Array(batch)) => batch.iter().map(query).collect(),
        Ok(one) => query(&one).map(|document| vec![document]),
    }
}

/// Whether a body holds an operation that is no query.
pub(super) fn body_may_write(body: &str) -> bool {
    documents(body).is_some_and(|documents| documents.iter().any(|document| may_write(document)))
}

/// Whether a body holds queries and nothing else.
pub(super) fn body_asks(body: &str) -> bool {
    documents(body).is_some_and(|documents| !documents.iter().any(|document| may_write(document)))
}

/// Whether a document has an operation that is no query: its keyword stands outside all braces, strings and comments.
pub(super) fn may_write(document: &str) -> bool {
    let (mut depth, mut rest) = (0_u32, document);
    while let Some(first) = rest.chars().next() {
        let mut skip = first.len_utf8();
        match first {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            '#' => skip = rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => skip = string(rest),
            c if c.is_ascii_alphabetic() || c == '_' => {
                skip = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                let word = rest.get(..skip).unwrap_or_default();
                if depth == 0 && matches!(word, "mutation" | "subscription") {
                    return true;
                }
            }
            _ => {}
        }
        rest = rest.get(skip..).unwrap_or_default();
    }
    false
}

/// How long the string is that `text` begins with.
fn string(text: &str) -> usize {
    let quote = if text.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
    let mut at = quote.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(quote) {
            return at + quote.len();
        }
        let escaped = rest.starts_with('\\');
        at += rest.chars().take(if escaped { 2 } else { 1 }).map(char::len_utf8).sum::<usize>();
    }
    text.len()
}

/// Variables as JSON: plain words may be numbers, `true`, `false` or nothing.
fn variables(node: &Node, reading: &mut Reading<'_>) -> Option<serde_json::Value> {
    reading.map(node, "variables")?;
    Some(as_json(node, reading))
}

fn as_json(node: &Node, reading: &mut Reading<'_>) -> serde_json::Value {
    match &node.value {
        Value::Nothing => serde_json::Value::Null,
        Value::Word { text, plain } => {
            patients::note(node, text, reading);
            let text = text.as_str();
            let number =
                serde_json::from_str::<Number>(text).ok().filter(|number| number.to_string() == text);
            match (text, number) {
                _ if !*plain => text.into(),
                ("true", _) => true.into(),
                ("false", _) => false.into(),
                (_, Some(number)) => number.into(),
                (_, None) => text.into(),
            }
        }
        Value::List(items) => items.iter().map(|item| as_json(item, reading)).collect(),
        Value::Map(entries) => {
            let entry = |(key, value): &(super::tree::Key, Node)| (key.word.clone(), as_json(value, reading));
            serde_json::Value::Object(entries.iter().map(entry).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_as_json_and_not_by_its_letters() {
        for (body, asks, writes) in [
            (r#"{"query":"{ mutation(text: \"mutation\") { a } }"}"#, true, false),
            (r#"{"query":"\u006dutation { b }"}"#, false, true),
            (r#"[{"query":"{ a }"},{"query":"mutation { b }"}]"#, false, true),
            (r#"{"id":"4f2a"}"#, false, false),
            ("query { a }", true, false),
            ("mutation { a }", false, true),
        ] {
            assert_eq!((body_asks(body), body_may_write(body)), (asks, writes), "{body}");
        }
    }

    #[test]
    fn a_mutation_is_found_and_what_only_looks_like_one_is_not() {
        for writes in [
            "mutation { remove(id: 1) }",
            "query A { a } mutation B { b }",
            "# a comment\nmutation($a: ID){ b }",
            "subscription { news }",
            "\"\"\"text\"\"\" mutation { b }",
        ] {
            assert!(may_write(writes), "{writes}");
        }
        for reads in [
            "{ mutation }",
            "query mutations { a(text: \"mutation\") }",
            "# mutation\n{ a }",
            "{ a(text: \"\\\" } mutation \") }",
            "{ a(text: \"\"\"mutation { \"\"\") }",
            "",
            "\"",
        ] {
            assert!(!may_write(reads), "{reads}");
        }
    }
}
