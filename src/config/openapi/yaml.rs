//! An OpenAPI document as YAML: the values that it means, by the core schema of YAML 1.2.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// Deepest nesting: as deep as JSON is read.
const MAX_DEPTH: usize = 127;

enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

/// The one document of a text; says what is wrong and in which line.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let (mut open, mut root): (Vec<Open>, Option<Value>) = (Vec::new(), None);
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| format!("is not YAML: {} in line {}", error.info(), error.marker().line()))?;
        let at = |why: &str| Err(format!("{why} in line {}", span.start.line()));
        let value = match event {
            Event::Alias(_) => return at("has an alias ('*'), which is not followed,"),
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => return at("has a tag ('!')"),
            Event::DocumentStart(_) if root.is_some() => return at("has a second document"),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= MAX_DEPTH => {
                return at("is nested too deep");
            }
            Event::Scalar(text, style, ..) => {
                if let Some(Open::Map(entries, key @ None)) = open.last_mut() {
                    if entries.contains_key(&*text) {
                        return at(&format!("gives the key '{text}' twice"));
                    }
                    *key = Some(text.into_owned());
                    continue;
                }
                if style == ScalarStyle::Plain { plain(&text) } else { Value::String(text.into_owned()) }
            }
            Event::SequenceStart(..) | Event::MappingStart(..)
                if matches!(open.last(), Some(Open::Map(_, None))) =>
            {
                return at("has a key that is no word");
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Value::Array(items),
                Some(Open::Map(entries, _)) => Value::Object(entries),
                None => continue,
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => continue,
        };
        match open.last_mut() {
            None => root = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(entries, key)) => {
                entries.extend(key.take().map(|key| (key, value)));
            }
        }
    }
    root.ok_or_else(|| "is empty".to_owned())
}

/// What a word without quotes means.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let number = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = serde_json::from_str::<Number>(number) {
        return Value::Number(number);
    }
    let digits = number.strip_prefix('-').unwrap_or(number);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.parse::<i64>().map_or_else(|_| Value::String(text.to_owned()), Value::from);
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_mean_what_the_core_schema_says() {
        let text =
            "a: [1, -2.5, +3, 007, true, null, ~, no, '1', 2026-11-28]\n200: { b: }\nc: |\n  two\n  lines\n";
        let value = json!({
            "a": [1, -2.5, 3, 7, true, null, null, "no", "1", "2026-11-28"],
            "200": { "b": null },
            "c": "two\nlines\n",
        });
        assert_eq!(parse(text), Ok(value));
    }

    #[test]
    fn what_is_not_read_is_said() {
        for (text, why) in [
            ("", "is empty"),
            ("a: [", "is not YAML"),
            ("a: &x 1\nb: *x\n", "has an alias ('*'), which is not followed, in line 2"),
            ("a: !!str 1\n", "has a tag ('!') in line 1"),
            ("a: 1\na: 2\n", "gives the key 'a' twice in line 2"),
            ("? [a]\n: 1\n", "has a key that is no word in line 1"),
            ("a: 1\n---\nb: 2\n", "has a second document in line"),
            (&"[".repeat(200), "is nested too deep in line 1"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.starts_with(why), "{text:?}: {said}");
        }
    }
}
