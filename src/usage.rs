//! Mistakes on the command line, in two lines: what is wrong, and what was probably meant.

use crate::cli::Cli;
use clap::{
    CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// `error` in two lines. Whoever named no command at all sees the help, as clap shows it. `arguments`: as they were given.
pub(crate) fn words(error: &clap::Error, arguments: impl Iterator<Item = String>) -> String {
    let rendered = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return rendered.trim_end().to_owned();
    }
    let said = rendered.trim_start_matches("error: ");
    let first = said.lines().next().unwrap_or_default();
    // What is missing is listed below a heading.
    let listed = said.lines().skip(1).take_while(|line| !line.is_empty()).map(str::trim);
    let what = std::iter::once(first).chain(listed).collect::<Vec<_>>().join(" ");
    let help = format!("`{} --help` lists what there is", command(arguments));
    let next = match suggestion(error, &rendered) {
        Some(meant) => format!("{meant}; {help}"),
        None => help,
    };
    format!("curiad: {what}\n{next}")
}

/// What was probably meant: the nearest word, or else what clap advises.
fn suggestion(error: &clap::Error, rendered: &str) -> Option<String> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    #[expect(clippy::wildcard_enum_match_arm, reason = "a suggestion is a word, or several")]
    let nearest = kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(word) => Some(word),
        ContextValue::Strings(words) => words.first(),
        _ => None,
    });
    let advice =
        || rendered.lines().find_map(|line| line.trim_start().strip_prefix("tip: ")).map(str::to_owned);
    nearest.map(|word| format!("perhaps '{word}' was meant")).or_else(advice)
}

/// The command that was given, as far as there is one: `curiad rota show`.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let mut found = Cli::command();
    let mut path = "curiad".to_owned();
    for word in arguments.skip(1) {
        let Some(next) = found.find_subcommand(&word).cloned() else { continue };
        path = format!("{path} {word}");
        found = next;
    }
    path
}
