//! SPDX licence expressions, as far as crates use them: `OR` (also written `/`), `AND`, `WITH`, brackets.

use regex::Regex;
use std::{collections::BTreeSet, iter::Peekable, slice::Iter};

/// The names in `allow = […]` of deny.toml's `[licenses]`.
pub(crate) fn allowed(deny: &str) -> BTreeSet<String> {
    let section = deny.split("[licenses]").nth(1).expect("deny.toml has [licenses]");
    let list =
        section.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']')).expect("an allow-list").0;
    let name = Regex::new("\"([^\"]+)\"").expect("a valid pattern");
    name.captures_iter(list).map(|found| found[1].to_owned()).collect()
}

/// Whether `expression` can be met with the allowed licences alone. An empty one cannot.
pub(crate) fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let word = Regex::new(r"[()/]|[A-Za-z0-9.+-]+").expect("a valid pattern");
    let words: Vec<&str> = word.find_iter(expression).map(|found| found.as_str()).collect();
    let mut words = words.iter().peekable();
    any(&mut words, allowed) && words.next().is_none()
}

fn any(words: &mut Peekable<Iter<'_, &str>>, allowed: &BTreeSet<String>) -> bool {
    let mut met = all(words, allowed);
    while words.next_if(|word| matches!(**word, "OR" | "/")).is_some() {
        met |= all(words, allowed);
    }
    met
}

fn all(words: &mut Peekable<Iter<'_, &str>>, allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, allowed);
    while words.next_if(|word| **word == "AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Peekable<Iter<'_, &str>>, allowed: &BTreeSet<String>) -> bool {
    let Some(word) = words.next() else { return false };
    if *word == "(" {
        return any(words, allowed) && words.next_if(|word| **word == ")").is_some();
    }
    // An exception only ever grants more than the licence it stands beside.
    if words.next_if(|word| **word == "WITH").is_some() {
        words.next();
    }
    allowed.contains(*word)
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    let allowed: BTreeSet<String> = ["MIT", "ISC", "Apache-2.0"].map(str::to_owned).into();
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("", false),
        ("MIT OR GPL-3.0-only", true),
        ("GPL-3.0-only/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("Apache-2.0 AND ISC", true),
        ("(MIT OR GPL-3.0-only) AND ISC", true),
        ("(MIT OR ISC) AND GPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), met, "{expression:?}");
    }
}
