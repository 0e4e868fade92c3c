//! Shows: pages, JSON, metrics and the acknowledgement page, made from Snapshots and served from memory.
//!
//! [`Site`] makes a [`Snapshot`] for each [`Audience`] when something changed; [`public_router`] and
//! [`internal_router`] serve what was rendered from it. Only ranged history reads and the inbox touch the store.

mod ack;
mod api_page;
mod assets;
mod audience;
mod bars;
mod beats;
mod besides;
mod body;
mod chart;
mod form;
mod front;
mod gather;
mod hooks;
mod inbox;
mod incident_json;
mod incidents;
mod instance;
mod is_it_me;
mod is_it_me_here;
mod is_it_me_page;
mod json;
mod limit;
mod live;
mod measuring;
mod metrics;
mod notice;
mod numbers;
mod past;
mod path;
mod planned;
mod problem;
mod render;
mod report;
mod responses;
mod role;
mod router;
mod sentence;
mod set_aside;
mod site;
mod snapshot;
mod speed;
mod standing;
mod when;
mod wording;
mod words;

pub use audience::Audience;
pub use incident_json::incident_json;
pub use past::{DAYS, Day, Errors, HOURS, History, Past, Span};
pub use path::Page;
pub use render::{RenderError, Renderer};
pub use report::Report;
pub use responses::{Answers, Responses};
pub use role::Role;
pub use router::{internal_router, public_router};
pub use set_aside::SetAside;
pub use site::{Options, Site};
pub use snapshot::{ApiView, IncidentView, InstanceView, OperationView, Planned, Snapshot, TrackView};
pub use standing::{Refused, Standing};
pub use when::rfc3339;
pub use words::{Words, WordsError};
