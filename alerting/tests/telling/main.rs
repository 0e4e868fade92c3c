//! Telling, against the world as it is: desks that time out, carriers that lose, mail that stays away; each story on either database.

#![expect(clippy::duplicate_mod, reason = "each story once for each database")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, where clippy allows it only in the tests themselves"
)]

#[path = "../../../tests/system/database.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "of it only a place of its own for each story is needed here"
)]
mod database;
mod example;
#[path = "stories.rs"]
mod postgres;
#[path = "stories.rs"]
mod sqlite;

/// The key of the example's ticket in the desk.
const KEY: &str = "curiad:C-42-k3f9xq";
