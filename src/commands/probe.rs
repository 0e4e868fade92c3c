//! `curiad probe`: one probe of each check, now, with a waterfall.

mod json;
pub(crate) mod last;
mod show;

use crate::{
    cli::Cli,
    exit::{Failed, USAGE, Usage},
    terminal::{Progress, Terminal},
};
use domain::{ApiId, Check, Configuration, Environment, Verdict, judge};
use jiff::Timestamp;
use prober::Prober;
use std::sync::Arc;

/// Exit codes of DESIGN §8.
const FAIL: u8 = 1;
const INCONCLUSIVE: u8 = 2;

/// Which checks were asked for.
#[derive(Debug)]
pub(crate) struct Which<'a> {
    pub(crate) api: &'a str,
    pub(crate) environment: Option<&'a str>,
    pub(crate) operation: Option<&'a str>,
}

/// Probes each check once from each of its vantages and prints what was seen. The code says how the worst of them went.
pub(crate) async fn run(
    cli: &Cli,
    which: &Which<'_>,
    configuration: &Configuration,
    probers: &[Prober],
    now: Timestamp,
) -> Result<u8, Failed> {
    let checks = find(configuration, which)?;
    let terminal = Terminal::new();
    let (heard, checks): (Vec<_>, Vec<_>) = checks.into_iter().partition(|check| check.heartbeat().is_some());
    if let Some(check) = heard.first().filter(|_| checks.is_empty()) {
        let what = format!("{} is heard, not probed: its job calls us", check.id);
        let next = "`curiad heartbeat list` shows where, and when it last did";
        return Err(Failed::new(USAGE, format!("{what}\n{next}")));
    }
    if !cli.json {
        for check in &heard {
            terminal.line(&format!("{}  is heard, not probed", check.id));
        }
    }
    let mut seen = Vec::new();
    let each = checks.iter().flat_map(|check| {
        let here = probers.iter().filter(|prober| check.from.contains(prober.vantage()));
        here.map(move |prober| (check, prober))
    });
    for (check, prober) in each {
        let mut progress = Progress::new();
        progress.show(&format!("probing {} …", check.id));
        let outcome = prober.probe(check, now, false).await;
        progress.clear();
        let verdict = judge(&outcome, check.slow);
        if !cli.json {
            for line in show::lines(terminal, check, &outcome, verdict, now) {
                terminal.line(&line);
            }
        }
        seen.push((outcome, verdict));
    }
    if cli.json {
        terminal.json(&seen.iter().map(|(outcome, verdict)| json::outcome(outcome, *verdict)).collect());
    }
    let any = |wanted: Verdict| seen.iter().any(|(_, verdict)| *verdict == wanted);
    Ok(match () {
        () if any(Verdict::Fail) => FAIL,
        () if any(Verdict::Inconclusive) => INCONCLUSIVE,
        () => 0,
    })
}

pub(super) fn find(configuration: &Configuration, which: &Which<'_>) -> Result<Vec<Arc<Check>>, Failed> {
    let api = ApiId::parse(which.api)
        .ok()
        .and_then(|id| configuration.apis.get(&id))
        .ok_or_else(|| Usage::unknown("API", which.api, configuration.apis.keys()))?;
    let environment = which
        .environment
        .map(|word| {
            Environment::parse(word)
                .filter(|environment| api.instances.contains_key(environment))
                .ok_or_else(|| Usage::unknown("environment of this API", word, api.instances.keys()))
        })
        .transpose()?;
    if let Some(word) = which.operation
        && !api.operations.iter().any(|operation| operation.id.as_str() == word)
    {
        let known = api.operations.iter().map(|operation| &operation.id);
        return Err(Usage::unknown("operation of this API", word, known));
    }
    let checks: Vec<Arc<Check>> = configuration
        .checks
        .values()
        .filter(|check| {
            check.id.instance.api == api.id
                && environment.is_none_or(|environment| check.id.instance.environment == environment)
                && which.operation.is_none_or(|word| check.id.operation.as_str() == word)
        })
        .cloned()
        .collect();
    if checks.is_empty() {
        return Err(Failed::new(USAGE, "that operation is not exercised in that environment"));
    }
    Ok(checks)
}
