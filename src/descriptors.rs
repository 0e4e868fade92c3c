//! How many files and connections the system lets a program have open, and how many Curiad may want.

use std::fs;

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
            "{limit} files and connections may be open at once, and {checks} checks may want {wanted}: probes will be \
             inconclusive; raise LimitNOFILE= in the unit, or `ulimit -n`"
        )
    })
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
}
