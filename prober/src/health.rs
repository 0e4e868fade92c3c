//! What an API says of its own health, in any of the forms that are met (domain.md §2.2), in one vocabulary.

use crate::{answer, scrub::scrubbed};
use domain::{HealthWords, Says};
use serde_json::{Map, Value};

/// Names of parts that are kept.
const FAILING: usize = 16;

/// The members that hold an API's parts: NHS England and health+json, DHCW, Spring Boot, ASP.NET.
const PARTS: [&str; 6] = ["checks", "dependencies", "components", "details", "entries", "results"];

/// Reads a health body: `None` where it says nothing about health.
///
/// Read are: `{"status": …}` with `checks` (NHS England, `application/health+json`), `dependencies` (DHCW),
/// `components` (Spring Boot) or `entries` (ASP.NET), also as a list of parts with names (`MicroProfile`); the two `_ping`
/// bodies; and plain text. Words and names of members in any case.
pub fn health_words(body: &[u8]) -> Option<HealthWords> {
    match answer::parsed(body) {
        Ok(value) => of_json(&value),
        Err(_) => of_text(std::str::from_utf8(body).ok()?),
    }
}

/// As [`health_words`], of a body that has been parsed already.
pub(crate) fn of_json(body: &Value) -> Option<HealthWords> {
    let body = match body {
        Value::String(text) => return of_text(text),
        Value::Object(body) => body,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    let parts = parts(body);
    let says = match member(body, "status") {
        Some(status) => word_of(status)?,
        None => parts
            .iter()
            .filter_map(|(_, part)| part_says(part))
            .max_by_key(|says| severity(*says))
            .or_else(|| ping(body))?,
    };
    let failing = parts
        .iter()
        .filter(|(_, part)| part_says(part).is_some_and(|says| says != Says::Pass))
        .map(|(name, _)| scrubbed(name))
        .take(FAILING)
        .collect();
    Some(HealthWords { says, version: version(body), failing })
}

/// A member by its name, in any case where there is none of exactly this: some serialisers write `Status`.
fn member<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b Value> {
    let in_any_case = || body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    body.get(name).or_else(in_any_case)
}

/// The parts of an API with their names.
fn parts(body: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let named = |part| Some((member(Value::as_object(part)?, "name")?.as_str()?, part));
    let mut all = Vec::new();
    for value in PARTS.iter().filter_map(|name| member(body, name)) {
        match value {
            Value::Object(parts) => all.extend(parts.iter().map(|(name, part)| (name.as_str(), part))),
            Value::Array(parts) => all.extend(parts.iter().filter_map(named)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    all
}

fn of_text(text: &str) -> Option<HealthWords> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let says = if text.eq_ignore_ascii_case("pong") { Says::Pass } else { says(text)? };
    Some(HealthWords { says, version: None, failing: Vec::new() })
}

/// The one vocabulary.
fn says(word: &str) -> Option<Says> {
    const WORDS: [(&str, Says); 15] = [
        ("pass", Says::Pass),
        ("up", Says::Pass),
        ("ok", Says::Pass),
        ("healthy", Says::Pass),
        ("success", Says::Pass),
        ("warn", Says::Warn),
        ("warning", Says::Warn),
        ("degraded", Says::Warn),
        ("fail", Says::Fail),
        ("failed", Says::Fail),
        ("down", Says::Fail),
        ("error", Says::Fail),
        ("unhealthy", Says::Fail),
        ("out_of_service", Says::Fail),
        ("unavailable", Says::Fail),
    ];
    let word = word.trim();
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, says)| *says)
}

/// A status is a word, or (Spring Boot 2) an object with a code.
fn word_of(status: &Value) -> Option<Says> {
    let code = status.as_object().and_then(|status| member(status, "code"));
    says(code.unwrap_or(status).as_str()?)
}

fn severity(says: Says) -> u8 {
    match says {
        Says::Pass => 0,
        Says::Warn => 1,
        Says::Fail => 2,
    }
}

/// What one part says: a word, an object with a status, or a list of those, of which the worst counts.
fn part_says(part: &Value) -> Option<Says> {
    match part {
        Value::String(word) => says(word),
        Value::Bool(well) => Some(if *well { Says::Pass } else { Says::Fail }),
        Value::Array(items) => items.iter().filter_map(part_says).max_by_key(|says| severity(*says)),
        Value::Object(part) => match member(part, "status") {
            Some(status) => word_of(status),
            None => timed_out(part).then_some(Says::Fail),
        },
        Value::Null | Value::Number(_) => None,
    }
}

/// NHS England's `timeout`, a boolean or the text `"true"`.
fn timed_out(part: &Map<String, Value>) -> bool {
    member(part, "timeout").is_some_and(|timeout| match timeout {
        Value::Bool(timed_out) => *timed_out,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    })
}

/// The two `_ping` bodies: `{message: "pong"}`, and NHS England's `{version, revision, releaseId, commitId}`.
fn ping(body: &Map<String, Value>) -> Option<Says> {
    let pong =
        member(body, "message").and_then(Value::as_str).is_some_and(|word| word.eq_ignore_ascii_case("pong"));
    let release = ["revision", "releaseId", "commitId"].iter().any(|name| member(body, name).is_some());
    (pong || (release && member(body, "version").is_some())).then_some(Says::Pass)
}

fn version(body: &Map<String, Value>) -> Option<String> {
    ["version", "releaseId", "commitId"].iter().find_map(|name| match member(body, name)? {
        Value::String(text) if !text.is_empty() => Some(scrubbed(text)),
        Value::Number(number) => Some(scrubbed(&number.to_string())),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Option<(Says, Option<&str>, &[&str])>) {
        let expected = expected.map(|(says, version, failing)| HealthWords {
            says,
            version: version.map(str::to_owned),
            failing: failing.iter().map(|name| (*name).to_owned()).collect(),
        });
        assert_eq!(health_words(body.as_bytes()), expected, "{body}");
    }

    #[test]
    fn nhs_england_status() {
        check(
            r#"{"status":"pass","version":"v1.2.3","revision":"7","releaseId":"r","commitId":"c","checks":{"healthcheckService:status":[{"status":"pass","timeout":"false","responseCode":200,"outcome":"OK","links":{"self":"https://x"}}]}}"#,
            Some((Says::Pass, Some("v1.2.3"), &[])),
        );
        check(
            r#"{"status":"fail","version":"v1","checks":{"spine:status":[{"status":"fail","timeout":"true","responseCode":null}],"other:status":[{"status":"pass","timeout":false}]}}"#,
            Some((Says::Fail, Some("v1"), &["spine:status"])),
        );
        check(
            r#"{"status":"fail","checks":{"spine:status":[{"timeout":"true","responseCode":null}]}}"#,
            Some((Says::Fail, None, &["spine:status"])),
        );
        check(
            r#"{"status":"fail","checks":{"spine:status":[{"timeout":true}]}}"#,
            Some((Says::Fail, None, &["spine:status"])),
        );
        check(
            r#"{"version":"1","revision":"2","releaseId":"3","commitId":"4"}"#,
            Some((Says::Pass, Some("1"), &[])),
        );
    }

    #[test]
    fn dhcw_exemplar() {
        check(r#"{"message":"pong","timestamp":"2026-11-20T12:00:00Z"}"#, Some((Says::Pass, None, &[])));
        check(
            r#"{"status":"UP","version":"1.0.0","timestamp":"2026-11-20T12:00:00Z","dependencies":{"mpi":"UP"}}"#,
            Some((Says::Pass, Some("1.0.0"), &[])),
        );
        check(
            r#"{"status":"DEGRADED","dependencies":{"mpi":"DOWN","cache":"UP","audit":"DEGRADED"}}"#,
            Some((Says::Warn, None, &["audit", "mpi"])),
        );
        check(r#"{"status":"DOWN","dependencies":{"mpi":"DOWN"}}"#, Some((Says::Fail, None, &["mpi"])));
        // What the API says of itself stands; the part is named all the same.
        check(r#"{"status":"UP","dependencies":{"mpi":"DOWN"}}"#, Some((Says::Pass, None, &["mpi"])));
    }

    #[test]
    fn health_json_spring_and_asp_net() {
        check(r#"{"status":"warn","version":1,"releaseId":"1.2.2"}"#, Some((Says::Warn, Some("1"), &[])));
        check(r#"{"status":"pass","releaseId":"1.2.2"}"#, Some((Says::Pass, Some("1.2.2"), &[])));
        check(
            r#"{"status":"DOWN","components":{"db":{"status":"DOWN"},"disk":{"status":"UP"}}}"#,
            Some((Says::Fail, None, &["db"])),
        );
        check(r#"{"status":{"code":"OUT_OF_SERVICE"}}"#, Some((Says::Fail, None, &[])));
        check(
            r#"{"status":"Degraded","entries":{"sql":{"status":"Unhealthy"},"bus":{"status":"Healthy"}}}"#,
            Some((Says::Warn, None, &["sql"])),
        );
        check(r#"{"checks":{"a":"up","b":["pass","warn"]}}"#, Some((Says::Warn, None, &["b"])));
        check(r#"{"checks":{"a":true,"b":false}}"#, Some((Says::Fail, None, &["b"])));
    }

    #[test]
    fn members_in_any_case_and_parts_in_a_list() {
        check(
            r#"{"Status":"Unhealthy","TotalDuration":"0","Entries":{"sql":{"Status":"Unhealthy"},"bus":{"Status":"Healthy"}}}"#,
            Some((Says::Fail, None, &["sql"])),
        );
        check(r#"{"STATUS":"UP","Version":"2.1"}"#, Some((Says::Pass, Some("2.1"), &[])));
        check(r#"{"Message":"pong"}"#, Some((Says::Pass, None, &[])));
        check(r#"{"status":"UP","Status":"DOWN"}"#, Some((Says::Pass, None, &[])));
        check(
            r#"{"status":"DOWN","checks":[{"name":"db","status":"DOWN","data":{}},{"name":"disk","status":"UP"},{"status":"DOWN"},7]}"#,
            Some((Says::Fail, None, &["db"])),
        );
        check(
            r#"{"checks":[{"name":"db","status":"DOWN"},{"name":"disk","status":"UP"}]}"#,
            Some((Says::Fail, None, &["db"])),
        );
    }

    #[test]
    fn words_in_any_case_and_plain_text() {
        for (word, expected) in [
            ("pass", Says::Pass),
            ("PASS", Says::Pass),
            ("ok", Says::Pass),
            ("OK", Says::Pass),
            ("up", Says::Pass),
            ("Up", Says::Pass),
            ("healthy", Says::Pass),
            ("warn", Says::Warn),
            ("degraded", Says::Warn),
            ("DEGRADED", Says::Warn),
            ("fail", Says::Fail),
            ("Down", Says::Fail),
            ("error", Says::Fail),
            ("ERROR", Says::Fail),
            ("Unhealthy", Says::Fail),
        ] {
            check(&format!(r#"{{"status":"{word}"}}"#), Some((expected, None, &[])));
            check(word, Some((expected, None, &[])));
            check(&format!(" {word}\r\n"), Some((expected, None, &[])));
            check(&format!("\"{word}\""), Some((expected, None, &[])));
        }
        check("\u{feff}{\"status\":\"UP\"}", Some((Says::Pass, None, &[])));
        check("\u{feff}Healthy", Some((Says::Pass, None, &[])));
        check("pong", Some((Says::Pass, None, &[])));
    }

    #[test]
    fn what_says_nothing_about_health_is_not_guessed() {
        for body in [
            "",
            "{",
            "[]",
            "null",
            "true",
            "17",
            "{}",
            "<html>OK</html>",
            "It is healthy",
            "unknown",
            r#"{"status":"UNKNOWN"}"#,
            r#"{"status":true}"#,
            r#"{"status":null}"#,
            r#"{"status":200}"#,
            r#"{"message":"hello"}"#,
            r#"{"version":"1"}"#,
            r#"{"checks":{}}"#,
            r#"{"checks":[]}"#,
        ] {
            check(body, None);
        }
        assert_eq!(health_words(&[0xff, 0xfe, 0x00]), None);
    }

    #[test]
    fn names_are_bounded_and_scrubbed() {
        let parts: Vec<String> = (0..40).map(|n| format!(r#""part {n:02}":"DOWN""#)).collect();
        let words =
            health_words(format!(r#"{{"status":"DOWN","dependencies":{{{}}}}}"#, parts.join(",")).as_bytes())
                .unwrap();
        assert_eq!(words.failing.len(), 16);
        check(
            r#"{"status":"DOWN","dependencies":{"9434765919":"DOWN"}}"#,
            Some((Says::Fail, None, &["[number removed]"])),
        );
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        check(&deep, None);
    }
}
