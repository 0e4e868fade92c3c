//! All stories: this file is a module once for each database, which is known by the module's name.

mod away;
mod carriers;
mod course;
mod desk;
mod ground;
mod house;
mod last_resort;
mod mails;
mod night;
mod notes;
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

use crate::{KEY, example};
