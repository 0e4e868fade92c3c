//! How many files and connections the system lets a program have open, and how many Curiad may want: it takes what the
//! system gives, and probes no more at a time than that.

use crate::listener::Size;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;

/// More than this is never needed: probes, listeners, the database, what is sent.
const ENOUGH: u64 = 65_536;

/// What Curiad opens beside its probes: its pages' readers, its database, what it sends.
const BESIDE: u64 = 200;

/// How many a program may have open (`proc_pid_limits(5)`); `None`: the system does not say. `pid`: whose; `None`: ours.
pub(crate) fn limit(pid: Option<u32>) -> Option<u64> {
    let whose = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    soft(&fs::read_to_string(format!("/proc/{whose}/limits")).ok()?)
}

fn soft(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let word = line.split_whitespace().next()?;
    if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() }
}

/// How many Curiad may want at once: a probe in flight is one connection, and a check never overlaps itself.
pub(crate) fn wanted(checks: usize) -> u64 {
    let probes = checks.min(prober::Limits::default().in_flight);
    u64::try_from(probes).unwrap_or(u64::MAX) + BESIDE
}

/// What is said at the start when there may be too few.
pub(crate) fn warning(checks: usize) -> Option<String> {
    let (limit, wanted) = (limit(None)?, wanted(checks));
    (limit < wanted).then(|| {
        format!(
            "{limit} files and connections may be open at once, and {checks} checks may want {wanted}: fewer probes are \
             sent at a time; raise LimitNOFILE= in the unit, or `ulimit -Hn`"
        )
    })
}

/// How many probes may be in flight. The soft limit of the system, often 1024 for the sake of old programs, is raised as
/// far as its hard limit allows; a quarter of what there is then is kept for all else.
pub(crate) fn limits() -> prober::Limits {
    let available = raise();
    let limits = prober::Limits::default();
    let in_flight = for_probes(available).min(limits.in_flight);
    prober::Limits { in_flight, ..limits }
}

/// The limit that holds from now on.
pub(crate) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(ENOUGH);
    let wanted = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if wanted <= current {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, current, "the limit of file descriptors cannot be raised");
            current
        }
    }
}

/// How many readers the public listener and the internal one have room for: an eighth of what the system gives, and a
/// thirty-second. So whoever crowds the one leaves the other, the probes, the database and what is sent as they are.
pub(crate) fn rooms() -> [Size; 2] {
    let available = raise();
    [for_readers(available / 8), for_readers(available / 32)]
}

/// More than these would be a matter of memory: each may make us keep 16 kB of a head.
const MOST_READERS: u64 = 4_096;
/// Fewer than these would serve nobody.
const FEWEST_READERS: u64 = 4;

fn for_readers(available: u64) -> Size {
    let all = usize::try_from(available.clamp(FEWEST_READERS, MOST_READERS)).unwrap_or(usize::MAX);
    Size { all, per_address: all / 2 }
}

fn for_probes(available: u64) -> usize {
    usize::try_from(available - available / 4).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             96299                96299                processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(soft(limits), Some(1024));
        assert_eq!(
            soft("Max open files            unlimited            unlimited            files"),
            Some(u64::MAX)
        );
        assert_eq!(soft(""), None);
        assert!(limit(None).is_some());
    }

    #[test]
    fn the_usual_limit_is_enough_for_any_number_of_checks() {
        assert_eq!(wanted(30), 230);
        assert!(wanted(50_000) <= 1024);
    }

    #[test]
    fn a_quarter_is_kept_for_all_else() {
        assert_eq!(for_probes(1_024), 768);
        assert_eq!(for_probes(64), 48);
        assert_eq!(for_probes(0), 1);
    }

    #[test]
    fn readers_have_a_part_that_leaves_enough_for_all_else() {
        for available in [1_024_u64, 20_000, ENOUGH] {
            let probes = for_probes(available).min(prober::Limits::default().in_flight);
            let readers = for_readers(available / 8).all + for_readers(available / 32).all;
            assert!(u64::try_from(probes + readers).unwrap() + 90 <= available, "{available}");
        }
        assert_eq!(for_readers(1_024 / 8), Size { all: 128, per_address: 64 });
        assert_eq!(for_readers(ENOUGH / 8).all, 4_096);
        assert_eq!(for_readers(0), Size { all: 4, per_address: 2 });
    }

    #[test]
    fn the_soft_limit_is_the_hard_one_once_it_was_raised() {
        let available = raise();
        assert_eq!(raise(), available);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, Some(available));
        assert!(limit.maximum.is_none_or(|hard| available == hard.min(ENOUGH) || available > ENOUGH));
    }
}
