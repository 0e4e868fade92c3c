//! `curiad demo --history 90d`: a made-up past is put into the demo's database before the demo begins.

use super::lived::{self, Lived};
use crate::{
    exit::{Failed, USAGE},
    terminal::{Progress, Terminal},
};
use domain::{Clock, Configuration, Situation};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use store::{Simulated, Store, Stretch};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// What the past is made from.
const SEED: u64 = 0x0063_7572_6961_6400;
const HOUR: i64 = 3_600_000;
/// The last hours are rows, as they are when they have been recorded: they are sealed later.
const ROWS: SignedDuration = SignedDuration::from_hours(2);
/// Hours of one transaction: at least so many, and more until nothing is amiss, but no more than these.
const HOURS: u32 = 4;
const MOST_HOURS: u32 = 12;
/// When making it took less, the past goes on to the present.
const CATCHES_UP: SignedDuration = SignedDuration::from_hours(1);

/// The longest past that is made: ten years.
const LONGEST_DAYS: u64 = 3_653;

/// `90d`, `26w` or `2y`: whole days, weeks, or years of 365 days.
pub(crate) fn parse_history(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a length of history such as 3d, 26w or 2y");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let days = match unit {
        "d" => 1,
        "w" => 7,
        "y" => 365,
        _ => return Err(wrong()),
    };
    let days = number.parse::<u64>().ok().and_then(|number| number.checked_mul(days)).ok_or_else(wrong)?;
    if days == 0 || days > LONGEST_DAYS {
        return Err(format!("'{text}' is not between one day (1d) and ten years (10y)"));
    }
    Ok(Duration::from_secs(days * 24 * 3_600))
}

/// Makes the past, or the rest of it. `false`: stopped before it was whole; the same again goes on.
pub(super) async fn make(
    store: &Store,
    configuration: &Configuration,
    length: Duration,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<bool, Failed> {
    let simulated = to_be_made(store, length, clock.now()).await?;
    let configuration = Arc::new(lived::configuration(configuration));
    let remembered = store.remember(simulated.through - alerting::REMEMBERED_FOR).await?;
    let situation = Situation::new(configuration, remembered);
    // One stretch ahead, so that one is made while another is written.
    let (made, mut stretches) = mpsc::channel::<Made>(1);
    let (making, clock) = (Lived::new(SEED, situation, simulated), clock.clone());
    let making = tokio::task::spawn_blocking(move || stretch_by_stretch(making, simulated, &clock, &made));
    let mut shown = Shown::new(simulated);
    while let Some((stretch, so_far)) = stretches.recv().await {
        store.import(&stretch, so_far.until - ROWS, so_far).await?;
        shown.put_in(&stretch, so_far);
        if stop.is_cancelled() {
            shown.stopped(so_far);
            return Ok(false);
        }
    }
    making.await.map_err(|error| anyhow::Error::from(error).context("the making of the past failed"))?;
    shown.whole();
    Ok(true)
}

/// A past for a database that has none, or the rest of one that was not finished.
async fn to_be_made(store: &Store, length: Duration, now: Timestamp) -> Result<Simulated, Failed> {
    if store.is_blank().await? {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let from = now.checked_sub(length).unwrap_or(Timestamp::MIN).as_millisecond();
        let from = Timestamp::from_millisecond(from - from.rem_euclid(HOUR)).unwrap_or(Timestamp::MIN);
        return Ok(Simulated { from, until: now, through: from });
    }
    match store.simulated().await? {
        Some(begun) if begun.is_unfinished() && store.has_no_rows().await? => Ok(begun),
        made => {
            let what = match made {
                Some(made) => format!("a past from {:.0} to {:.0} was made for it", made.from, made.until),
                None => "the demo has run on it".to_owned(),
            };
            let next = "leave out --history to go on with it, or choose another directory with --data DIR";
            Err(Failed::new(USAGE, format!("the demo's database has history already: {what}\n{next}")))
        }
    }
}

/// A stretch, and how far the past is made with it.
type Made = (Stretch, Simulated);

/// Until all is made, or nobody wants it any more.
fn stretch_by_stretch(mut lived: Lived, simulated: Simulated, clock: &Clock, made: &mpsc::Sender<Made>) {
    let Simulated { mut until, through: mut at, from } = simulated;
    // The hours that stay rows are one stretch: what is unfinished has no rows.
    let last = until - ROWS - SignedDuration::from_millis((until - ROWS).as_millisecond().rem_euclid(HOUR));
    let mut hours = 0;
    while at < until {
        let next =
            Timestamp::from_millisecond((at.as_millisecond().div_euclid(HOUR) + 1) * HOUR).unwrap_or(until);
        if next >= until {
            let now = clock.now();
            if now.duration_since(until) < CATCHES_UP {
                until = until.max(now);
            }
        }
        let to = next.min(until);
        lived.hour(at, to);
        (at, hours) = (to, hours + 1);
        let whole = hours >= HOURS && (lived.is_calm() || hours >= MOST_HOURS);
        let is_cut = at <= last && (whole || at == last);
        if is_cut || at >= until {
            hours = 0;
            if made.blocking_send((lived.take(), Simulated { from, until, through: at })).is_err() {
                return;
            }
        }
    }
}

/// What is shown of it meanwhile.
struct Shown {
    terminal: Terminal,
    progress: Progress,
    begun: Instant,
    from: Timestamp,
    /// Of ten, so many tenths were said, where there is no line to write over.
    tenths: i64,
    samples: u64,
    resumed: Timestamp,
}

impl Shown {
    fn new(simulated: Simulated) -> Self {
        let progress = Progress::new();
        let terminal = Terminal::new();
        let days = simulated.until.duration_since(simulated.from).as_hours() / 24;
        if simulated.through > simulated.from {
            terminal.line(&format!("Going on with a past of {days} days, at {:.0}.", simulated.through));
        } else {
            terminal.line(&format!("Making up a past of {days} days; it is marked as simulated."));
        }
        let (from, resumed) = (simulated.from, simulated.through);
        Self { terminal, progress, begun: Instant::now(), from, tenths: 0, samples: 0, resumed }
    }

    fn put_in(&mut self, stretch: &Stretch, so_far: Simulated) {
        self.samples += stretch.hours.iter().map(|(_, samples)| samples.len() as u64).sum::<u64>();
        let part = |from: Timestamp| so_far.through.duration_since(from).as_secs_f64();
        let all = so_far.until.duration_since(self.from).as_secs_f64();
        let share = part(self.from) / all;
        let elapsed = self.begun.elapsed().as_secs_f64();
        let left =
            elapsed / part(self.resumed).max(1.0) * so_far.until.duration_since(so_far.through).as_secs_f64();
        let millions = millions(self.samples);
        if self.progress.is_shown() {
            let bar: String =
                (1..=24).map(|step| if f64::from(step) / 24.0 <= share { '█' } else { '░' }).collect();
            let percent = share * 100.0;
            self.progress
                .show(&format!("  {bar} {percent:3.0} %  {millions} million samples, {left:.0} s left"));
        } else {
            let seconds = |to: Timestamp| to.duration_since(self.from).as_secs();
            let tenths = seconds(so_far.through) * 10 / seconds(so_far.until).max(1);
            if tenths > self.tenths && tenths < 10 {
                self.terminal.line(&format!("  {tenths}0 %, {millions} million samples"));
            }
            self.tenths = tenths;
        }
    }

    fn stopped(self, so_far: Simulated) {
        self.progress.clear();
        self.terminal.line(&format!(
            "stopped at {:.0} of the past; the same command goes on from there",
            so_far.through
        ));
    }

    fn whole(self) {
        self.progress.clear();
        let (millions, seconds) = (millions(self.samples), self.begun.elapsed().as_secs_f64());
        self.terminal.line(&format!("The past is made: {millions} million samples in {seconds:.1} s.\n"));
    }
}

/// In millions, to the tenth.
fn millions(samples: u64) -> String {
    format!("{}.{}", samples / 1_000_000, samples / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_history_is_in_days_weeks_or_years() {
        let days = |text: &str| parse_history(text).map(|length| length.as_secs() / 86_400);
        assert_eq!([days("90d"), days("26w"), days("2y")], [Ok(90), Ok(182), Ok(730)]);
        for wrong in ["", "90", "d", "2m", "-1d", "1.5y", "99999999999999999999d", "d90"] {
            assert_eq!(
                days(wrong),
                Err(format!("'{wrong}' is not a length of history such as 3d, 26w or 2y"))
            );
        }
        for wrong in ["0d", "11y"] {
            assert_eq!(
                days(wrong),
                Err(format!("'{wrong}' is not between one day (1d) and ten years (10y)"))
            );
        }
    }
}
