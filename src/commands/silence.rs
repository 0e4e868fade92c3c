//! `curiad silence`: mutes notifications for a while, through the running recorder.

use crate::{
    cli::SilenceCommand,
    commands::{Asking, rota::local},
    exit::{Failed, USAGE, Usage},
    terminal::Terminal,
};
use domain::{ApiId, Command, Environment, Language, Message, Silence, Situation, may_silence, would_mute};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use status_page::rfc3339;

/// Who mutes for longer has forgotten it by then.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// What to do when it is refused.
const NEXT: &str =
    "`curiad silence list` shows what there is, and `curiad silence add --help` what may be said";
/// Instances that are named.
const SHOWN: usize = 8;

pub(crate) async fn run(command: &SilenceCommand, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let act = match command {
        SilenceCommand::List => return list(asking, as_json).await,
        SilenceCommand::End { silence, who } => {
            if !asking.situation().await?.silences.contains_key(silence) {
                let what =
                    format!("there is no silence {silence}\n`curiad silence list` shows what there is");
                return Err(Failed::new(USAGE, what));
            }
            Command::EndSilence { silence: *silence, by: who.name()? }
        }
        SilenceCommand::Add { api, environment, r#for, beyond_a_day, dry_run, why, who } => {
            let lasts = r#for.parse::<SignedDuration>().map_err(|_| {
                Failed::new(USAGE, format!("'{for}' is no length of time\nwrite 30m or 2h", r#for = r#for))
            })?;
            let api = api.as_deref().map(|word| find_api(asking, word)).transpose()?;
            let environment = environment
                .as_deref()
                .map(|word| {
                    Environment::parse(word)
                        .ok_or_else(|| Usage::unknown("environment", word, Environment::ALL.iter()))
                })
                .transpose()?;
            let until = asking.now.checked_add(lasts).map_err(|_| {
                Failed::new(
                    USAGE,
                    format!("'{for}' is longer than any calendar\nwrite 30m or 2h", r#for = r#for),
                )
            })?;
            if lasts > A_DAY && !beyond_a_day {
                let what = "a silence lasts a day at most\ngive --beyond-a-day if it must be longer: who mutes for long forgets it";
                return Err(Failed::new(USAGE, what.to_owned()));
            }
            let by = who.name()?;
            let silence = Silence {
                id: 0,
                by: by.clone(),
                why: why.clone(),
                from: asking.now,
                until,
                api: api.clone(),
                environment,
            };
            may_silence(&asking.configuration.site, &silence, asking.now)
                .map_err(|why| Failed::new(1, format!("{why}\n{NEXT}")))?;
            // Programs that want to know before ask by --dry-run: what they are given is one document.
            if *dry_run || !as_json {
                foretell(&asking.situation().await?, &silence, asking.now, as_json);
            }
            if *dry_run {
                return Ok(());
            }
            Command::Silence { by, why: why.clone(), until, api, environment }
        }
    };
    asking.tell(Message::Command(act), NEXT, as_json).await
}

/// What it will mute.
fn foretell(situation: &Situation, silence: &Silence, now: Timestamp, as_json: bool) {
    let (instances, incidents) = would_mute(situation, silence, now);
    let terminal = Terminal::new();
    if as_json {
        let instances: Vec<String> = instances.iter().map(ToString::to_string).collect();
        let incidents: Vec<String> = incidents.iter().map(ToString::to_string).collect();
        terminal.json(&json!({ "mutes": { "instances": instances, "incidents": incidents } }));
        return;
    }
    let names: Vec<String> = instances.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = match instances.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    terminal.line(&format!("mutes tickets, calls and e-mails about {}{more}", names.join(", ")));
    for id in incidents {
        if let Some(incident) = situation.incidents.get(&id) {
            let priority = domain::weighed((incident.priority, incident.short_weight(Language::En)));
            terminal.line(&format!("  {id} {priority}, which is open now"));
        }
    }
}

pub(super) fn find_api(asking: &Asking, word: &str) -> Result<ApiId, Failed> {
    let apis = &asking.configuration.apis;
    ApiId::parse(word)
        .ok()
        .filter(|id| apis.contains_key(id))
        .ok_or_else(|| Usage::unknown("API", word, apis.keys()))
}

async fn list(asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let now = asking.now;
    let silences: Vec<_> = situation.silences.values().filter(|silence| silence.until > now).collect();
    let terminal = Terminal::new();
    if as_json {
        let rows: Vec<Value> = silences
            .iter()
            .map(|s| {
                json!({
                    "id": s.id, "by": s.by, "why": s.why, "from": rfc3339(s.from), "until": rfc3339(s.until),
                    "api": s.api.as_ref().map(ApiId::as_str), "environment": s.environment.map(Environment::word),
                })
            })
            .collect();
        terminal.json(&Value::from(rows));
        return Ok(());
    }
    if silences.is_empty() {
        terminal.line("no silence");
    }
    for silence in silences {
        let api = silence.api.as_ref().map_or("every API", ApiId::as_str);
        let environment = silence.environment.map_or("every environment", Environment::word);
        let until = local(silence.until, &asking.configuration.site.time_zone);
        terminal.line(&format!(
            "{:>4}  {api} in {environment} until {until}  {}: {}",
            silence.id, silence.by, silence.why
        ));
    }
    Ok(())
}
