//! What is said of a body that does not fit its schema: where, and what was expected; never what is there (invariant 14).

use super::compiled;
use crate::scrub::scrubbed;
use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// Longest chain of references in which the word of an alternative is looked for.
const MAX_CHAIN: usize = 8;

/// Says why a body does not fit.
///
/// It is compiled from a plainer schema than the one that decides. The library describes every way in which every one of
/// several alternatives is missed: in a schema that refers to itself, that doubles with each level of a body. Here
/// alternatives are only tried, not described, unless a word in the body chooses one; and of what refers to itself only one
/// way is followed.
pub(super) struct Teller {
    validator: Validator,
    /// The names of members that the schema knows; any other may be about somebody.
    names: HashSet<String>,
}

impl Teller {
    /// `None`: the schema cannot be made plainer.
    pub(super) fn new(schema: &Value) -> Option<Self> {
        let whole = Whole { schema, cyclic: cyclic(schema) };
        let validator = compiled(&plainer(schema, &whole)).ok()?;
        let mut names = HashSet::new();
        note_names(schema, &mut names);
        Some(Self { validator, names })
    }

    /// The first that is wrong: `/entry/0/id: should be a string`. `None`: nothing that can be said.
    pub(super) fn of(&self, body: &Value) -> Option<String> {
        let error = self.validator.validate(body).err()?;
        let pointer = scrubbed(&self.pointer(error.instance_path().as_str(), body));
        let at = if pointer.is_empty() { "the whole" } else { &pointer };
        Some(format!("{at}: {}", scrubbed(&words(error.kind()))))
    }

    /// A JSON pointer in which names that the schema does not know are left out.
    fn pointer(&self, pointer: &str, body: &Value) -> String {
        let (mut at, mut said) = (Some(body), String::new());
        for token in pointer.split('/').skip(1) {
            let name = token.replace("~1", "/").replace("~0", "~");
            let may_be_said = match at {
                Some(Value::Array(items)) => {
                    at = name.parse::<usize>().ok().and_then(|index| items.get(index));
                    true
                }
                Some(Value::Object(members)) => {
                    at = members.get(&name);
                    self.names.contains(&name)
                }
                _ => false,
            };
            said.push('/');
            said.push_str(if may_be_said { token } else { "…" });
        }
        said
    }
}

/// What was expected, in words of the schema alone.
fn words(kind: &Kind) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(wanted) } => format!("should be {}", article(wanted.as_str())),
        Kind::Type { kind: TypeKind::Multiple(wanted) } => {
            let mut all: Vec<&str> = wanted.iter().map(|wanted| article(wanted.as_str())).collect();
            all.sort_by_key(|wanted| *wanted == "null");
            format!("should be {}", all.join(" or "))
        }
        Kind::Required { property } => format!("lacks {property}"),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("has {} that the document does not have", counted(unexpected.len(), "member"))
        }
        Kind::Enum { options } => {
            let all: Vec<String> = options.as_array().into_iter().flatten().map(Value::to_string).collect();
            format!("should be one of {}", all.join(", "))
        }
        Kind::Constant { expected_value } => format!("should be {expected_value}"),
        Kind::Minimum { limit } => format!("should be at least {limit}"),
        Kind::Maximum { limit } => format!("should be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("should be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("should be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("should be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("should have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("should have at most {limit} characters"),
        Kind::MinItems { limit } => format!("should have at least {limit} items"),
        Kind::MaxItems { limit } => format!("should have at most {limit} items"),
        Kind::AdditionalItems { limit } => format!("should have at most {limit} items"),
        Kind::MinProperties { limit } => format!("should have at least {limit} members"),
        Kind::MaxProperties { limit } => format!("should have at most {limit} members"),
        Kind::Pattern { pattern } => format!("should match /{pattern}/"),
        Kind::UniqueItems => "has an item twice".to_owned(),
        Kind::UnevaluatedItems { .. } => "has items that the document does not have".to_owned(),
        Kind::Contains => "has not the items that it should".to_owned(),
        Kind::PropertyNames { .. } => "has a member whose name does not fit".to_owned(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            format!("fits none of {}", counted(context.len(), "schema"))
        }
        Kind::OneOfMultipleValid { context } => {
            format!("fits more than one of {}", counted(context.len(), "schema"))
        }
        Kind::Not { schema } if !is_opaque(schema) => "fits what it should not".to_owned(),
        Kind::FalseSchema => "should not be there".to_owned(),
        Kind::Not { .. }
        | Kind::BacktrackLimitExceeded { .. }
        | Kind::RegexEngineFailure { .. }
        | Kind::ContentEncoding { .. }
        | Kind::ContentMediaType { .. }
        | Kind::Custom { .. }
        | Kind::Format { .. }
        | Kind::FromUtf8 { .. }
        | Kind::Referencing(_) => "does not fit its schema".to_owned(),
    }
}

fn article(noun: &str) -> &'static str {
    match noun {
        "array" => "an array",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "null" => "null",
        "number" => "a number",
        "object" => "an object",
        _ => "a string",
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Why a schema is none: in words of the document, shortened.
pub(super) fn of_schema(error: &ValidationError<'_>) -> String {
    let kind = error.kind();
    if let Kind::Referencing(why) = kind {
        return why.to_string();
    }
    if let Kind::Custom { message, .. } = kind {
        return message.clone();
    }
    if matches!(kind, Kind::Format { format } if format == "regex") {
        return format!(
            "the pattern {} cannot be used: it may look neither around nor back",
            error.instance()
        );
    }
    if matches!(kind, Kind::AnyOf { .. } | Kind::OneOfNotValid { .. }) {
        return "this is no schema".to_owned();
    }
    words(kind)
}

/// Tries a schema without a word of what is wrong.
fn opaque(schema: &Value) -> Value {
    json!({ "not": { "not": schema } })
}

fn is_opaque(negated: &Value) -> bool {
    negated.as_object().is_some_and(|schema| schema.len() == 1 && schema.contains_key("not"))
}

/// The member by whose word alternatives are told apart, and the word of each: FHIR's `resourceType`.
fn apart(schemas: &[Value], whole: &Whole<'_>) -> Option<(String, Vec<String>)> {
    let all: Vec<HashMap<&str, &str>> = schemas.iter().map(|schema| words_of(schema, whole, 0)).collect();
    let mut names: Vec<&str> = all.first()?.keys().copied().collect();
    names.sort_unstable();
    names.into_iter().find_map(|name| {
        let words = all.iter().map(|words| words.get(name).map(|word| (*word).to_owned()));
        let words = words.collect::<Option<Vec<String>>>()?;
        let distinct: HashSet<&String> = words.iter().collect();
        (distinct.len() == words.len()).then(|| (name.to_owned(), words))
    })
}

/// The members that a schema wants to be there, and to be one word.
fn words_of<'s>(schema: &'s Value, whole: &Whole<'s>, depth: usize) -> HashMap<&'s str, &'s str> {
    let mut words = HashMap::new();
    if depth > MAX_CHAIN {
        return words;
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    let target = target.and_then(|target| whole.schema.pointer(target));
    for other in target
        .into_iter()
        .chain(schema.get("allOf").into_iter().flat_map(|all| held(all).map(|(_, all)| all)))
    {
        words.extend(words_of(other, whole, depth + 1));
    }
    let needed = schema.get("required").into_iter().flat_map(held).filter_map(|(_, name)| name.as_str());
    for name in needed {
        let member = schema.get("properties").and_then(|all| all.get(name));
        let only =
            member.and_then(|member| match member.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
                Some([only]) => Some(only),
                _ => member.get("const"),
            });
        words.extend(only.and_then(Value::as_str).map(|word| (name, word)));
    }
    words
}

fn is_null(schema: &Value) -> bool {
    schema.as_object().is_some_and(|schema| schema.len() == 1 && schema.get("type") == Some(&json!("null")))
}

/// The schema with all that it refers to.
struct Whole<'s> {
    schema: &'s Value,
    /// The references to definitions that lead to themselves.
    cyclic: HashSet<&'s str>,
}

/// The same schema, so that saying what is wrong visits each part of a body a few times at most.
fn plainer(schema: &Value, whole: &Whole<'_>) -> Value {
    let cyclic = &whole.cyclic;
    let Value::Object(schema) = schema else { return schema.clone() };
    let plain = |schema: &Value| plainer(schema, whole);
    let all = |schemas: &Map<String, Value>| {
        Value::Object(schemas.iter().map(|(name, schema)| (name.clone(), plain(schema))).collect())
    };
    let (mut own, mut ways, mut condition) = (Map::new(), Vec::new(), Map::new());
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            ("allOf", Value::Array(schemas)) => ways.extend(schemas.iter().map(plain)),
            ("anyOf" | "oneOf", Value::Array(schemas)) => {
                let rest: Vec<&Value> = schemas.iter().filter(|schema| !is_null(schema)).collect();
                if let ([only], true) = (rest.as_slice(), rest.len() < schemas.len()) {
                    ways.push(json!({ "if": { "type": "null" }, "else": plain(only) }));
                } else if let Some((name, words)) = apart(schemas, whole) {
                    let of_word = |(word, schema): (&String, &Value)| json!({ "if": { "properties": { &*name: { "const": word } } }, "then": plain(schema) });
                    let each: Vec<Value> = words.iter().zip(schemas).map(of_word).collect();
                    ways.push(json!({
                        "type": "object",
                        "required": [name],
                        "properties": { &*name: { "enum": words } },
                        "allOf": each,
                    }));
                } else {
                    let tried = schemas.iter().map(opaque).collect();
                    own.insert(keyword.clone(), Value::Array(tried));
                }
            }
            ("if" | "then" | "else", _) => {
                condition.insert(keyword.clone(), value.clone());
            }
            ("dependentSchemas" | "$dynamicRef", _) => ways.push(opaque(&json!({ keyword: value }))),
            // What they allow depends on all the rest, which is another here.
            ("unevaluatedProperties" | "unevaluatedItems", _) => {}
            ("properties" | "$defs", Value::Object(schemas)) => {
                own.insert(keyword.clone(), all(schemas));
            }
            ("patternProperties", Value::Object(schemas)) => {
                let tried = schemas.iter().map(|(pattern, schema)| {
                    let again = recurs(schema, cyclic);
                    (pattern.clone(), if again { opaque(schema) } else { plain(schema) })
                });
                own.insert(keyword.clone(), Value::Object(tried.collect()));
            }
            ("items" | "additionalProperties", _) => {
                own.insert(keyword.clone(), plain(value));
            }
            ("prefixItems", Value::Array(schemas)) => {
                own.insert(keyword.clone(), Value::Array(schemas.iter().map(plain).collect()));
            }
            ("$ref", Value::String(_)) if schema.len() > 1 => ways.push(json!({ keyword: value })),
            _ => {
                own.insert(keyword.clone(), value.clone());
            }
        }
    }
    if !condition.is_empty() {
        ways.push(opaque(&Value::Object(condition)));
    }
    let mut followed = own.iter().any(|(keyword, value)| keyword != "$defs" && recurs(value, cyclic));
    for way in &mut ways {
        if recurs(way, cyclic) && std::mem::replace(&mut followed, true) && !is_tried(way) {
            *way = opaque(way);
        }
    }
    if !ways.is_empty() {
        own.insert("allOf".to_owned(), Value::Array(ways));
    }
    Value::Object(own)
}

fn is_tried(schema: &Value) -> bool {
    schema.get("not").is_some_and(is_opaque)
}

/// What a value holds, with the names of members; items have none.
fn held(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    members.chain(value.as_array().into_iter().flatten().map(|item| ("", item)))
}

/// Whether a schema leads to one that refers to itself.
fn recurs(schema: &Value, cyclic: &HashSet<&str>) -> bool {
    held(schema).any(|(keyword, value)| match value.as_str().filter(|_| keyword == "$ref") {
        Some(target) => cyclic.contains(target),
        None => recurs(value, cyclic),
    })
}

/// The references to definitions that lead to themselves.
fn cyclic(schema: &Value) -> HashSet<&str> {
    fn collect<'v>(schema: &'v Value, all: &mut Vec<&'v str>) {
        for (keyword, value) in held(schema) {
            match value.as_str().filter(|_| keyword == "$ref") {
                Some(target) => all.push(target),
                None => collect(value, all),
            }
        }
    }
    let mut leads: HashMap<String, Vec<&str>> = HashMap::new();
    for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        let mut targets = Vec::new();
        collect(definition, &mut targets);
        targets.sort_unstable();
        targets.dedup();
        leads.insert(format!("#/$defs/{name}"), targets);
    }
    let returns = |from: &&str| {
        let mut seen = HashSet::new();
        let mut ahead = leads.get(*from).cloned().unwrap_or_default();
        while let Some(next) = ahead.pop() {
            if next == *from {
                return true;
            }
            if seen.insert(next) {
                ahead.extend(leads.get(next).into_iter().flatten());
            }
        }
        false
    };
    let named: HashSet<&str> = leads.values().flatten().copied().collect();
    named.into_iter().filter(returns).collect()
}

/// Notes the names of members that a schema has.
fn note_names(schema: &Value, names: &mut HashSet<String>) {
    for (keyword, value) in held(schema) {
        match keyword {
            "properties" => names.extend(held(value).map(|(name, _)| name.to_owned())),
            "required" => names.extend(held(value).filter_map(|(_, name)| name.as_str()).map(str::to_owned)),
            _ => {}
        }
        note_names(value, names);
    }
}
