//! `curiad probe`: one probe of each check, now, with a waterfall.

use crate::{
    cli::Cli,
    exit::{Failed, USAGE, Usage},
    terminal::{Ink, Terminal},
};
use domain::{ApiId, Check, Configuration, Environment, Outcome, Phases, Verdict, judge};
use jiff::Timestamp;
use prober::Prober;
use serde_json::{Value, json};
use status_page::rfc3339;
use std::{sync::Arc, time::Duration};

/// Exit codes of DESIGN §8.
const FAIL: u8 = 1;
const INCONCLUSIVE: u8 = 2;
/// Columns of the waterfall.
const COLUMNS: f64 = 40.0;

/// Which checks were asked for.
#[derive(Debug)]
pub(crate) struct Which<'a> {
    pub(crate) api: &'a str,
    pub(crate) environment: Option<&'a str>,
    pub(crate) operation: Option<&'a str>,
}

/// Probes each check once and prints what was seen. The code says how the worst of them went.
pub(crate) async fn run(
    cli: &Cli,
    which: &Which<'_>,
    configuration: &Configuration,
    prober: &Prober,
    now: Timestamp,
) -> Result<u8, Failed> {
    let checks = find(configuration, which)?;
    let terminal = Terminal::new();
    let mut seen = Vec::new();
    for check in checks {
        let outcome = prober.probe(&check, now, false).await;
        let verdict = judge(&outcome, check.slow);
        if !cli.json {
            show(terminal, &outcome, verdict);
        }
        seen.push((outcome, verdict));
    }
    if cli.json {
        terminal.json(&seen.iter().map(|(outcome, verdict)| outcome_json(outcome, *verdict)).collect());
    }
    let any = |wanted: Verdict| seen.iter().any(|(_, verdict)| *verdict == wanted);
    Ok(match () {
        () if any(Verdict::Fail) => FAIL,
        () if any(Verdict::Inconclusive) => INCONCLUSIVE,
        () => 0,
    })
}

fn find(configuration: &Configuration, which: &Which<'_>) -> Result<Vec<Arc<Check>>, Failed> {
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

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

/// The shape of DESIGN §8: it may grow but not change.
fn outcome_json(outcome: &Outcome, verdict: Verdict) -> Value {
    let phase = |phase: Option<Duration>| phase.map(ms);
    let Phases { dns, connect, tls, first_byte, body } = outcome.phases;
    json!({
        "api": outcome.check.instance.api.as_str(),
        "environment": outcome.check.instance.environment.word(),
        "operation": outcome.check.operation.as_str(),
        "vantage": outcome.vantage.as_str(),
        "at": rfc3339(outcome.at),
        "verdict": verdict.word(),
        "layer": outcome.failure.as_ref().map(|failure| failure.layer.word()),
        "failure": outcome.failure.as_ref().map(|failure| {
            json!({ "kind": failure.kind.word(), "message": failure.message })
        }),
        "phases_ms": {
            "dns": phase(dns), "connect": phase(connect), "tls": phase(tls),
            "first_byte": phase(first_byte), "body": phase(body),
        },
        "total_ms": ms(outcome.total),
        "http": outcome.http.as_ref().map(|http| {
            json!({ "status": http.status, "version": http.version, "remote_ip": http.remote_ip, "bytes": http.bytes })
        }),
        "certificate": outcome.certificate.as_ref().map(|certificate| json!({ "not_after": rfc3339(certificate.not_after) })),
        "expectations": outcome.expectations,
        "request_id": outcome.request_id,
    })
}

fn show(terminal: Terminal, outcome: &Outcome, verdict: Verdict) {
    let ink = match verdict {
        Verdict::Pass => Ink::Green,
        Verdict::Slow => Ink::Yellow,
        Verdict::Fail => Ink::Red,
        Verdict::Inconclusive => Ink::Blue,
    };
    let word = terminal.ink(ink, &format!("{:<12}", verdict.word()));
    let name = outcome.check.to_string();
    let http =
        outcome.http.as_ref().map_or_else(String::new, |http| format!("  {} {}", http.version, http.status));
    terminal.line(&format!("{word}  {name:<44} {:>7.1} ms{http}", ms(outcome.total)));
    let total = outcome.total.as_secs_f64().max(f64::MIN_POSITIVE);
    let mut from = Duration::ZERO;
    let Phases { dns, connect, tls, first_byte, body } = outcome.phases;
    for (name, phase) in
        [("dns", dns), ("connect", connect), ("tls", tls), ("first byte", first_byte), ("body", body)]
    {
        if let Some(phase) = phase {
            let blank = " ".repeat(columns(from.as_secs_f64() / total));
            let bar = "█".repeat(columns(phase.as_secs_f64() / total).max(1));
            terminal.line(&format!("              {name:<10} {:>7.1} ms  {blank}{bar}", ms(phase)));
            from += phase;
        }
    }
    for expectation in outcome.expectations.iter().filter(|expectation| !expectation.ok) {
        let line = format!(
            "              {}: expected {}, saw {}",
            expectation.what, expectation.expected, expectation.seen
        );
        terminal.line(&terminal.ink(Ink::Red, &line));
    }
    if let Some(failure) = &outcome.failure {
        terminal.line(&terminal.ink(ink, &format!("              {}: {}", failure.layer, failure.message)));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 40 columns, clamped")]
fn columns(share: f64) -> usize {
    (share.clamp(0.0, 1.0) * COLUMNS).round() as usize
}
