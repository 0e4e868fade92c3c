//! Whatever is written, there is an answer.

use super::minimal::{API, Directory, TOP};
use crate::{config::check_report, terminal::Terminal};
use proptest::prelude::*;

/// Where the keys of a text are: every place before a ':' that ends a word.
fn keys(text: &str) -> Vec<(usize, usize)> {
    let end = |at: usize| text.get(at + 1..).is_none_or(|rest| rest.starts_with([' ', '\n']));
    text.match_indices(':')
        .filter(|(at, _)| end(*at))
        .map(|(at, _)| {
            let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$');
            let start = text[..at].rfind(|c: char| !word(c)).map_or(0, |before| before + 1);
            (start, at)
        })
        .filter(|(start, end)| start < end)
        .collect()
}

#[test]
fn a_secret_whose_key_is_lost_is_not_shown() {
    let directory = Directory::new();
    directory.write("curiad.yaml", &TOP.replace("api_key: env:NOTIFY", "api_key}\n: hunter2"));
    let report = check_report("config", &directory.load(), Terminal::plain());
    assert!(report.contains("unknown key ''") && !report.contains("hunter2"), "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_mistyped_key_is_always_said_where_it_stands(
        (top, key) in any::<bool>().prop_flat_map(|top| {
            (Just(top), 0..keys(if top { TOP } else { API }).len())
        }),
        letter in "[a-z]",
        at in 0_usize..8,
    ) {
        let text = if top { TOP } else { API };
        let (start, end) = keys(text)[key];
        let name = if top { "curiad.yaml" } else { "apis/documents.yaml" };
        let mut wrong = text.to_owned();
        wrong.insert_str((start + at).min(end), &format!("{letter}q"));
        let line = text[..start].matches('\n').count() + 1;
        let directory = Directory::new();
        directory.write(name, &wrong);
        let problems = directory.problems();
        // A name that is spelt otherwise is another name: then its references, or the lack of them, are the problem.
        let is_name = ["records", "office", "one", "two", "platform", "calls", "nsd", "ping", "list", "internet",
            "X-Request-ID"].contains(&&text[start..end]);
        let said = problems.iter().any(|problem| problem.starts_with(&format!("{name}:{line}:")));
        prop_assert!(said || is_name, "{}: {:?}", &text[start..end], problems);
    }

    #[test]
    fn whatever_is_mistyped_a_secret_is_not_shown(
        at in 0..TOP.len(),
        gone in 0_usize..3,
        typed in "[ \\n\"'{}:,#a-z-]{0,3}",
    ) {
        let mut text: Vec<char> = TOP.chars().collect();
        text.splice(at..(at + gone).min(text.len()), typed.chars());
        let mut text: String = text.into_iter().collect();
        for reference in ["env:NOTIFY", "env:ONE", "env:DESK"] {
            text = text.replace(reference, "hunter2");
        }
        let directory = Directory::new();
        directory.write("curiad.yaml", &text);
        let report = check_report("config", &directory.load(), Terminal::plain());
        prop_assert!(!report.contains("hunter2"), "{text}\n{report}");
    }

    #[test]
    fn any_text_has_an_answer(
        text in prop_oneof![
            "(\\PC|[\\n\\t:{}\\[\\],\"'&*!|>#-]){0,200}",
            (0..TOP.len(), 0..TOP.len(), "\\PC{0,3}").prop_map(|(from, to, with)| {
                let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 40));
                format!("{}{with}{}", &TOP[..from], &TOP[to..])
            }),
        ],
        top in any::<bool>(),
    ) {
        let directory = Directory::new();
        directory.write(if top { "curiad.yaml" } else { "apis/documents.yaml" }, &text);
        directory.problems();
    }
}
