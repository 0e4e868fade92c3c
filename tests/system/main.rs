//! Stories: the real program, against a world of real sockets. Each reads as a requirement.
//!
//! All run on both databases (`database.rs`), but for those of one alone and those that no database has to do with:
//! - of a file: `mistakes::{with_the_database, with_permissions, with_a_disk_…}`, `beside::they_make_no_database` (of a server:
//!   its neighbour), `history` (the demo's is one), a second program that is refused (of a server it stands by: `standby`), and of `unrecorded` what has a file
//!   held, full, unchangeable or moved (of a server: stopped, hanging);
//! - no database is opened: `readme`, `protocols`, `rotas`, `mistakes` and `command_line` but for those on both;
//! - it is asked, and says the same: `doctor` about desks, channels, tokens, clock and machine;
//!   `descriptors::the_soft_limit…`, `start_and_stop::a_port_that_is_taken…`.

#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test that finds something else fails")]

mod alertmanager;
mod answers;
mod backup;
mod beside;
#[cfg(debug_assertions)]
mod broken;
mod burning;
mod calls;
mod carriers;
mod certificates;
mod command_line;
#[cfg(debug_assertions)]
mod crash_points;
mod database;
mod descriptors;
mod desk;
mod desk_certificate;
mod desk_webhook;
mod doctor;
mod examine;
mod exim;
mod exporting;
mod gaps;
mod gateway;
mod heartbeats;
mod history;
mod hostile;
mod kills;
mod last_page;
mod log;
mod memory;
mod mistakes;
mod namespace;
mod namespace_router;
mod network;
mod nginx;
#[cfg(debug_assertions)]
mod no_room;
mod notify_mail;
mod outage;
mod overruling;
mod page_export;
#[cfg(debug_assertions)]
mod planning;
mod poison;
mod program;
mod programs;
mod protocols;
mod reached;
mod readme;
mod reload;
mod replying;
mod reviewing;
mod rotas;
mod secrets;
mod stand_in;
mod standby;
mod start_and_stop;
mod stopping;
mod storm;
mod strangers;
mod subscribing;
mod tokens;
mod unrecorded;
mod vantages;
