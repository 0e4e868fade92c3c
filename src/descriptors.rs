//! File descriptors: as many as the system allows, and no more probes at a time than there are.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than this is never needed: probes, listeners, the database, what is sent.
const ENOUGH: u64 = 65_536;

/// How many probes may be in flight. The soft limit of the system, often 1024 for the sake of old programs, is raised as
/// far as its hard limit allows; a quarter of what there is then is kept for all else.
pub(crate) fn limits() -> prober::Limits {
    let available = raise();
    let limits = prober::Limits::default();
    let in_flight = for_probes(available).min(limits.in_flight);
    if in_flight < limits.in_flight {
        tracing::warn!(
            available,
            in_flight,
            "few file descriptors: fewer probes at a time; raise the hard limit (LimitNOFILE= of systemd, or `ulimit -Hn`)"
        );
    }
    prober::Limits { in_flight, ..limits }
}

/// The limit that holds from now on.
fn raise() -> u64 {
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

fn for_probes(available: u64) -> usize {
    usize::try_from(available - available / 4).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_is_kept_for_all_else() {
        assert_eq!(for_probes(1_024), 768);
        assert_eq!(for_probes(64), 48);
        assert_eq!(for_probes(0), 1);
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
