//! Stand-ins for the world outside Curiad: APIs with faults, a service desk, mail and text inboxes, a heartbeat receiver,
//! and a page to play with them. For the demo and the tests. Beside it, a proxy that cuts connections.
//!
//! ```no_run
//! # async fn story(now: simulator::Now) -> std::io::Result<()> {
//! use simulator::{Fault, World, WorldOptions};
//!
//! let world = World::start(WorldOptions::new(now)).await?;
//! let url = world.url("patient-demographics", "production");
//! world.set_fault("patient-demographics", "production", Fault::Refuse).await.ok();
//! let limit = std::time::Duration::from_secs(10);
//! let ticket = world.wait_for(limit, |world| world.desk().tickets().pop()).await.ok();
//! world.stop().await;
//! # Ok(())
//! # }
//! ```

mod answer;
mod api;
mod body;
mod certificate;
mod change;
mod demo;
mod door;
mod estate;
mod fault;
mod heartbeat;
mod http;
mod instance;
mod job;
mod latency;
mod mail;
mod mllp;
mod neighbourhood;
mod network;
mod notify;
mod options;
mod page;
mod past;
mod post;
mod programs;
mod proxy;
mod servicenow;
mod smtp;
mod story;
mod talk;
mod trouble;
mod twilio;
mod view;
mod world;

pub use demo::{CALLBACK_TOKEN, File, configuration};
pub use estate::{Api, Estate, Kind, Vocabulary, demo_estate};
pub use fault::{Fault, UnknownFault};
pub use heartbeat::{Beats, Heartbeat};
pub use job::{Does, Job, Runs};
pub use latency::Latency;
pub use mail::Mail;
pub use network::{Network, Side};
pub use notify::{Callbacks, Channel, Delivery, Message, Notify, NotifyOptions, Pace, Reply, Template};
pub use options::{Ports, WorldOptions};
pub use past::{Asked, PLANNED, Past, Planned, Seen, Symptom};
pub use programs::{HookEvent, PagerAlert, Programs};
pub use proxy::{Blow, Proxy, Saying, Toward, Traffic, When};
pub use servicenow::{Desk, DeskOptions, Entry, Note, Ticket};
pub use smtp::{MailOptions, MailServer};
pub use story::{Answer, answer, tell};
pub use trouble::{Trouble, UnknownTrouble};
pub use twilio::{Call, Twilio};
pub use view::{InstanceView, NoSuchInstance, TimedOut};
pub use world::{Now, World};
