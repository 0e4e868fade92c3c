//! Named points at which a test kills the program: `kill -9` at a moment that no test could otherwise hit.
//!
//! `CURIAD_CRASH_AT=deliverer/sent` kills it when it first passes there, `deliverer/sent:3` at the third time. Builds without
//! `debug_assertions`, and so every release, have neither the names nor the switch: [`crash_point!`](crate::crash_point!) is
//! nothing there. `tests/system/crash_points.rs` dies at each of them, on both databases.

#[cfg(debug_assertions)]
pub use armed::{Armed, POINTS, Unknown, arm, lease, pass};

/// Dies here when told to (`crash_point.rs`); in a release, nothing at all.
#[cfg(debug_assertions)]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        $crate::crash_point::pass($name)
    };
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {};
}

#[cfg(debug_assertions)]
mod armed {
    use rustix::process::{Signal, getpid, kill_process};
    use std::{
        io::Write as _,
        str::FromStr,
        sync::{
            OnceLock,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    /// Every point there is. A test holds that each stands in the code once, and that each was died at.
    pub const POINTS: &[&str] = &[
        // A start, in its order.
        "start/migrating",
        "start/opened",
        "start/held",
        "start/remembered",
        "start/wired",
        // The recorder: what it folds, and what it does with it.
        "recorder/begun",
        "recorder/folded-configuration",
        "recorder/folded-outcome",
        "recorder/folded-told",
        "recorder/folded-heard",
        "recorder/folded-due",
        "recorder/before-commit",
        "recorder/committed",
        "recorder/before-hint",
        "recorder/hinted",
        "recorder/published",
        "recorder/draining",
        "recorder/drained",
        // Its transaction.
        "record/before-quiet",
        "record/quiet",
        "record/begun",
        "record/tracks-numbered",
        "record/hours",
        "record/outcomes",
        "record/failures",
        "record/transcripts",
        "record/track",
        "record/status",
        "record/incident",
        "record/notification",
        "record/withdrawn",
        "record/release",
        "record/silence",
        "record/maintenance",
        "record/override",
        "record/contact-proof",
        "record/answer",
        "record/heard",
        "record/before-commit",
        "record/committed",
        // What the phases of answers took, at a stop.
        "phases/put-in",
        "phases/committed",
        // What waits while the store takes nothing.
        "spool/written",
        "spool/put-in",
        "spool/recorded",
        "spool/set-aside",
        "spool/settled",
        "spool/renewing",
        // Being told.
        "inbox/before-append",
        "inbox/appended",
        // The deliverer.
        "claim/begun",
        "claim/claimed",
        "claim/attempt",
        "claim/prepared",
        "deliverer/claimed",
        "deliverer/turn",
        "deliverer/sent",
        "deliverer/refused",
        "deliverer/settled",
        "deliverer/hinted",
        "deliverer/drained",
        "desk/looked-up",
        "desk/made",
        "desk/looked-again",
        "desk/before-note",
        "desk/noted",
        "answer/unread",
        "text/traced",
        "text/before-send",
        "text/taken",
        "call/traced",
        "call/before-send",
        "call/taken",
        "mail/before-send",
        "mail/taken",
        "webhook/before-send",
        "webhook/taken",
        "chat/taken",
        "pager/taken",
        "alertmanager/told",
        "desk/read",
        "desk/read-back",
        "settle/begun",
        "settle/notification",
        "settle/attempt",
        "settle/receipt",
        "settle/committed",
        // What is sent to those who asked for it.
        "letter/announced",
        "letter/claimed",
        "letter/settled",
        // Hours that are over.
        "seal/begun",
        "seal/taken-out",
        "seal/put-in",
        "seal/before-commit",
        "seal/committed",
        // Days that are over.
        "roll-up/begun",
        "roll-up/taken",
        "roll-up/put-in",
        "roll-up/before-commit",
        "roll-up/committed",
        // What is kept no more.
        "prune/begun",
        "prune/summed",
        "prune/before-commit",
        "prune/committed",
        "import/before-commit",
        "backup/copied",
        // A stop.
        "stop/drained",
        "stop/closed",
    ];

    /// The point to die at, and how often it was passed: the one state that all rooms share, for death does not go by rooms.
    static ARMED: OnceLock<Armed> = OnceLock::new();
    static PASSED: AtomicU32 = AtomicU32::new(0);
    static LEASE: OnceLock<Duration> = OnceLock::new();

    /// What the switch says: `NAME`, or `NAME:N` for the N-th passing.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Armed {
        name: &'static str,
        nth: u32,
    }

    /// The switch names no point.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("no crash point is called '{0}'\nwrite one of these, with ':N' to die at the N-th passing: {all}", all = POINTS.join(", "))]
    pub struct Unknown(String);

    impl FromStr for Armed {
        type Err = Unknown;

        fn from_str(text: &str) -> Result<Self, Unknown> {
            let unknown = || Unknown(text.to_owned());
            let (name, nth) = match text.split_once(':') {
                Some((name, nth)) => (name, nth.parse().map_err(|_| unknown())?),
                None => (text, 1),
            };
            let name = POINTS.iter().copied().find(|point| *point == name && nth > 0).ok_or_else(unknown)?;
            Ok(Self { name, nth })
        }
    }

    /// From now on the program dies at that point, and leases a send for so long. A second call changes nothing.
    pub fn arm(at: Option<Armed>, lease: Option<Duration>) {
        at.map(|at| ARMED.set(at));
        lease.map(|lease| LEASE.set(lease));
    }

    /// How long a send is to be leased: who comes after a crash waits for that, and a test not for a minute.
    pub fn lease() -> Option<Duration> {
        LEASE.get().copied()
    }

    /// One passing of the point `name`.
    pub fn pass(name: &str) {
        if let Some(armed) = ARMED.get()
            && armed.name == name
            && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == armed.nth
        {
            die(name);
        }
    }

    /// The system's own `kill -9`: all threads at once, no destructor, nothing flushed, no core.
    fn die(name: &str) -> ! {
        // So that a test can tell this death from any other.
        writeln!(std::io::stderr(), "crash point {name}").ok();
        kill_process(getpid(), Signal::KILL).ok();
        std::process::abort()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_that_there_is_not_is_refused_in_words() {
            for wrong in ["", "recorder/comitted", "recorder/committed:0", "recorder/committed:x", ":1"] {
                let said = wrong.parse::<Armed>().unwrap_err().to_string();
                assert!(said.contains(wrong) && said.contains("recorder/committed"), "{said}");
            }
            let (once, third) = ("recorder/committed".parse(), "recorder/committed:3".parse());
            assert_eq!(once, Ok(Armed { name: "recorder/committed", nth: 1 }));
            assert_eq!(third, Ok(Armed { name: "recorder/committed", nth: 3 }));
        }

        #[test]
        fn no_name_stands_for_two_points() {
            let different: std::collections::BTreeSet<_> = POINTS.iter().collect();
            assert_eq!(different.len(), POINTS.len());
        }
    }
}
