//! A journey: its steps in turn until one fails, then its clean-up, whatever became of the steps.

use super::{Prober, add, ours};
use crate::{
    answer,
    credential::Bearer,
    exchange::Received,
    fill::Values,
    journey::{Journey, Step},
    target::Target,
    unbroken::unbroken,
};
use domain::{Expectation, Failure, FailureKind, Layer, Outcome, Phases, StepSeen};
use std::{pin::pin, time::Duration};
use tokio::time::Instant;

/// With less than this part of the journey's time left a step is not begun: it would be blamed for what others took.
const TENTH: u32 = 10;

/// Who asks: the request id, which all steps share, and the token.
type Who<'a> = (&'a str, Option<&'a Bearer>);

impl Prober {
    /// All steps, and the clean-up; it writes down what it took without the clean-up.
    pub(super) async fn journey(
        &self,
        journey: &Journey,
        deadline: Instant,
        who: Who<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        let _cleaning = (!journey.clean_up.is_empty()).then(|| self.landing.begins());
        let mut values = Values::new(who.0);
        let mut steps = Vec::new();
        let all = (&mut values, &mut steps);
        let stepped = unbroken(pin!(self.steps(journey, (began, deadline), who, all, outcome))).await;
        outcome.total = began.elapsed();
        self.clean_up(journey, who, (&mut values, &mut steps), outcome).await;
        let stepped = stepped.unwrap_or_else(|| Err(self.broke_in(outcome)));
        // As with any probe, of a good one only where it is asked for.
        if outcome.transcript.is_some() || stepped.is_err() || steps.iter().any(|step| step.failure.is_some())
        {
            outcome.transcript.get_or_insert_default().steps = steps;
        }
        stepped
    }

    /// What is said of a panic.
    fn broke_in(&self, journey: &Outcome) -> Failure {
        self.metrics.broke();
        tracing::error!(check = %journey.check, "a journey broke; reported as inconclusive");
        ours(FailureKind::ProbeBroke, "the probe itself broke; the program's log says where")
    }

    async fn steps(
        &self,
        journey: &Journey,
        (began, deadline): (Instant, Instant),
        who: Who<'_>,
        (values, steps): (&mut Values, &mut Vec<StepSeen>),
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        for step in journey.steps() {
            let start = Instant::now();
            let (before, left) = (start - began, deadline.saturating_duration_since(start));
            if left < (deadline - began) / TENTH {
                let failure = Failure {
                    layer: Layer::Backend,
                    kind: FailureKind::FirstByteTimeout,
                    message: format!("not begun: the steps before it took {before:.1?}"),
                };
                steps.push(StepSeen { failure: Some(failure.clone()), ..StepSeen::new(&step.name, false) });
                return Err(named(&step.name, failure));
            }
            let told = self.landing.is_told();
            let seen = {
                let stepping = pin!(self.step(step, deadline, who, values, outcome));
                tokio::select! {
                    biased;
                    () = self.breaks_off(step) => None,
                    seen = stepping => Some(seen),
                }
            };
            let Some(seen) = seen else {
                let failure = broken_off();
                // One that was not begun took no time.
                let total = if told { Duration::ZERO } else { start.elapsed() };
                let seen = StepSeen::new(&step.name, false);
                steps.push(StepSeen { failure: Some(failure.clone()), total, ..seen });
                return Err(named(&step.name, failure));
            };
            take_in(outcome, &seen);
            let failed = seen.failure.clone();
            outcome.expectations.extend(
                seen.expectations
                    .into_iter()
                    .map(|one| Expectation { what: format!("{}: {}", step.name, one.what), ..one }),
            );
            steps.push(StepSeen {
                failure: failed.clone(),
                http: seen.http,
                phases: seen.phases,
                total: seen.total,
                ..StepSeen::new(&step.name, false)
            });
            if let Some(mut failure) = failed {
                if !before.is_zero() && is_timeout(failure.kind) && steps.len() > 1 {
                    failure.message = format!("{}; the steps before it took {before:.1?}", failure.message);
                }
                return Err(named(&step.name, failure));
            }
        }
        Ok(())
    }

    /// Until this step is to be broken off. One that writes may say first what it made: else nobody could clean up.
    async fn breaks_off(&self, step: &Step) {
        let begun = !self.landing.is_told();
        self.landing.told().await;
        if begun && step.writes() {
            tokio::time::sleep(self.limits.grace / 2).await;
        }
    }

    /// One step, as a probe of its own. What it says holds no captured value.
    async fn step(
        &self,
        step: &Step,
        deadline: Instant,
        who: Who<'_>,
        values: &mut Values,
        journey: &Outcome,
    ) -> Outcome {
        let mut seen = Outcome {
            transcript: journey.transcript.is_some().then(Box::default),
            ..Outcome::new(journey.check.clone(), journey.vantage.clone(), journey.at)
        };
        let began = Instant::now();
        let deadline = step.timeout.map_or(deadline, |timeout| deadline.min(began + timeout));
        let failure = self.asked(step, deadline, who, values, &mut seen).await.err();
        seen.total = began.elapsed();
        seen.failure = failure;
        hide(values, &mut seen);
        seen
    }

    async fn asked(
        &self,
        step: &Step,
        deadline: Instant,
        who: Who<'_>,
        values: &mut Values,
        seen: &mut Outcome,
    ) -> Result<(), Failure> {
        let target = step.target(values)?;
        let then = |prober: &Self, target: &Target, received: Received<'_>, seen: &mut Outcome| {
            // Before the answer is judged: what was made by a step that then fails is to be cleaned up, too.
            let taken = match &received.broke_off {
                None => step.captures.take(&received.headers, &received.body, values),
                Some(_) => Ok(()),
            };
            prober.understand(target, received, seen)?;
            taken
        };
        self.http(&target, deadline, who, seen, then).await
    }

    /// Each in its share of the time. None fails the probe.
    async fn clean_up(
        &self,
        journey: &Journey,
        who: Who<'_>,
        (values, steps): (&mut Values, &mut Vec<StepSeen>),
        outcome: &mut Outcome,
    ) {
        let deadline = Instant::now() + journey.clean_up_timeout;
        for (step, left) in journey.clean_up.iter().zip((1..=journey.clean_up.len()).rev()) {
            let mut done = StepSeen::new(&step.name, true);
            if let Some(lacking) = step.lacks(values) {
                done.failure = is_made(journey, steps, lacking).then(|| Failure {
                    layer: Layer::Contract,
                    kind: FailureKind::ExpectationFailed,
                    message: format!("'{lacking}' was not captured"),
                });
                done.without = Some(lacking.to_owned());
            } else {
                let now = Instant::now();
                let share = deadline.saturating_duration_since(now) / u32::try_from(left).unwrap_or(u32::MAX);
                let seen = unbroken(pin!(self.step(step, now + share, who, values, outcome))).await;
                let seen = seen.unwrap_or_else(|| {
                    let begun = Outcome::new(outcome.check.clone(), outcome.vantage.clone(), outcome.at);
                    Outcome { failure: Some(self.broke_in(outcome)), ..begun }
                });
                let Outcome { failure, http, phases, total, .. } = seen;
                done = StepSeen { failure, http, phases, total, ..done };
            }
            done.failure.iter().for_each(|failure| {
                self.complaints.left_behind(&outcome.check, &step.name, failure);
            });
            outcome.expectations.push(Expectation {
                what: format!("clean-up '{}'", step.name),
                expected: "done".to_owned(),
                seen: match (&done.without, &done.failure) {
                    (Some(value), None) => format!("not needed: '{value}' was not captured"),
                    (Some(_), Some(why)) => {
                        format!("cannot: {}, something may be left behind", why.message)
                    }
                    (None, Some(failure)) => failure.message.clone(),
                    (None, None) => "done".to_owned(),
                },
                ok: done.failure.is_none(),
            });
            steps.push(done);
        }
    }
}

/// Whether something may have been made that this value would name, though nothing gave it: what a step sent may be written
/// however it was answered, but where it was refused. Where the step that gives it only reads, it reads what one before it
/// made that gives nothing itself.
fn is_made(journey: &Journey, steps: &[StepSeen], value: &str) -> bool {
    let refused = |seen: &StepSeen| seen.http.as_ref().is_some_and(|http| matches!(http.status, 400..=499));
    let wrote = |at: usize, step: &Step| {
        let seen = steps.get(at).filter(|seen| !seen.clean_up);
        step.writes() && seen.is_some_and(|seen| was_sent(seen) && !refused(seen))
    };
    let mut before = false;
    for (at, step) in journey.steps().enumerate() {
        if step.captures.take_one_named(value) {
            return if step.writes() { wrote(at, step) } else { before };
        }
        before |= step.captures.is_empty() && wrote(at, step);
    }
    false
}

/// Of one that was broken off in the middle nobody knows.
fn was_sent(seen: &StepSeen) -> bool {
    let broke = seen.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::ProbeBroke);
    seen.phases.first_byte.is_some() || (broke && !seen.total.is_zero())
}

/// Nothing was seen of it: we were told to stop.
fn broken_off() -> Failure {
    ours(FailureKind::ProbeBroke, "broken off: Curiad was told to stop")
}

/// What of a step is the journey's.
fn take_in(outcome: &mut Outcome, seen: &Outcome) {
    let (all, Phases { dns, connect, tls, first_byte, body }) = (&mut outcome.phases, seen.phases);
    let stretches: [(&mut Option<Duration>, Option<Duration>); 5] = [
        (&mut all.dns, dns),
        (&mut all.connect, connect),
        (&mut all.tls, tls),
        (&mut all.first_byte, first_byte),
        (&mut all.body, body),
    ];
    for (phase, took) in stretches {
        if let Some(took) = took {
            add(phase, took);
        }
    }
    outcome.http.clone_from(&seen.http);
    outcome.retry_after = seen.retry_after;
    if seen.deprecation.is_some() {
        outcome.deprecation.clone_from(&seen.deprecation);
    }
    if seen.certificate.is_some() {
        outcome.certificate.clone_from(&seen.certificate);
    }
    if let Some(transcript) = &seen.transcript
        && !transcript.chain.is_empty()
    {
        // Not its headers: a captured value may stand in them.
        outcome.transcript.get_or_insert_default().chain.clone_from(&transcript.chain);
    }
}

/// Takes out of what was seen of a step whatever may hold a captured value.
fn hide(values: &Values, seen: &mut Outcome) {
    for expectation in &mut seen.expectations {
        let told = answer::unmet(expectation);
        // What a header says beyond its form may be the value, or a part of it.
        let header = expectation.what.starts_with("header ") && expectation.what != "header content-type";
        if header && expectation.seen != "nothing" {
            let said = if expectation.ok { "so it is" } else { "something else" };
            said.clone_into(&mut expectation.seen);
        }
        expectation.seen = values.hidden(&expectation.seen);
        if let Some(failure) = seen.failure.as_mut().filter(|failure| failure.message == told) {
            failure.message = answer::unmet(expectation);
        }
    }
    if let Some(failure) = &mut seen.failure {
        failure.message = values.hidden(&failure.message);
    }
}

fn named(step: &str, Failure { layer, kind, message }: Failure) -> Failure {
    Failure { layer, kind, message: format!("step '{step}': {message}") }
}

const fn is_timeout(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::ConnectTimeout
            | FailureKind::TlsTimeout
            | FailureKind::FirstByteTimeout
            | FailureKind::BodyTimeout
    )
}
