//! Records and tells: the recorder, the deliverer, desks and channels.
//!
//! What is to be told is decided by `domain` and waits in the store's outbox. The [`Deliverer`] claims it, words it
//! from the incident as it then is, sends it, and puts what became of it into the inbox. While the store takes nothing,
//! outcomes wait in the [`Spool`], and the [`LastResort`] is told from memory.

mod alertmanager;
mod answer;
mod away;
mod channels;
mod chat;
mod course;
mod deliverer;
mod desk_reader;
mod directory;
mod finding;
mod heartbeat;
mod last_resort;
mod mail;
mod notify;
mod pagerduty;
mod postman;
mod program;
mod recorder;
mod retry;
mod send_error;
mod servicenow;
mod signed;
mod spool;
mod twilio;
mod webhook;
mod words;

pub use alertmanager::Alerter;
pub use away::{Away, Lasting};
pub use channels::{Channels, Clients, Setup, SetupError};
pub use course::{Course, Step, Trace};
pub use deliverer::{Deliverer, Limits, UnderWay};
pub use desk_reader::DeskReader;
pub use directory::{
    Alertmanager, Auth, Contact, DeadMan, DeskSettings, DeskSystem, Directory, Mail, MailTls, Notify,
    PagerDuty, ServiceNow, SignedWebhook, TeamContact, Twilio,
};
pub use finding::{ClockSeen, Examined, Finding, State};
pub use heartbeat::heartbeat;
pub use last_resort::LastResort;
pub use pagerduty::Action as PagerAction;
pub use postman::{Postman, Round};
pub use recorder::{OutageLimits, REMEMBERED_FOR, Recorder, Recording};
pub use retry::next_try;
pub use send_error::SendError;
pub use servicenow::{FoundTicket, Records};
pub use signed::webhook_secret;
pub use spool::{Spool, SpoolError, count_set_aside, set_aside_in};
pub use words::{fits_a_text, spoken, worded};
