//! Mistakes on the command line, in two lines: what is wrong, and what was probably meant.

use crate::{cli::Cli, config::did_you_mean};
use clap::{
    CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};
use tracing_subscriber::EnvFilter;

/// How values are written, by the names that the help has for them.
const FORMS: [(&str, &str); 2] = [
    ("<ADDR>", "an address and a port, such as 127.0.0.1:9080"),
    ("<TIME>", "a day, a time and a zone, such as 2026-12-25T03:00:00Z"),
];

/// How much the log takes.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Whose lines it takes.
const MODULES: [&str; 7] = ["curiad", "domain", "store", "prober", "alerting", "status_page", "simulator"];

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

/// What the log takes, by `--log` or `CURIAD_LOG`; the error is in two lines.
pub(crate) fn log(level: &str) -> Result<EnvFilter, String> {
    let next = "write error, warn, info or debug; or info,prober=debug for more of one module";
    for word in level.split(',').map(str::trim).filter(|word| !word.contains(['=', '[']) && !word.is_empty())
    {
        // A word that is no level is a module to the filter, and any word is: misspelt, it would silence all others.
        if !LEVELS.contains(&word.to_ascii_lowercase().as_str()) && !MODULES.contains(&word) {
            let meant = did_you_mean(word, LEVELS.into_iter().chain(MODULES));
            let meant = meant.filter(|meant| meant.starts_with("did")).unwrap_or_else(|| next.to_owned());
            return Err(format!("--log {level}: '{word}' is no level and no module of curiad\n{meant}"));
        }
    }
    // What PostgreSQL mentions whenever it is asked to make what is there is nobody's news.
    EnvFilter::try_new(format!("sqlx::postgres::notice=warn,{level}"))
        .map_err(|error| format!("--log {level}: {error}\n{next}"))
}

/// What was probably meant: the nearest word, or else what clap advises.
fn suggestion(error: &clap::Error, rendered: &str) -> Option<String> {
    let kinds = [
        (ContextKind::SuggestedArg, ContextKind::InvalidArg),
        (ContextKind::SuggestedSubcommand, ContextKind::InvalidSubcommand),
        (ContextKind::SuggestedValue, ContextKind::InvalidValue),
    ];
    #[expect(clippy::wildcard_enum_match_arm, reason = "a suggestion is a word, or several")]
    let nearest = kinds.into_iter().find_map(|(suggested, given)| match error.get(suggested)? {
        ContextValue::String(word) => Some(word),
        // In an order of clap's own.
        ContextValue::Strings(words) => {
            let given = error.get(given).map(ToString::to_string).unwrap_or_default();
            words.iter().min_by_key(|word| strsim::damerau_levenshtein(word, &given))
        }
        _ => None,
    });
    let advice =
        || rendered.lines().find_map(|line| line.trim_start().strip_prefix("tip: ")).map(str::to_owned);
    let form = || {
        let argument = error.get(ContextKind::InvalidArg)?.to_string();
        let form = FORMS
            .into_iter()
            .find(|(name, _)| argument.ends_with(name) && error.kind() == ErrorKind::ValueValidation);
        form.map(|(_, form)| format!("write {form}"))
    };
    nearest.map(|word| format!("perhaps '{word}' was meant")).or_else(advice).or_else(form)
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
