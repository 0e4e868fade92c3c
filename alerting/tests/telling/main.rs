//! Telling, against the world as it is: desks that time out, carriers that lose, mail that stays away.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, where clippy allows it only in the tests themselves"
)]

mod away;
mod carriers;
mod desk;
mod example;
mod house;
mod last_resort;
mod mails;
mod night;
mod outage;
mod programs;
mod read_back;
mod recording;
mod room;
mod running;
mod subscribers;
mod texts;
mod tickets;
mod webhooks;

/// The key of the example's ticket in the desk.
const KEY: &str = "curiad:C-42-k3f9xq";
