//! How fast a past is made up: the generator of `curiad demo --history` alone, nothing of it judged or stored.
//!
//! Prints `{"tracks", "days", "samples", "seconds", "per_second"}`.

use clap::Parser;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use simulator::{Asked, Past};
use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

#[derive(Debug, Parser)]
struct Arguments {
    /// Checks, each from one vantage
    #[arg(long, default_value_t = 100)]
    tracks: u32,
    /// Days of 24 hours
    #[arg(long, default_value_t = 90)]
    days: i64,
    /// Seconds from one probe to the next
    #[arg(long, default_value_t = 10)]
    every: u64,
}

const ENVIRONMENTS: [&str; 5] = ["sandbox", "development", "sit", "uat", "production"];

fn asked(track: u32, every: u64) -> Asked {
    let environment = ENVIRONMENTS.iter().cycle().nth(track as usize).map_or("sit", |one| one);
    let (api, operation) =
        (format!("api-{}", track / 10), if track.is_multiple_of(2) { "ping" } else { "status" });
    Asked {
        name: format!("{api}/{environment}/{operation} from internet"),
        api,
        environment: environment.to_owned(),
        operation: operation.to_owned(),
        every: Duration::from_secs(every),
        slow: Duration::from_millis(800),
        timeout: Duration::from_secs(3),
    }
}

fn main() -> io::Result<()> {
    let Arguments { tracks, days, every } = Arguments::parse();
    let hour = SignedDuration::from_hours(1);
    let from = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000);
    let until = from + SignedDuration::from_hours(24 * days);
    let asked: Vec<Asked> = (0..tracks).map(|track| asked(track, every)).collect();
    let instances = asked.iter().map(|one| (one.api.as_str(), one.environment.as_str()));
    let begun = Instant::now();
    let past = Past::new(1, (from, until), TimeZone::UTC, instances);
    let (mut at, mut samples) = (from, 0);
    while at < until {
        samples += asked.iter().map(|one| past.seen(one, at, at + hour).len()).sum::<usize>();
        at += hour;
    }
    let seconds = begun.elapsed();
    let per_second = samples as u128 * 1_000_000 / seconds.as_micros().max(1);
    let seconds = seconds.as_secs_f64();
    let measured = serde_json::json!({
        "tracks": tracks, "days": days, "samples": samples, "seconds": seconds, "per_second": u64::try_from(per_second).ok(),
    });
    writeln!(io::stdout(), "{measured}")
}
