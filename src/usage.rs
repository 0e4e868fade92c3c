//! Mistakes on the command line, in two lines: what is wrong, and what was probably meant.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// `error` in two lines. Whoever named no command at all sees the help, as clap shows it.
pub(crate) fn words(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return rendered.trim_end().to_owned();
    }
    let said = rendered.trim_start_matches("error: ");
    // What is missing is listed below its heading.
    let (heading, list) = said.split_once(":\n").unwrap_or((said, ""));
    let listed: Vec<&str> = list.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let what = if list.is_empty() || heading.contains('\n') {
        said.lines().next().unwrap_or_default().to_owned()
    } else {
        format!("{heading}: {}", listed.join(" "))
    };
    let help = format!("`{} --help` lists what there is", command(&rendered));
    let next = match suggestion(error) {
        Some(meant) => format!("did you mean {meant}? {help}"),
        None => help,
    };
    format!("curiad: {what}\n{next}")
}

/// What was probably meant: the nearest word, in quotes.
fn suggestion(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(word) => Some(format!("'{word}'")),
        ContextValue::Strings(words) => words.first().map(|word| format!("'{word}'")),
        _ => None,
    })
}

/// The command that was meant, as its usage begins: `curiad rota show`.
fn command(rendered: &str) -> String {
    let usage = rendered.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("curiad");
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    usage.split(' ').take_while(is_word).collect::<Vec<_>>().join(" ")
}
