//! One probe for people: a waterfall of its phases, what was expected and seen, and the certificates.

use super::json::ms;
use crate::terminal::{Ink, Terminal, wrapped};
use domain::{Check, Failure, FailureKind, Layer, Outcome, Phases, Says, Transcript, Verdict};
use jiff::Timestamp;
use std::time::Duration;

/// Eighths of a column in the waterfall.
const EIGHTHS: f64 = 40.0 * 8.0;

/// Where everything below the first line begins, and how wide its text is.
const INDENT: &str = "  ";
const WIDTH: usize = 94;

/// Fewer days left to a certificate are worth a colour.
const SOON: i64 = 30;

/// Seconds.
const DAY: i64 = 86_400;

/// What was seen, line by line.
pub(super) fn lines(
    terminal: Terminal,
    check: &Check,
    outcome: &Outcome,
    verdict: Verdict,
    now: Timestamp,
) -> Vec<String> {
    let mut lines = vec![first(terminal, outcome, verdict)];
    if check.from.len() > 1 {
        lines.push(format!("{INDENT}{}", terminal.ink(Ink::Dim, &format!("from {}", outcome.vantage))));
    }
    lines.extend(told(terminal, outcome, verdict));
    if outcome.failure.is_none() && verdict == Verdict::Slow {
        let late = format!("slower than {} ms", check.slow.as_millis());
        lines.push(format!("{INDENT}{}", terminal.ink(ink_of(verdict), &late)));
    }
    lines.extend(seen(terminal, outcome, now));
    lines.push(String::new());
    lines
}

/// How long it took, what was expected, and what was written down of the answer.
pub(super) fn seen(terminal: Terminal, outcome: &Outcome, now: Timestamp) -> Vec<String> {
    let one = outcome.steps().is_empty();
    let mut lines = if one { waterfall(terminal, outcome) } else { steps(terminal, outcome) };
    lines.extend(expectations(terminal, outcome));
    lines.extend(certificates(terminal, outcome, now));
    lines.extend(notes(terminal, outcome, now));
    lines
}

/// What was wrong, if anything.
pub(super) fn told(terminal: Terminal, outcome: &Outcome, verdict: Verdict) -> Vec<String> {
    let Some(failure) = &outcome.failure else { return Vec::new() };
    let told = format!("{}: {}", failure.layer, failure.message);
    let ink = |line: &String| format!("{INDENT}{}", terminal.ink(ink_of(verdict), line));
    wrapped(&told, WIDTH).iter().map(ink).collect()
}

const fn ink_of(verdict: Verdict) -> Ink {
    match verdict {
        Verdict::Pass => Ink::Green,
        Verdict::Slow => Ink::Yellow,
        Verdict::Fail => Ink::Red,
        Verdict::Inconclusive => Ink::Blue,
    }
}

fn first(terminal: Terminal, outcome: &Outcome, verdict: Verdict) -> String {
    let word = terminal.ink(ink_of(verdict), &format!("{:<12}", verdict.word()));
    let name = terminal.ink(Ink::Bold, &format!("{:<48}", outcome.check.to_string()));
    let http =
        outcome.http.as_ref().map_or_else(String::new, |http| format!("  {} {}", http.version, http.status));
    format!("{word}  {name} {:>9.1} ms{http}", ms(outcome.total))
}

/// A bar for each phase, as long as it took, from where the one before it ended.
fn waterfall(terminal: Terminal, outcome: &Outcome) -> Vec<String> {
    let whole = (Duration::ZERO, outcome.total);
    bars(terminal, (outcome.phases, outcome.failure.as_ref()), whole)
}

/// Each step of a journey and a waterfall of its own, all of them on one scale.
fn steps(terminal: Terminal, outcome: &Outcome) -> Vec<String> {
    let total = outcome.steps().iter().map(|step| step.total).sum();
    let mut from = Duration::ZERO;
    let mut lines = Vec::new();
    for step in outcome.steps() {
        let what = if step.clean_up { "clean-up" } else { "step" };
        let http =
            step.http.as_ref().map_or_else(String::new, |http| format!("  {} {}", http.version, http.status));
        let (mark, ink, took) = match (&step.without, &step.failure) {
            (Some(_), None) => ("–", Ink::Dim, "not needed".to_owned()),
            (Some(_), Some(_)) => ("✗", Ink::Red, "cannot be done".to_owned()),
            (None, None) => ("✓", Ink::Green, format!("{:.1} ms", ms(step.total))),
            (None, Some(_)) => ("✗", Ink::Red, format!("{:.1} ms", ms(step.total))),
        };
        let name = terminal.ink(Ink::Bold, &step.name);
        lines.push(format!("{INDENT}{} {what} {name}  {took}{http}", terminal.ink(ink, mark)));
        lines.extend(bars(terminal, (step.phases, step.failure.as_ref()), (from, total)));
        from += step.total;
    }
    lines
}

fn bars(
    terminal: Terminal,
    (phases, failure): (Phases, Option<&Failure>),
    (start, total): (Duration, Duration),
) -> Vec<String> {
    let total = total.as_secs_f64().max(f64::MIN_POSITIVE);
    let mut from = start;
    let Phases { dns, connect, tls, first_byte, body } = phases;
    let all = [
        ("dns", dns, Layer::Dns),
        ("connect", connect, Layer::Connect),
        ("tls", tls, Layer::Tls),
        ("first byte", first_byte, Layer::Backend),
        ("body", body, Layer::Backend),
    ];
    let ended = all.iter().rposition(|(_, took, _)| took.is_some());
    let mut lines = Vec::new();
    for (index, (name, took, layer)) in all.into_iter().enumerate() {
        let Some(took) = took else { continue };
        let broke = failure
            .is_some_and(|failure| failure.layer == layer && Some(index) == ended && broke_off(failure));
        let ink = if broke { Ink::Red } else { Ink::Blue };
        let (start, length) = (eighths(from, total), eighths(took, total));
        lines.push(format!(
            "{INDENT}{name:<10} {:>9.1} ms  {}{}",
            ms(took),
            " ".repeat(start / 8),
            terminal.ink(ink, &bar(length))
        ));
        from += took;
    }
    lines
}

/// Whether the phase itself went wrong, and not what it brought.
fn broke_off(failure: &Failure) -> bool {
    let answered = matches!(
        failure.kind,
        FailureKind::HealthFail
            | FailureKind::HealthWarn
            | FailureKind::ServerError
            | FailureKind::BackendUnavailable
    );
    !answered
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of 320 eighths, clamped"
)]
fn eighths(duration: Duration, total: f64) -> usize {
    ((duration.as_secs_f64() / total).clamp(0.0, 1.0) * EIGHTHS).round() as usize
}

/// A bar so many eighths of a column long, and at least one.
fn bar(eighths: usize) -> String {
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8).copied().unwrap_or_default();
    let bar = format!("{}{rest}", "█".repeat(eighths / 8));
    if bar.is_empty() { "▏".to_owned() } else { bar }
}

/// Each expectation, with what was expected and what was seen.
fn expectations(terminal: Terminal, outcome: &Outcome) -> Vec<String> {
    let all = &outcome.expectations;
    let widest = |width: fn(&domain::Expectation) -> &str| {
        all.iter().map(|one| width(one).chars().count()).max().unwrap_or_default().min(40)
    };
    let (what, expected) = (widest(|one| &one.what), widest(|one| &one.expected));
    all.iter()
        .map(|one| {
            let (mark, ink) = if one.ok { ("✓", Ink::Green) } else { ("✗", Ink::Red) };
            let seen = if one.ok { one.seen.clone() } else { terminal.ink(Ink::Red, &one.seen) };
            let (expects, saw) = (terminal.ink(Ink::Dim, "expected"), terminal.ink(Ink::Dim, "saw"));
            format!(
                "{INDENT}{} {:<what$}  {expects} {:<expected$}  {saw} {seen}",
                terminal.ink(ink, mark),
                one.what,
                one.expected
            )
        })
        .collect()
}

/// The chain as the peer sent it, its own certificate first.
fn certificates(terminal: Terminal, outcome: &Outcome, now: Timestamp) -> Vec<String> {
    let chain =
        outcome.transcript.as_deref().map(|transcript| transcript.chain.as_slice()).unwrap_or_default();
    let mut lines = Vec::new();
    for (index, one) in chain.iter().enumerate() {
        let seconds = one.not_after.as_second() - now.as_second();
        let ends = format!("{} ({})", day(one.not_after), left(seconds));
        let ends = match seconds.div_euclid(DAY) {
            ..0 => terminal.ink(Ink::Red, &ends),
            0..SOON => terminal.ink(Ink::Yellow, &ends),
            _ => ends,
        };
        let title = if index == 0 { "certificate" } else { "" };
        let by = if one.subject == one.issuer { "itself".to_owned() } else { one.issuer.clone() };
        lines.push(format!(
            "{INDENT}{title:<11} {} {}, by {by}, {} {ends}",
            index + 1,
            one.subject,
            terminal.ink(Ink::Dim, "until")
        ));
        if index == 0 && !one.names.is_empty() && one.names != [one.subject.clone()] {
            lines.push(format!(
                "{INDENT}{:<13} {}",
                "",
                terminal.ink(Ink::Dim, &format!("for {}", one.names.join(", ")))
            ));
        }
    }
    lines
}

fn day(time: Timestamp) -> String {
    rfc(time).chars().take(10).collect()
}

fn rfc(time: Timestamp) -> String {
    status_page::rfc3339(time)
}

fn left(seconds: i64) -> String {
    let days = match seconds.abs() / DAY {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    if seconds > 0 { format!("{days} left") } else { format!("over for {days}") }
}

/// What else is worth knowing.
fn notes(terminal: Terminal, outcome: &Outcome, now: Timestamp) -> Vec<String> {
    let mut notes: Vec<(&str, String)> = Vec::new();
    if let Some(words) = &outcome.health {
        let says = match words.says {
            Says::Pass => "well",
            Says::Warn => "degraded",
            Says::Fail => "down",
        };
        let version =
            words.version.as_ref().map_or_else(String::new, |version| format!(", version {version}"));
        let failing = if words.failing.is_empty() {
            String::new()
        } else {
            format!("; not well: {}", words.failing.join(", "))
        };
        notes.push(("says", format!("{says}{version}{failing}")));
    }
    if let Some(http) = &outcome.http {
        let ip = http.remote_ip.map_or_else(String::new, |ip| format!(" from {ip}"));
        notes.push(("answer", format!("{} bytes{ip}", http.bytes)));
    }
    if let Some(proxy) = outcome.transcript.as_deref().and_then(|seen| seen.proxy.as_ref()) {
        notes.push(("through", format!("proxy {proxy}")));
    }
    if let Some(wait) = outcome.retry_after {
        notes.push(("asks", format!("to be left alone for {} s (Retry-After)", wait.as_secs())));
    }
    if let Some(goes) = &outcome.deprecation {
        let since = goes.since.map_or_else(String::new, |since| {
            format!("{} {}", if since <= now { "deprecated since" } else { "deprecated from" }, day(since))
        });
        let since = if since.is_empty() && goes.sunset.is_none() { "deprecated".to_owned() } else { since };
        let sunset = goes.sunset.map_or_else(String::new, |sunset| {
            if sunset <= now {
                format!("was to be gone on {}, but answers", day(sunset))
            } else {
                format!("gone on {}", day(sunset))
            }
        });
        let parts: Vec<String> = [since, sunset].into_iter().filter(|part| !part.is_empty()).collect();
        notes.push(("goes", parts.join("; ")));
    }
    if let Some(id) = &outcome.request_id {
        notes.push(("request", id.clone()));
    }
    let mut lines: Vec<String> = notes
        .into_iter()
        .map(|(what, note)| {
            let note = if what == "goes" { terminal.ink(Ink::Yellow, &note) } else { note };
            format!("{INDENT}{} {note}", terminal.ink(Ink::Dim, &format!("{what:<11}")))
        })
        .collect();
    lines.extend(outcome.transcript.as_deref().map(|seen| headers(terminal, seen)).unwrap_or_default());
    lines
}

fn headers(terminal: Terminal, seen: &Transcript) -> Vec<String> {
    let line = |(index, (name, value)): (usize, &(String, String))| {
        let title = if index == 0 { "headers" } else { "" };
        format!("{INDENT}{} {name}: {value}", terminal.ink(Ink::Dim, &format!("{title:<11}")))
    };
    seen.headers.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_a_certificate_is_told_in_whole_days() {
        for (seconds, told) in [
            (-3 * DAY - 5, "over for 3 days"),
            (-DAY, "over for 1 day"),
            (-3_600, "over for less than a day"),
            (0, "over for less than a day"),
            (3_600, "less than a day left"),
            (DAY, "1 day left"),
            (20 * DAY + 7, "20 days left"),
        ] {
            assert_eq!(left(seconds), told, "{seconds}");
        }
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_nothing() {
        for (eighths, shown) in [(0, "▏"), (1, "▏"), (4, "▌"), (8, "█"), (19, "██▍")] {
            assert_eq!(bar(eighths), shown);
        }
        assert_eq!(eighths(Duration::from_millis(5), 0.01), 160);
        assert_eq!(eighths(Duration::from_secs(9), 0.01), 320);
    }
}
