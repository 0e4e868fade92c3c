//! What `curiad probe --json` prints.

use domain::{Certificate, Failure, Http, Outcome, Phases, StepSeen, Transcript, Verdict};
use serde_json::{Value, json};
use status_page::rfc3339;
use std::time::Duration;

/// Milliseconds, to the microsecond.
pub(super) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

/// The shape of DESIGN §8: it may grow but not change.
pub(super) fn outcome(outcome: &Outcome, verdict: Verdict) -> Value {
    let transcript = outcome.transcript.as_deref();
    json!({
        "api": outcome.check.instance.api.as_str(),
        "environment": outcome.check.instance.environment.word(),
        "operation": outcome.check.operation.as_str(),
        "vantage": outcome.vantage.as_str(),
        "at": rfc3339(outcome.at),
        "verdict": verdict.word(),
        "layer": outcome.failure.as_ref().map(|failure| failure.layer.word()),
        "failure": outcome.failure.as_ref().map(failure),
        "phases_ms": phases(&outcome.phases),
        "total_ms": ms(outcome.total),
        "warm": outcome.warm,
        "http": outcome.http.as_ref().map(answer),
        "certificate": outcome.certificate.as_ref().map(|ends| certificate(ends, transcript)),
        "expectations": outcome.expectations,
        "health": outcome.health,
        "headers": transcript.map(|transcript| &transcript.headers),
        "retry_after_s": outcome.retry_after.map(|wait| wait.as_secs()),
        "deprecation": outcome.deprecation.as_ref().map(|goes| {
            json!({ "since": goes.since.map(rfc3339), "sunset": goes.sunset.map(rfc3339) })
        }),
        "request_id": outcome.request_id,
        "steps": outcome.steps().iter().map(step).collect::<Vec<_>>(),
    })
}

fn answer(http: &Http) -> Value {
    json!({ "status": http.status, "version": http.version, "remote_ip": http.remote_ip, "bytes": http.bytes })
}

/// A step of a journey; `sent` is false where a value that it needs was not captured.
fn step(step: &StepSeen) -> Value {
    json!({
        "name": step.name,
        "clean_up": step.clean_up,
        "sent": step.without.is_none(),
        "ok": step.failure.is_none(),
        "layer": step.failure.as_ref().map(|failure| failure.layer.word()),
        "failure": step.failure.as_ref().map(failure),
        "http": step.http.as_ref().map(answer),
        "phases_ms": phases(&step.phases),
        "total_ms": ms(step.total),
    })
}

/// What was wrong, without its layer.
pub(super) fn failure(failure: &Failure) -> Value {
    json!({ "kind": failure.kind.word(), "message": failure.message })
}

/// How long each phase took.
pub(super) fn phases(phases: &Phases) -> Value {
    let phase = |phase: Option<Duration>| phase.map(ms);
    json!({
        "dns": phase(phases.dns), "connect": phase(phases.connect), "tls": phase(phases.tls),
        "first_byte": phase(phases.first_byte), "body": phase(phases.body),
    })
}

fn certificate(ends: &Certificate, transcript: Option<&Transcript>) -> Value {
    let chain = transcript.map(|transcript| transcript.chain.as_slice()).unwrap_or_default();
    let chain: Vec<Value> = chain
        .iter()
        .map(|one| {
            json!({
                "subject": one.subject,
                "issuer": one.issuer,
                "names": one.names,
                "not_before": rfc3339(one.not_before),
                "not_after": rfc3339(one.not_after),
                "fingerprint": one.fingerprint,
            })
        })
        .collect();
    json!({ "not_after": rfc3339(ends.not_after), "fingerprint": ends.fingerprint, "chain": chain })
}
