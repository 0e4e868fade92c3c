//! `curiad rota override`: somebody stands in, through the running recorder.

use super::{attended::Attended, find_rota};
use crate::{
    cli::OverrideCommand,
    commands::Asking,
    exit::{Failed, USAGE, Usage},
    terminal::Terminal,
};
use domain::{Command, Configuration, Message, PersonId};
use serde_json::Value;

pub(crate) async fn run(command: &OverrideCommand, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let act = match command {
        OverrideCommand::List => return list(asking, as_json).await,
        OverrideCommand::End { number, who } => {
            if !asking.situation().await?.overrides.contains_key(number) {
                let what = format!(
                    "there is no override {number}\n`curiad rota override list` shows what was added; those in \
                     curiad.yaml are changed there"
                );
                return Err(Failed::new(USAGE, what));
            }
            Command::EndOverride { number: *number, by: who.name()? }
        }
        OverrideCommand::Add { rota, person, from, until, instead_of, why, who } => {
            let configuration = &asking.configuration;
            let (rota, known) = find_rota(configuration, rota)?;
            let beyond = || Failed::new(USAGE, "that is beyond what a calendar holds");
            Command::Override {
                by: who.name()?,
                rota,
                person: find_person(configuration, person)?,
                instead_of: instead_of.as_deref().map(|word| find_person(configuration, word)).transpose()?,
                from: match from {
                    Some(moment) => moment.at(&known.time_zone).ok_or_else(beyond)?,
                    None => asking.now,
                },
                until: until.at(&known.time_zone).ok_or_else(beyond)?,
                why: why.clone(),
            }
        }
    };
    let next = "`curiad rota show ROTA` shows who is on call, and `curiad rota override add --help` what may be said";
    asking.tell(Message::Command(act), next, as_json).await
}

/// A person by the name they have in curiad.yaml.
pub(crate) fn find_person(configuration: &Configuration, word: &str) -> Result<PersonId, Failed> {
    let found = PersonId::parse(word).ok().filter(|id| configuration.people.contains_key(id));
    found.ok_or_else(|| Usage::unknown("person", word, configuration.people.keys()))
}

async fn list(asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let now = asking.now;
    let situation = asking.situation().await?;
    let overrides = situation.overrides.values().filter(|added| added.until > now).cloned().collect();
    let attended = Attended::with(&asking.configuration, overrides);
    let terminal = Terminal::new();
    if as_json {
        let rows: Vec<Value> = attended.overrides.iter().map(Attended::json).collect();
        terminal.json(&Value::from(rows));
        return Ok(());
    }
    if attended.overrides.is_empty() {
        terminal.line("no override was added");
    }
    let zone = &asking.configuration.site.time_zone;
    for added in &attended.overrides {
        terminal.line(&attended.line(added, now, zone));
        let why = added.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        terminal.line(&format!("      {}{why}", added.by));
        if !asking.configuration.people.contains_key(&added.person) {
            terminal.line(&format!("      '{}' has left curiad.yaml: it changes nothing", added.person));
        }
    }
    Ok(())
}
