//! `curiad maintenance`: planned work is announced, through the running recorder.

use super::{incident::words, silence::find_api};
use crate::{
    cli::MaintenanceCommand,
    commands::{Asking, rota::local},
    exit::{Failed, USAGE, Usage},
    terminal::Terminal,
};
use domain::{ApiId, Command, Environment, Message};
use jiff::SignedDuration;
use serde_json::{Value, json};
use status_page::rfc3339;

/// All of production is muted for no longer by mistake.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) async fn run(command: &MaintenanceCommand, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let act = match command {
        MaintenanceCommand::List => return list(asking, as_json).await,
        MaintenanceCommand::End { maintenance, who } => {
            if !asking.situation().await?.maintenances.contains_key(maintenance) {
                let what = format!(
                    "there is no planned work {maintenance}\n`curiad maintenance list` shows what was announced; \
                     windows that repeat are in curiad.yaml"
                );
                return Err(Failed::new(USAGE, what));
            }
            Command::EndMaintenance { maintenance: *maintenance, by: who.name()? }
        }
        MaintenanceCommand::Add { environment, api, from, r#for, en, cy, beyond_a_day, same, who } => {
            let lasts = r#for.parse::<SignedDuration>().map_err(|_| {
                Failed::new(USAGE, format!("'{for}' is no length of time\nwrite 30m or 2h", r#for = r#for))
            })?;
            let environment = Environment::parse(environment)
                .ok_or_else(|| Usage::unknown("environment", environment, Environment::ALL.iter()))?;
            let beyond = || Failed::new(USAGE, "that is beyond what a calendar holds");
            let zone = &asking.configuration.site.time_zone;
            let from = match from {
                Some(moment) => moment.at(zone).ok_or_else(beyond)?,
                None => asking.now,
            };
            let until = from.checked_add(lasts).map_err(|_| beyond())?;
            if until <= asking.now {
                let what = format!("it would be over: it ends at {}", local(until, zone));
                return Err(Failed::new(USAGE, format!("{what}\nsay another --from, or a longer --for")));
            }
            let all_of_production = environment == Environment::Production && api.is_none();
            if all_of_production && lasts > A_DAY && !beyond_a_day {
                let what = "planned work on all of production lasts a day at most: nobody is called for anything meanwhile\n\
                            name an --api, or give --beyond-a-day if it must be so";
                return Err(Failed::new(USAGE, what.to_owned()));
            }
            Command::Maintain {
                by: who.name()?,
                why: words(en, cy, *same)?,
                from,
                until,
                environment,
                api: api.as_deref().map(|word| find_api(asking, word)).transpose()?,
            }
        }
    };
    let next = "`curiad maintenance list` shows what was announced, and `curiad maintenance add --help` what may be said";
    asking.tell(Message::Command(act), next, as_json).await
}

async fn list(asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let now = asking.now;
    let mut planned: Vec<_> = situation.maintenances.values().filter(|one| one.until > now).collect();
    planned.sort_by_key(|one| one.from);
    let terminal = Terminal::new();
    if as_json {
        let rows: Vec<Value> = planned
            .iter()
            .map(|one| {
                json!({
                    "id": one.id, "by": one.by, "why": one.why, "from": rfc3339(one.from),
                    "until": rfc3339(one.until), "environment": one.environment.word(),
                    "api": one.api.as_ref().map(ApiId::as_str), "running": one.from <= now,
                })
            })
            .collect();
        terminal.json(&Value::from(rows));
        return Ok(());
    }
    if planned.is_empty() {
        terminal.line("no planned work was announced");
    }
    let zone = &asking.configuration.site.time_zone;
    for one in planned {
        let api = one.api.as_ref().map_or("every API", ApiId::as_str);
        terminal.line(&format!(
            "{:>4}  {api} in {} {} {} until {}",
            one.id,
            one.environment,
            if one.from <= now { "since" } else { "from" },
            local(one.from, zone),
            local(one.until, zone)
        ));
        terminal.line(&format!("      {}: {}", one.by, one.why.en));
    }
    Ok(())
}
