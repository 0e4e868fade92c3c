//! `openapi: openapi/results.json`: an API's own OpenAPI document, which `expect: { schema: openapi }` holds answers
//! against.
//!
//! A path of the document is what an operation's own path is held against: the instance's URL stands in the place of the
//! document's `servers`, which are not read. Of the document only what an operation needs is kept.

mod schema;
mod yaml;

use super::{beside, nearest::did_you_mean, problem::Rank, reading::Reading, tree::Node};
use domain::{Contract, HttpRequest, Method, Promised, Statuses};
use schema::Dialect;
use serde_json::Value;
use std::{cell::RefCell, cmp::Reverse, collections::HashSet, num::ParseIntError, sync::Arc};

/// Largest document, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Longest chain of references.
const MAX_CHAIN: usize = 16;

/// What an API names as its document.
pub(super) enum Named {
    Nothing,
    /// What is wrong with it was said.
    Unusable,
    Document(Document),
}

/// An OpenAPI document.
pub(super) struct Document {
    /// As the configuration names it.
    name: String,
    dialect: Dialect,
    root: Value,
    /// Its schemas that were found good: many operations may share a large one.
    good: RefCell<HashSet<Arc<str>>>,
}

/// What is wrong, and what to do.
type Wrong = (String, Option<String>);

/// Reads the document that a file names.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Named {
    let Some(name) = reading.text(node, "an OpenAPI document") else { return Named::Unusable };
    let Some(text) =
        beside::read(node, (name, "an OpenAPI document", "openapi/results.json"), MAX_BYTES, reading)
    else {
        return Named::Unusable;
    };
    match Document::parse(name, &text) {
        Ok(document) => Named::Document(document),
        Err(why) => {
            reading.wrong(&node.place, format!("{name} {why}"));
            Named::Unusable
        }
    }
}

impl Named {
    /// What it promises of the answers to a request; `None`: it is said why.
    pub(super) fn contract(
        &self,
        asked: &HttpRequest,
        accepted: &[Statuses],
        node: &Node,
        reading: &mut Reading<'_>,
    ) -> Option<Contract> {
        let (message, hint) = match self {
            Self::Unusable => return None,
            Self::Nothing => {
                let hint = "add the key 'openapi' to the API, such as openapi: openapi/results.json";
                ("this API names no OpenAPI document".to_owned(), Some(hint.to_owned()))
            }
            Self::Document(document) => match document.contract(asked, accepted) {
                Ok(contract) => return Some(contract),
                Err(wrong) => wrong,
            },
        };
        reading.problems.error(Rank::Reference, &node.place, message, hint);
        None
    }
}

impl Document {
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?
        } else {
            yaml::parse(text)?
        };
        let version = root.get("openapi").and_then(Value::as_str).unwrap_or_default();
        let dialect = match version.split('.').take(2).collect::<Vec<_>>().as_slice() {
            ["3", "0"] => Dialect::Own,
            ["3", "1" | "2"] => Dialect::Standard,
            _ if root.get("swagger").is_some() => {
                return Err("is of Swagger 2: convert it to OpenAPI 3".to_owned());
            }
            _ => return Err("is no OpenAPI document of version 3.0, 3.1 or 3.2".to_owned()),
        };
        if root.get("jsonSchemaDialect").is_some_and(|dialect| !schema::is_known(dialect)) {
            return Err("has schemas of another dialect ('jsonSchemaDialect')".to_owned());
        }
        Ok(Self { name: name.to_owned(), dialect, root, good: RefCell::default() })
    }

    /// What it promises of the answers to a request, as far as their statuses are accepted (none: 200–299).
    pub(super) fn contract(&self, asked: &HttpRequest, accepted: &[Statuses]) -> Result<Contract, Wrong> {
        let (path, item) = self.path(asked.path.split('?').next().unwrap_or_default())?;
        let plain = |why: String| (why, None);
        let name = &self.name;
        let method = match asked.method {
            Method::Get => "get",
            Method::Post => "post",
            Method::Put => "put",
            Method::Delete => "delete",
            Method::Head => "head",
        };
        let request = format!("{} {path}", method.to_uppercase());
        let operation = self.resolved(item).map_err(plain)?.get(method).ok_or_else(|| {
            let hint = self.resolved(item).ok().and_then(|item| did_you_mean(method, methods(item)));
            (format!("{name} has no '{method}' of {path}"), hint)
        })?;
        let responses = operation.get("responses").and_then(Value::as_object);
        let of_class = [Statuses::Class(2)];
        let accepted = if accepted.is_empty() { &of_class } else { accepted };
        let mut contract =
            Contract { request, document: name.clone(), answers: Vec::new(), schemas: Vec::new() };
        let mut named = Vec::new();
        for (key, response) in responses.into_iter().flatten() {
            let Ok(status) = status(key) else { continue };
            named.push(key.as_str());
            if status.is_none_or(|status| accepted.iter().any(|accepted| overlap(*accepted, status))) {
                let bodies = self
                    .bodies(response, &mut contract.schemas)
                    .map_err(|why| plain(format!("{name}, {} {key}: {why}", contract.request)))?;
                contract.answers.push(Promised { status, bodies });
            }
        }
        let hint = (!named.is_empty()).then(|| format!("it has: {}", named.join(", ")));
        for one in accepted {
            if let Statuses::One(one) = one
                && contract.answer(*one).is_none()
            {
                return Err((format!("{name} has no response {one} to {}", contract.request), hint));
            }
        }
        let has_schema = accepted.iter().any(|accepted| match accepted {
            Statuses::One(one) => contract.answer(*one).is_some_and(Promised::has_schema),
            Statuses::Class(_) => contract.answers.iter().any(Promised::has_schema),
        });
        if !has_schema {
            let codes: Vec<String> = accepted.iter().map(Statuses::to_string).collect();
            let message = format!(
                "{name} has no schema of a JSON response {} to {}",
                codes.join(" or "),
                contract.request
            );
            return Err((message, hint));
        }
        Ok(contract)
    }

    /// The path that this one is an instance of, the one with the fewest templates.
    fn path(&self, asked: &str) -> Result<(&str, &Value), Wrong> {
        let asked = if asked.is_empty() { "/" } else { asked };
        let paths = self.root.get("paths").and_then(Value::as_object);
        let all = paths.into_iter().flatten().filter(|(path, _)| path.starts_with('/'));
        let found = all
            .clone()
            .filter(|(path, _)| is_instance(asked, path))
            .min_by_key(|(path, _)| (path.matches('{').count(), Reverse(path.len())));
        found.map(|(path, item)| (path.as_str(), item)).ok_or_else(|| {
            let hint = did_you_mean(asked, all.map(|(path, _)| path.as_str()));
            (format!("{} has no path {asked}", self.name), hint)
        })
    }

    /// What stands there, or where its references lead.
    fn resolved<'d>(&'d self, mut value: &'d Value) -> Result<&'d Value, String> {
        for _ in 0..MAX_CHAIN {
            let Some(target) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
            value = schema::follow(&self.root, target)?;
        }
        Err("its references lead in a circle".to_owned())
    }

    /// A schema, if it is one.
    fn good(&self, text: &str) -> Result<Arc<str>, String> {
        if let Some(known) = self.good.borrow().get(text) {
            return Ok(Arc::clone(known));
        }
        prober::check_schema(text)?;
        let text: Arc<str> = text.into();
        self.good.borrow_mut().insert(Arc::clone(&text));
        Ok(text)
    }

    /// What a response says of its body; its schemas are put among `schemas`.
    fn bodies(
        &self,
        response: &Value,
        schemas: &mut Vec<Arc<str>>,
    ) -> Result<Vec<(String, Option<usize>)>, String> {
        let content = self.resolved(response)?.get("content").and_then(Value::as_object);
        let mut bodies = Vec::new();
        for (media_type, body) in content.into_iter().flatten() {
            let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let schema = self.resolved(body)?.get("schema").filter(|_| is_json(&media_type));
            let number = match schema {
                None => None,
                Some(schema) => {
                    let text = self.good(&schema::whole(&self.root, self.dialect, schema)?)?;
                    let known = schemas.iter().position(|known| *known == text);
                    Some(known.unwrap_or_else(|| {
                        schemas.push(text);
                        schemas.len() - 1
                    }))
                }
            };
            bodies.push((media_type, number));
        }
        Ok(bodies)
    }
}

/// `200`, `2XX`, or `default` (none in particular); an error where it is no status at all.
fn status(key: &str) -> Result<Option<Statuses>, ParseIntError> {
    if key == "default" {
        return Ok(None);
    }
    Ok(Some(match key.strip_suffix("XX").or_else(|| key.strip_suffix("xx")) {
        Some(class) => Statuses::Class(class.parse()?),
        None => Statuses::One(key.parse()?),
    }))
}

/// Whether a status may be both.
const fn overlap(one: Statuses, other: Statuses) -> bool {
    match (one, other) {
        (Statuses::One(code), statuses) | (statuses, Statuses::One(code)) => statuses.contain(code),
        (Statuses::Class(one), Statuses::Class(other)) => one == other,
    }
}

fn is_json(media_type: &str) -> bool {
    media_type.ends_with("/json") || media_type.ends_with("+json") || media_type.ends_with("/*")
}

/// The methods that a path has.
fn methods(item: &Value) -> Vec<&str> {
    let all = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    all.into_iter().filter(|method| item.get(method).is_some()).collect()
}

/// Whether a path is one of those that a template such as `/Patient/{id}` stands for.
fn is_instance(path: &str, template: &str) -> bool {
    let (mut parts, mut templates) = (path.split('/'), template.split('/'));
    loop {
        match (parts.next(), templates.next()) {
            (None, None) => return true,
            (Some(part), Some(template)) if fits(part, template) => {}
            _ => return false,
        }
    }
}

/// Whether one part of a path fits one of a template; each name in braces stands for one character at least.
fn fits(part: &str, template: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else { return part == template };
    let Some((_, after)) = rest.split_once('}') else { return part == template };
    let Some(part) = part.strip_prefix(before) else { return false };
    part.char_indices()
        .skip(1)
        .map(|(at, _)| at)
        .chain([part.len()])
        .any(|at| at > 0 && part.get(at..).is_some_and(|part| fits(part, after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_instance_of_its_template() {
        for (path, template, is) in [
            ("/lists", "/lists", true),
            ("/lists/", "/lists", false),
            ("/Patient/9990000018", "/Patient/{id}", true),
            ("/Patient/", "/Patient/{id}", false),
            ("/Patient/1/2", "/Patient/{id}", false),
            ("/Patient/1/_history/2", "/Patient/{id}/_history/{version}", true),
            ("/files/a.b.json", "/files/{name}.json", true),
            ("/files/.json", "/files/{name}.json", false),
            ("/a-b", "/{x}-{y}", true),
            ("/a-", "/{x}-{y}", false),
            ("/{x", "/{x", true),
        ] {
            assert_eq!(is_instance(path, template), is, "{path} {template}");
        }
    }
}
