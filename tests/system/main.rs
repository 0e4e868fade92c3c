//! Stories: the real program, against a world of real sockets. Each reads as a requirement.

#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test that finds something else fails")]

mod answers;
mod beside;
#[cfg(debug_assertions)]
mod broken;
mod carriers;
mod command_line;
#[cfg(debug_assertions)]
mod crash_points;
mod database;
mod descriptors;
mod doctor;
mod examine;
mod hostile;
mod kills;
mod log;
mod memory;
mod mistakes;
mod namespace;
mod network;
mod nginx;
mod outage;
#[cfg(debug_assertions)]
mod poison;
mod program;
mod protocols;
mod readme;
mod reload;
mod secrets;
mod standby;
mod start_and_stop;
mod stopping;
mod strangers;
mod tokens;
mod unrecorded;
