//! The whole engine under a virtual clock: the real rules and the real course of each send, over value models of the store,
//! a desk, carriers and people that do their worst. Ten thousand seeds, and after each the invariants of `judge.rs`.
//!
//! A seed that fails is named: `CURIAD_SEED=42 cargo test --workspace --test engine` plays it again.

#![expect(clippy::panic, reason = "helpers of tests, where clippy allows it only in the tests themselves")]

mod callbacks;
mod dice;
#[path = "../../../domain/tests/rules/estate.rs"]
#[expect(dead_code, reason = "the estate of the rules' own tests; only what is written down is needed here")]
mod hand;
mod judge;
mod outside;
mod people;
mod plan;
mod program;
mod store;
mod world;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// `CURIAD_SEEDS` plays another number of them.
const SEEDS: u64 = 10_000;

/// How this test is told which seeds to play.
#[expect(clippy::disallowed_methods, reason = "a test's own, not Curiad's configuration")]
fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|number| number.parse().expect("a number"))
}

#[test]
fn no_incident_is_lost_or_doubled_whatever_happens() {
    let estate = plan::estate();
    if let Some(seed) = asked("CURIAD_SEED") {
        return world::World::new(seed, &estate).run();
    }
    let seeds = asked("CURIAD_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let failed: Vec<u64> = thread::scope(|scope| {
        let play = || {
            let mut failed = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds || failed.len() > 3 {
                    return failed;
                }
                if catch_unwind(AssertUnwindSafe(|| world::World::new(seed, &estate).run())).is_err() {
                    failed.push(seed);
                }
            }
        };
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        players.into_iter().flat_map(|player| player.join().expect("a player")).collect()
    });
    assert!(failed.is_empty(), "seeds that fail: {failed:?}; CURIAD_SEED=… plays one again");
}
