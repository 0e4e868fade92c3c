//! A body held against the schema that the API's own document promises.
//!
//! What is held against is compiled once and shared by all checks that need it. Patterns are matched by an engine that
//! takes time in proportion to its input, and what a schema that refers to itself says of a part of a body is found once:
//! no body takes long, whatever its shape.

mod told;

use domain::{Contract, Expectation};
use hyper::{HeaderMap, header};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

/// Largest compiled pattern, in bytes.
const PATTERN_SIZE: usize = 256 * 1024;

/// All schemas there are, so that checks with the same one share it.
#[derive(Default)]
pub(crate) struct Schemas(Mutex<HashMap<Arc<str>, Weak<Schema>>>);

impl Schemas {
    /// Makes a contract ready; says what cannot be compiled.
    pub(crate) fn ready(&self, contract: &Arc<Contract>) -> Result<Held, String> {
        let schemas = contract.schemas.iter().map(|text| self.schema(text)).collect::<Result<_, _>>();
        let schemas =
            schemas.map_err(|why| format!("the schema of '{}' cannot be used: {why}", contract.request))?;
        Ok(Held { contract: Arc::clone(contract), schemas })
    }

    fn schema(&self, text: &Arc<str>) -> Result<Arc<Schema>, String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = known.get(text).and_then(Weak::upgrade) {
            return Ok(schema);
        }
        known.retain(|_, schema| schema.strong_count() > 0);
        let validator = compiled(&parsed(text)?)?;
        let schema = Arc::new(Schema { text: Arc::clone(text), validator, teller: OnceLock::new() });
        known.insert(Arc::clone(text), Arc::downgrade(&schema));
        Ok(schema)
    }
}

/// A contract, with its schemas compiled.
#[derive(Clone)]
pub(crate) struct Held {
    contract: Arc<Contract>,
    /// In the order of the contract's own.
    schemas: Vec<Arc<Schema>>,
}

struct Schema {
    text: Arc<str>,
    validator: Validator,
    /// What says why a body is not good: needed by few, so made when the first is not. `None`: it cannot be made.
    teller: OnceLock<Option<told::Teller>>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("request", &self.contract.request).finish_non_exhaustive()
    }
}

/// Checks that a whole JSON Schema can be held against; says why not.
///
/// # Errors
///
/// It is no schema, or has a pattern that looks around or back.
pub fn check_schema(schema: &str) -> Result<(), String> {
    compiled(&parsed(schema)?).map(|_| ())
}

fn parsed(schema: &str) -> Result<Value, String> {
    serde_json::from_str(schema).map_err(|error| format!("the schema is no JSON: {error}"))
}

/// Formats are not judged: what they mean differs from one program to the next.
fn compiled(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE))
        .offline()
        .build(schema)
        .map_err(|error| format!("{}: {}", error.instance_path(), told::of_schema(&error)))
}

impl Held {
    /// On a body, or on why it is no JSON.
    pub(crate) fn of_body(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: Result<&Value, &str>,
    ) -> Expectation {
        let Contract { request, document, .. } = &*self.contract;
        let expected = format!("{request} {status} of {document}");
        let (ok, seen) = match self.violation(status, headers, body) {
            Ok(so) => (true, so.to_owned()),
            Err(why) => (false, why),
        };
        Expectation { what: "schema".to_owned(), expected, seen, ok }
    }

    fn violation(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: Result<&Value, &str>,
    ) -> Result<&'static str, String> {
        let answer = self.contract.answer(status).ok_or("a status that it does not have")?;
        if answer.bodies.is_empty() {
            return Ok("so it is: it says nothing of a body");
        }
        let media_type = headers.get(header::CONTENT_TYPE).ok_or("no Content-Type")?;
        let media_type = String::from_utf8_lossy(media_type.as_bytes());
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let schema = answer.body(&media_type).ok_or("a Content-Type that it does not have")?;
        let body = body.map_err(str::to_owned)?;
        let schema =
            schema.and_then(|number| self.schemas.get(number)).ok_or("a Content-Type without a schema")?;
        if schema.validator.is_valid(body) {
            return Ok("so it is");
        }
        let teller = schema.teller.get_or_init(|| told::Teller::new(&parsed(&schema.text).ok()?));
        Err(teller
            .as_ref()
            .and_then(|teller| teller.of(body))
            .unwrap_or_else(|| "it does not fit".to_owned()))
    }
}

#[cfg(test)]
mod tests;
