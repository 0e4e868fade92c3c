//! `max_rate: 1/s`: how often an instance may be probed, whatever its checks ask for.

use super::{
    operation::Placed,
    problem::{Place, Problems, Rank},
    reading::Reading,
    tree::Node,
};
use domain::Check;
use std::time::Duration;

/// A hundred a second: what asks for more is a load test.
const MOST: Duration = Duration::from_millis(10);
/// One an hour: what comes more seldom measures nothing.
const LEAST: Duration = Duration::from_secs(3_600);

/// Reads a rate, as what it leaves from one probe to the next.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Placed<Duration>> {
    let value = reading.parsed(node, "a rate", parse)?;
    Some(Placed { value, place: node.place.clone() })
}

/// `2/s`, `30/m`, `100/h`.
fn parse(text: &str) -> Result<Duration, String> {
    let form = || {
        format!("a rate is a whole number a second, minute or hour, such as 1/s, 30/m or 100/h, not '{text}'")
    };
    let (number, unit) = text.split_once('/').ok_or_else(form)?;
    let number: u32 = number.parse().ok().filter(|number| *number > 0).ok_or_else(form)?;
    let unit = match unit {
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        _ => return Err(form()),
    };
    let apart = unit / number;
    if (MOST..=LEAST).contains(&apart) {
        Ok(apart)
    } else {
        Err(format!("a rate is from 1/h to 100/s, not '{text}'"))
    }
}

/// As a person writes it: `1/s`, `30/m`, `100/h`.
pub(crate) fn text(apart: Duration) -> String {
    let whole = |(unit, seconds)| {
        let unit_of_time = Duration::from_secs(seconds);
        let number = (unit_of_time.as_secs_f64() / apart.as_secs_f64()).round();
        let same = number >= 1.0 && unit_of_time.div_f64(number).abs_diff(apart) < Duration::from_micros(1);
        same.then(|| format!("{number}/{unit}"))
    };
    [("s", 1), ("m", 60), ("h", 3_600)]
        .into_iter()
        .find_map(whole)
        .unwrap_or_else(|| format!("1 in {apart:?}"))
}

/// Probes a second, by schedule, that one instance may be sent without a word: one team's file must not take the places of
/// all others (invariant 13).
const WITHOUT_A_WORD: f64 = 20.0;

/// Probes a minute that these checks send by schedule, from all vantages together.
fn asked<'c>(checks: impl Iterator<Item = &'c Check>) -> f64 {
    checks.map(|check| f64::from(vantages(check)) * requests(check) * 60.0 / check.every.as_secs_f64()).sum()
}

/// A journey is as many probes as it has requests, and so is what follows redirects.
fn requests(check: &Check) -> f64 {
    f64::from(check.operation.request.requests())
}

fn vantages(check: &Check) -> u32 {
    u32::try_from(check.from.len()).unwrap_or(u32::MAX)
}

/// Refuses checks of one instance that ask for more than anybody means.
pub(super) fn bound(checks: &[&mut Check], place: &Place, problems: &mut Problems) {
    let Some(environment) = checks.first().map(|check| check.id.instance.environment) else { return };
    let asked = asked(checks.iter().map(|check| &**check)) / 60.0;
    if asked > WITHOUT_A_WORD {
        let message = format!(
            "the checks of {environment} ask for {asked:.0} probes a second, and one instance is sent at most {WITHOUT_A_WORD}"
        );
        let hint = Some(
            "probe less often ('every'); if so many are meant, say so: max_rate, up to 100/s".to_owned(),
        );
        problems.error(Rank::Sense, place, message, hint);
    }
}

/// Holds the checks of one instance to its rate; its vantages share it.
pub(super) fn hold(mut checks: Vec<&mut Check>, rate: &Placed<Duration>, problems: &mut Problems) {
    let Some(environment) = checks.first().map(|check| check.id.instance.environment) else { return };
    let asked = asked(checks.iter().map(|check| &**check));
    let allowed = 60.0 / rate.value.as_secs_f64();
    if asked > allowed {
        let message = format!(
            "the checks of {environment} ask for {asked:.1} probes a minute, and max_rate {} allows {allowed:.1}",
            text(rate.value),
        );
        let hint = Some("probe less often ('every'), or choose fewer operations".to_owned());
        problems.error(Rank::Sense, &rate.place, message, hint);
    }
    for check in &mut checks {
        check.apart = Some(rate.value.saturating_mul(vantages(check) * check.operation.request.requests()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_a_second_a_minute_or_an_hour() {
        for (written, milliseconds) in [
            ("1/s", 1_000),
            ("100/s", 10),
            ("30/m", 2_000),
            ("1/m", 60_000),
            ("100/h", 36_000),
            ("1/h", 3_600_000),
        ] {
            assert_eq!(parse(written), Ok(Duration::from_millis(milliseconds)), "{written}");
            assert_eq!(text(Duration::from_millis(milliseconds)), written);
        }
        assert_eq!(text(parse("7/m").unwrap()), "7/m");
    }

    #[test]
    fn a_rate_is_nothing_else() {
        for written in [
            "",
            "1",
            "1/",
            "/s",
            "0/s",
            "-1/s",
            "1.5/s",
            "1 / s",
            "1/d",
            "5s",
            "101/s",
            "1/s/s",
            "99999999999/s",
        ] {
            assert!(parse(written).is_err(), "{written}");
        }
    }
}
