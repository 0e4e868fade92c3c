//! The schemas in `config/schema/`, which editors use, say what the readers accept: neither more nor less.

use super::{
    catalogue,
    minimal::{Directory, today},
};
use crate::config::{
    Secrets,
    asked::Asked,
    problem::{Problems, Rank},
    read_and_ask,
    tree::{self, Node, Value as Yaml},
};
use jsonschema::Validator;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::Path,
};

const CURIAD: &str = include_str!("../../../config/schema/curiad.schema.json");
const API: &str = include_str!("../../../config/schema/api.schema.json");

/// Mistakes of shape that no schema can tell, each with the reason.
const BEYOND_A_SCHEMA: &[(&str, &str)] = &[
    ("wrong/keys/given-twice.md", "JSON knows no key given twice"),
    ("wrong/duties/no-carrier.md", "which of the sections is needed depends on others"),
];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn validators() -> (Validator, Validator) {
    let of = |text| jsonschema::draft202012::new(&json(text)).unwrap();
    (of(CURIAD), of(API))
}

/// Every schema within `value`.
fn visit<'v>(value: &'v Value, see: &mut impl FnMut(&'v Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            see(map);
            map.values().for_each(|value| visit(value, see));
        }
        Value::Array(items) => items.iter().for_each(|value| visit(value, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn words(value: Option<&Value>) -> BTreeSet<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    // A word that is a number to YAML may stand with and without quotes.
    items.map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)).collect()
}

/// What the readers ask for in the example, in the smallest configuration, and in all mistakes.
fn asked() -> Asked {
    let mut all = Asked::default();
    let mut add = |directory: &Path| {
        let secrets = Secrets::left_out();
        let (_, reading) = read_and_ask(directory, &secrets, today());
        let asked = reading.asked;
        for (section, keys) in asked.keys {
            all.section(section, &[], &[]);
            for (key, needed) in keys {
                let needed: &[&str] = if needed { &[key] } else { &[] };
                all.section(section, &[key], needed);
            }
        }
        for (what, words) in asked.choices {
            all.choice(&what, words.iter().map(String::as_str));
        }
        all.limits.extend(asked.limits);
    };
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"));
    for mistake in catalogue::all() {
        add(mistake.written().0.path());
    }
    all
}

/// By section, each key, and whether it is needed.
type Keys = BTreeMap<String, BTreeMap<String, bool>>;

/// Both must be the same; what differs is named.
fn same<T: PartialEq + Debug>(what: &str, schemas: &BTreeMap<String, T>, readers: &BTreeMap<String, T>) {
    for name in schemas.keys().chain(readers.keys()) {
        assert_eq!(
            schemas.get(name),
            readers.get(name),
            "{what} of {name}: left in the schemas, right in the readers"
        );
    }
}

#[test]
fn every_key_every_choice_and_every_limit_is_in_the_schema_and_the_other_way_round() {
    let asked = asked();
    let mut known = Keys::new();
    for text in [CURIAD, API] {
        visit(&json(text), &mut |schema| {
            let (Some(title), Some(keys)) = (schema.get("title"), schema.get("properties")) else { return };
            let section = known.entry(title.as_str().unwrap().to_owned()).or_default();
            let mut needed = words(schema.get("required"));
            needed.extend(words(schema.get("else").and_then(|other| other.get("required"))));
            for key in keys.as_object().unwrap().keys() {
                *section.entry(key.clone()).or_default() |= needed.contains(key);
            }
            assert_eq!(schema["additionalProperties"], false, "{title} accepts unknown keys");
        });
    }
    let owned = |keys: BTreeMap<&str, bool>| -> BTreeMap<String, bool> {
        keys.into_iter().map(|(key, needed)| (key.to_owned(), needed)).collect()
    };
    let read: Keys =
        asked.keys.into_iter().map(|(section, keys)| (section.to_owned(), owned(keys))).collect();
    same("keys (true: needed)", &known, &read);
    let (mut choices, mut limits) = (BTreeMap::new(), BTreeMap::new());
    for text in [CURIAD, API] {
        visit(&json(text), &mut |schema| {
            let Some(title) = schema.get("title").and_then(Value::as_str) else { return };
            if let Some(known) = schema.get("enum") {
                choices.insert(title.to_owned(), words(Some(known)));
            }
            let limit =
                |key| schema.get(key).and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok());
            if let (Some(least), Some(most)) = (limit("minimum"), limit("maximum")) {
                limits.insert(title.to_owned(), (least, most));
            }
        });
    }
    same("choices", &choices, &asked.choices);
    same("limits", &limits, &asked.limits);
}

/// A file as an editor reads it: plain words may be numbers and booleans.
fn as_json(node: &Node) -> Value {
    match &node.value {
        Yaml::Nothing => Value::Null,
        Yaml::Word { text, plain: true } => serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| value.is_number() || value.is_boolean())
            .unwrap_or_else(|| text.clone().into()),
        Yaml::Word { text, .. } => text.clone().into(),
        Yaml::List(items) => items.iter().map(as_json).collect(),
        Yaml::Map(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.word.clone(), as_json(value))).collect())
        }
    }
}

/// What the schemas say against the files of a directory.
fn said_against(directory: &Path, (top, api): &(Validator, Validator)) -> Vec<String> {
    let mut said = Vec::new();
    let mut look = |path: &Path, validator: &Validator| {
        let Some(node) = fs::read_to_string(path)
            .ok()
            .and_then(|text| tree::parse(&"file".into(), &text, &mut Problems::default()))
        else {
            return;
        };
        let value = as_json(&node);
        said.extend(validator.iter_errors(&value).map(|error| format!("{}: {error}", path.display())));
    };
    look(&directory.join("curiad.yaml"), top);
    for file in fs::read_dir(directory.join("apis")).into_iter().flatten() {
        look(&file.unwrap().path(), api);
    }
    said
}

#[test]
fn what_is_good_is_good_to_the_schema() {
    let validators = validators();
    let demo = super::example::demo();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    for directory in [&example, demo.0.path(), Directory::new().0.path()] {
        assert_eq!(said_against(directory, &validators), Vec::<String>::new());
    }
}

#[test]
fn mistakes_of_shape_are_mistakes_to_the_schema() {
    let validators = validators();
    let mut unseen = Vec::new();
    let mut shapes = 0;
    for mistake in catalogue::all() {
        let directory = mistake.written();
        let secrets = Secrets::left_out();
        let (result, _) = read_and_ask(directory.0.path(), &secrets, today());
        let Err(problems) = result else { continue };
        let shape = problems
            .iter()
            .any(|problem| problem.line.is_some() && matches!(problem.rank, Rank::Shape | Rank::Missing));
        let name = mistake.name();
        if shape && !BEYOND_A_SCHEMA.iter().any(|(known, _)| *known == name) {
            shapes += 1;
            if said_against(directory.0.path(), &validators).is_empty() {
                unseen.push(name);
            }
        }
    }
    assert!(shapes > 20 && unseen.is_empty(), "{shapes} mistakes of shape; the schema accepts {unseen:#?}");
}

#[test]
fn editors_find_the_schemas_beside_the_example() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut files = vec![config.join("curiad.yaml")];
    files.extend(fs::read_dir(config.join("apis")).unwrap().map(|file| file.unwrap().path()));
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let schema =
            text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        let schema = schema.unwrap_or_else(|| panic!("{} names no schema", file.display()));
        assert!(file.parent().unwrap().join(schema).is_file(), "{}: {schema} is not there", file.display());
    }
}
