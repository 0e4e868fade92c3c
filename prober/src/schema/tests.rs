//! What is said of bodies that do not fit, and that no body takes long.

use super::*;
use domain::Promised;
use hyper::header::HeaderValue;
use serde_json::json;

fn held(schema: &Value) -> Held {
    let promised = Promised {
        status: None,
        bodies: vec![("application/json".to_owned(), Some(0)), ("text/html".to_owned(), None)],
    };
    let contract = Contract {
        request: "GET /lists".to_owned(),
        document: "openapi/x.json".to_owned(),
        answers: vec![promised],
        schemas: vec![schema.to_string().into()],
    };
    Schemas::default().ready(&Arc::new(contract)).unwrap()
}

fn on(held: &Held, body: &Value) -> Expectation {
    let headers = HeaderMap::from_iter([(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/JSON; charset=utf-8"),
    )]);
    held.of_body(200, &headers, Ok(body))
}

fn seen(schema: &Value, body: &Value) -> String {
    on(&held(schema), body).seen
}

#[test]
fn it_is_said_where_and_what_was_expected_and_never_what_is_there() {
    let schema = json!({
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": { "type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 9 },
            "n": { "type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 10, "multipleOf": 2 },
            "code": { "enum": ["final", "amended"] },
            "is": { "const": true },
            "list": { "items": { "$ref": "#/$defs/item" }, "minItems": 1, "maxItems": 2, "uniqueItems": true },
            "any": { "anyOf": [{ "type": "string" }, { "type": "number" }] },
            "maybe": { "anyOf": [{ "$ref": "#/$defs/item" }, { "type": "null" }] },
            "one": { "oneOf": [{ "type": "integer" }, { "type": "number" }] },
            "not": { "not": { "type": "string" } },
            "closed": { "additionalProperties": false, "properties": { "a": true } },
            "open": { "additionalProperties": { "type": "number" } },
            "none": false,
        },
        "$defs": { "item": { "type": "object", "properties": { "name": { "type": "string" } } } },
    });
    for (body, said) in [
        (json!([]), "the whole: should be an object"),
        (json!({}), "the whole: lacks \"id\""),
        (json!({ "id": 9_434_765_919_u64 }), "/id: should be a string"),
        (json!({ "id": "Jones" }), "/id: should match /^[a-z]+$/"),
        (json!({ "id": "j" }), "/id: should have at least 2 characters"),
        (json!({ "id": "jonesjonesjones" }), "/id: should have at most 9 characters"),
        (json!({ "id": "ab", "n": "Jones" }), "/n: should be a whole number or null"),
        (json!({ "id": "ab", "n": 0 }), "/n: should be at least 1"),
        (json!({ "id": "ab", "n": 12 }), "/n: should be less than 10"),
        (json!({ "id": "ab", "n": 3 }), "/n: should be a multiple of 2"),
        (json!({ "id": "ab", "code": "Jones" }), "/code: should be one of \"final\", \"amended\""),
        (json!({ "id": "ab", "is": "Jones" }), "/is: should be true"),
        (json!({ "id": "ab", "list": [] }), "/list: should have at least 1 items"),
        (json!({ "id": "ab", "list": [{}, {}] }), "/list: has an item twice"),
        (json!({ "id": "ab", "list": [{ "name": 1 }] }), "/list/0/name: should be a string"),
        (json!({ "id": "ab", "any": ["Jones"] }), "/any: fits none of 2 schemas"),
        (json!({ "id": "ab", "maybe": { "name": 1 } }), "/maybe/name: should be a string"),
        (json!({ "id": "ab", "one": 1 }), "/one: fits more than one of 2 schemas"),
        (json!({ "id": "ab", "not": "Jones" }), "/not: fits what it should not"),
        (
            json!({ "id": "ab", "closed": { "Jones": 1 } }),
            "/closed: has 1 member that the document does not have",
        ),
        (json!({ "id": "ab", "open": { "Jones": "x" } }), "/open/…: should be a number"),
        (json!({ "id": "ab", "none": "Jones" }), "/none: should not be there"),
    ] {
        let said_of_it = seen(&schema, &body);
        assert!(!said_of_it.contains("ones") || said_of_it.contains("none"), "{said_of_it}");
        assert_eq!(said_of_it, said, "{body}");
    }
    let good = json!({ "id": "ab", "n": null, "maybe": null, "open": { "Jones": 1 }, "Jones": [1] });
    let expectation = on(&held(&schema), &good);
    assert!(expectation.ok, "{}", expectation.seen);
    assert_eq!(expectation.expected, "GET /lists 200 of openapi/x.json");
}

#[test]
fn of_alternatives_the_one_that_the_body_names_is_told() {
    let kind = |word: &str, member: &str| json!({ "required": ["kind"], "properties": { "kind": { "enum": [word] }, member: { "$ref": "#/$defs/any" } } });
    let schema = json!({
        "$ref": "#/$defs/any",
        "$defs": {
            "any": { "oneOf": [{ "$ref": "#/$defs/a" }, { "allOf": [{ "$ref": "#/$defs/b" }] }] },
            "a": kind("a", "x"),
            "b": kind("b", "y"),
        },
    });
    for (body, said) in [
        (json!({ "kind": "a", "x": { "kind": "b", "y": 1 } }), "/x/y: should be an object"),
        (json!({ "kind": "a", "x": { "kind": "b", "y": {} } }), "/x/y: lacks \"kind\""),
        (json!({ "kind": "b", "y": { "kind": "Jones" } }), "/y/kind: should be one of \"a\", \"b\""),
    ] {
        assert_eq!(seen(&schema, &body), said, "{body}");
    }
    assert!(on(&held(&schema), &json!({ "kind": "a", "x": { "kind": "b" }, "y": 1 })).ok);
}

#[test]
fn what_cannot_be_held_against_it_is_said() {
    let held = held(&json!(true));
    let one = json!(1);
    let of = |media_type: &'static str, body| {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        held.of_body(200, &headers, body).seen
    };
    assert_eq!(of("application/json", Err("not JSON")), "not JSON");
    assert_eq!(of("text/html", Ok(&one)), "a Content-Type without a schema");
    assert_eq!(of("text/plain", Ok(&one)), "a Content-Type that it does not have");
    assert_eq!(held.of_body(200, &HeaderMap::new(), Ok(&one)).seen, "no Content-Type");
}

/// Schemas in which every level of a body can be looked at in several ways.
fn doubling() -> [Value; 4] {
    let child = |name: &str| json!({ "properties": { "c": { "$ref": format!("#/$defs/{name}") } } });
    let both = json!([child("n"), child("n")]);
    let failing = json!([
        { "properties": { "c": { "$ref": "#/$defs/n" } }, "required": ["x"] },
        { "properties": { "c": { "$ref": "#/$defs/n" } }, "required": ["y"] },
    ]);
    ["anyOf", "oneOf", "allOf"]
        .map(|keyword| {
            let ways = if keyword == "allOf" { both.clone() } else { failing.clone() };
            json!({ "$ref": "#/$defs/n", "$defs": { "n": { "type": "object", keyword: ways } } })
        })
        .into_iter()
        .chain([json!({ "$ref": "#/$defs/n", "$defs": { "n": {
        "type": "object",
        "patternProperties": { "c": { "$ref": "#/$defs/n" }, "^c": { "$ref": "#/$defs/n" } },
        "additionalProperties": false,
    } } })])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

#[test]
fn the_depth_of_a_body_does_not_double_the_time_with_each_level() {
    for schema in doubling() {
        for (last, whole) in
            [("1", "{\"c\":"), ("{}", "{\"c\":"), ("1", "{\"x\":1,\"c\":"), ("1", "{\"x\":1,\"y\":1,\"c\":")]
        {
            let levels = 120;
            let text = format!("{}{last}{}", whole.repeat(levels), "}".repeat(levels));
            let body: Value = serde_json::from_str(&text).unwrap();
            on(&held(&schema), &body);
        }
    }
}

#[test]
fn a_large_body_that_is_wrong_all_over_is_told_by_its_first() {
    let body = Value::Array(vec![json!(1); 500_000]);
    assert_eq!(seen(&json!({ "items": { "type": "string" } }), &body), "/0: should be a string");
}

#[test]
fn what_cannot_be_compiled_is_said() {
    for (schema, why) in [
        (json!({ "pattern": "(?=a)b" }), "/pattern"),
        (json!({ "pattern": "(a)\\1" }), "/pattern"),
        (json!({ "pattern": "(\\w{1000}){1000}" }), "/pattern"),
        (json!({ "properties": { "a": { "type": "text" } } }), "/properties/a/type"),
        (json!({ "minLength": "1" }), "/minLength"),
        (json!({ "$ref": "https://e.example/x" }), ""),
    ] {
        let said = check_schema(&schema.to_string()).unwrap_err();
        assert!(said.starts_with(why), "{said}");
    }
}

#[test]
fn checks_with_the_same_schema_share_it_and_it_ends_with_the_last() {
    let schemas = Schemas::default();
    let ready = |schema: &Value| schemas.ready(&held(schema).contract).unwrap();
    let first = ready(&json!({ "type": "object" }));
    assert!(Arc::ptr_eq(&first.schemas[0], &ready(&json!({ "type": "object" })).schemas[0]));
    drop(first);
    let _other = ready(&json!({ "type": "array" }));
    assert_eq!(schemas.0.lock().unwrap().len(), 1);
}
