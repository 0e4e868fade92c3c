//! From the schemas of an OpenAPI document to a whole JSON Schema (2020-12) of its own, with all that it refers to and
//! nothing that describes only.

use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Largest schema with all that it refers to, in bytes.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// What the keywords of a document mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAPI 3.0: a JSON Schema of its own.
    Own,
    /// OpenAPI 3.1 and later: JSON Schema 2020-12.
    Standard,
}

const ONE: [&str; 10] = [
    "additionalProperties",
    "items",
    "not",
    "contains",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const SEVERAL: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];
const PLAIN: [&str; 20] = [
    "type",
    "enum",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "required",
    "const",
    "dependentRequired",
    "maxContains",
    "minContains",
];
/// Of those, what OpenAPI 3.0 does not have: there they describe only.
const NOT_OWN: [&str; 15] = [
    "contains",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "prefixItems",
    "patternProperties",
    "dependentSchemas",
    "const",
    "dependentRequired",
    "maxContains",
    "minContains",
    "$schema",
];
/// What changes where a reference leads.
const REFUSED: [&str; 5] = ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef"];

/// Dialects that JSON Schema 2020-12 covers.
const KNOWN: [&str; 2] =
    ["https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base"];

/// Whether a document may say that its schemas are of this dialect.
pub(super) fn is_known(dialect: &Value) -> bool {
    dialect.as_str().is_some_and(|dialect| KNOWN.contains(&dialect.trim_end_matches('#')))
}

/// Where a reference leads within the document.
pub(super) fn follow<'d>(root: &'d Value, target: &str) -> Result<&'d Value, String> {
    let short = || target.chars().take(100).collect::<String>();
    let Some(pointer) = target.strip_prefix('#') else {
        return Err(format!("'$ref: {}' leads out of the document, and nothing is fetched", short()));
    };
    root.pointer(&decoded(pointer)).ok_or_else(|| format!("'$ref: {}' leads nowhere", short()))
}

/// A fragment of a URI without its percent signs.
fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.filter(|_| *first == b'%').and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The schema as a whole one, as text; says what in it cannot be used.
pub(super) fn whole(root: &Value, dialect: Dialect, schema: &Value) -> Result<String, String> {
    let mut gathered = Gathered { root, dialect, names: HashMap::new(), waiting: Vec::new() };
    let converted = gathered.convert(schema)?;
    let mut definitions = Map::new();
    while let Some((target, name)) = gathered.waiting.pop() {
        let definition =
            gathered.convert(follow(root, &target)?).map_err(|why| format!("{why}, in {target}"))?;
        definitions.insert(name, definition);
    }
    let mut whole = Map::new();
    match converted.as_object() {
        Some(schema) => whole.extend(schema.clone()),
        None => whole.extend([("allOf".to_owned(), json!([converted]))]),
    }
    whole.insert("$defs".to_owned(), Value::Object(definitions));
    let text = Value::Object(whole).to_string();
    if text.len() > MAX_BYTES {
        return Err(format!(
            "its schema leads to {} KiB of others; {} are used at most",
            text.len() / 1024,
            MAX_BYTES / 1024
        ));
    }
    Ok(text)
}

struct Gathered<'d> {
    root: &'d Value,
    dialect: Dialect,
    /// What is referred to, and what it is called here.
    names: HashMap<String, String>,
    /// Of those, what is still to be converted.
    waiting: Vec<(String, String)>,
}

impl Gathered<'_> {
    /// What a reference is here.
    fn reference(&mut self, target: &Value) -> Result<Value, String> {
        let target = target.as_str().ok_or("a '$ref' is no text")?;
        follow(self.root, target)?;
        if let Some(name) = self.names.get(target) {
            return Ok(json!(format!("#/$defs/{name}")));
        }
        let last = target.rsplit('/').next().unwrap_or_default();
        let plain: String =
            last.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).collect();
        let taken = self.names.values().any(|known| *known == plain);
        let name = if taken || plain.is_empty() { format!("{plain}.{}", self.names.len()) } else { plain };
        self.names.insert(target.to_owned(), name.clone());
        self.waiting.push((target.to_owned(), name.clone()));
        Ok(json!(format!("#/$defs/{name}")))
    }

    fn convert(&mut self, schema: &Value) -> Result<Value, String> {
        let members = match schema {
            Value::Object(members) => members,
            Value::Bool(_) => return Ok(schema.clone()),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err("a schema is a map".to_owned());
            }
        };
        let mut out = Map::new();
        if let Some(target) = members.get("$ref") {
            out.insert("$ref".to_owned(), self.reference(target)?);
            if self.dialect == Dialect::Own {
                // What stands beside it has no meaning there.
                return Ok(Value::Object(out));
            }
        }
        for (keyword, value) in members {
            let word = keyword.as_str();
            if self.dialect == Dialect::Own && NOT_OWN.contains(&word) {
                continue;
            }
            let converted = if ONE.contains(&word) {
                self.convert(value)?
            } else if SEVERAL.contains(&word) {
                let schemas = value.as_array().ok_or_else(|| format!("'{word}' is no list"))?;
                Value::Array(schemas.iter().map(|schema| self.convert(schema)).collect::<Result<_, _>>()?)
            } else if NAMED.contains(&word) {
                let schemas = value.as_object().ok_or_else(|| format!("'{word}' is no map"))?;
                let named = schemas.iter().map(|(name, schema)| Ok((name.clone(), self.convert(schema)?)));
                Value::Object(named.collect::<Result<_, String>>()?)
            } else if PLAIN.contains(&word) {
                value.clone()
            } else if self.dialect == Dialect::Standard
                && (REFUSED.contains(&word) || (word == "$schema" && !is_known(value)))
            {
                return Err(format!("'{word}' is not understood"));
            } else {
                continue;
            };
            out.insert(keyword.clone(), converted);
        }
        if self.dialect == Dialect::Own {
            self.own(members, &mut out);
        }
        Ok(Value::Object(out))
    }

    /// What OpenAPI 3.0 writes in a way of its own.
    fn own(&self, members: &Map<String, Value>, out: &mut Map<String, Value>) {
        let is = |keyword: &str| members.get(keyword) == Some(&Value::Bool(true));
        // Without a type it has no meaning; an `enum` lists null itself, or does not allow it.
        if let (true, Some(Value::String(kind))) = (is("nullable"), out.get("type")) {
            let kinds = json!([kind, "null"]);
            out.insert("type".to_owned(), kinds);
        }
        for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if out.get(exclusive).is_some_and(Value::is_boolean) {
                out.remove(exclusive);
                if is(exclusive)
                    && let Some(limit) = out.remove(limit)
                {
                    out.insert(exclusive.to_owned(), limit);
                }
            }
        }
        // What only requests carry is required of requests only.
        let written_only = |name: &Value| {
            let property = members.get("properties").and_then(|all| all.get(name.as_str()?));
            let target = property.and_then(|property| property.get("$ref")).and_then(Value::as_str);
            let property = target.and_then(|target| follow(self.root, target).ok()).or(property);
            property.and_then(|property| property.get("writeOnly")) == Some(&Value::Bool(true))
        };
        if let Some(Value::Array(required)) = out.get_mut("required") {
            required.retain(|name| !written_only(name));
        }
        // By the letter of 3.0.3 'nullable' has no meaning without a type. But generators (Swashbuckle, NSwag) write it beside
        // an 'allOf' of one reference, and what they mean is that null may be there.
        let made_of_others = ["allOf", "anyOf", "oneOf"].iter().any(|word| out.contains_key(*word));
        if is("nullable") && made_of_others && !out.contains_key("type") {
            let others = std::mem::take(out);
            out.insert("anyOf".to_owned(), json!([others, { "type": "null" }]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(dialect: Dialect, document: &Value) -> Result<Value, String> {
        let text = whole(document, dialect, &document["schema"])?;
        Ok(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn the_dialect_of_3_0_is_converted() {
        let document = json!({
            "schema": {
                "type": "object", "title": "x", "example": {}, "const": 1, "patternProperties": {},
                "required": ["a", "secret", "password"],
                "properties": {
                    "a": { "type": "string", "nullable": true, "format": "date" },
                    "b": { "type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false },
                    "c": { "$ref": "#/components/schemas/C", "nullable": true },
                    "d": { "nullable": true },
                    "e": { "nullable": true, "allOf": [{ "$ref": "#/components/schemas/C" }], "description": "x" },
                    "f": { "nullable": true, "type": "object", "oneOf": [{ "minProperties": 1 }] },
                    "g": { "nullable": false, "anyOf": [{ "type": "string" }] },
                    "secret": { "type": "string", "writeOnly": true },
                    "password": { "$ref": "#/components/schemas/Password" },
                },
            },
            "components": { "schemas": {
                "C": { "items": { "$ref": "#/components/schemas/C" }, "discriminator": { "propertyName": "x" } },
                "Password": { "type": "string", "writeOnly": true },
                "Unused": { "$ref": "https://elsewhere.example/x" },
            } },
        });
        let expected = json!({
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": { "type": ["string", "null"] },
                "b": { "type": "integer", "exclusiveMinimum": 1, "maximum": 9 },
                "c": { "$ref": "#/$defs/C" },
                "d": {},
                "e": { "anyOf": [{ "allOf": [{ "$ref": "#/$defs/C" }] }, { "type": "null" }] },
                "f": { "type": ["object", "null"], "oneOf": [{ "minProperties": 1 }] },
                "g": { "anyOf": [{ "type": "string" }] },
                "secret": { "type": "string" },
                "password": { "$ref": "#/$defs/Password" },
            },
            "$defs": { "C": { "items": { "$ref": "#/$defs/C" } }, "Password": { "type": "string" } },
        });
        assert_eq!(converted(Dialect::Own, &document), Ok(expected));
    }

    #[test]
    fn the_dialect_of_3_1_is_kept() {
        let document = json!({
            "schema": { "$ref": "#/a~1b/%7Bc%7D", "type": ["object", "null"], "const": { "$ref": "no" }, "description": "x" },
            "a/b": { "{c}": { "prefixItems": [true, { "exclusiveMinimum": 1 }], "$comment": "x" } },
        });
        let expected = json!({
            "$ref": "#/$defs/7Bc7D",
            "type": ["object", "null"],
            "const": { "$ref": "no" },
            "$defs": { "7Bc7D": { "prefixItems": [true, { "exclusiveMinimum": 1 }] } },
        });
        assert_eq!(converted(Dialect::Standard, &document), Ok(expected));
    }

    #[test]
    fn definitions_of_the_same_name_are_kept_apart() {
        let document = json!({
            "schema": { "anyOf": [{ "$ref": "#/a/X" }, { "$ref": "#/b/X" }] },
            "a": { "X": { "type": "string" } },
            "b": { "X": { "type": "null" } },
        });
        let expected = json!({
            "anyOf": [{ "$ref": "#/$defs/X" }, { "$ref": "#/$defs/X.1" }],
            "$defs": { "X": { "type": "string" }, "X.1": { "type": "null" } },
        });
        assert_eq!(converted(Dialect::Standard, &document), Ok(expected));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (schema, why) in [
            (
                json!({ "$ref": "https://e.example/x" }),
                "'$ref: https://e.example/x' leads out of the document, and nothing is fetched",
            ),
            (
                json!({ "$ref": "other.json#/x" }),
                "'$ref: other.json#/x' leads out of the document, and nothing is fetched",
            ),
            (json!({ "$ref": "#/x" }), "'$ref: #/x' leads nowhere"),
            (json!({ "$ref": 1 }), "a '$ref' is no text"),
            (json!([]), "a schema is a map"),
            (json!({ "allOf": {} }), "'allOf' is no list"),
            (json!({ "$id": "x" }), "'$id' is not understood"),
            (json!({ "$schema": "http://json-schema.org/draft-07/schema#" }), "'$schema' is not understood"),
        ] {
            assert_eq!(whole(&json!({}), Dialect::Standard, &schema), Err(why.to_owned()));
        }
    }
}
