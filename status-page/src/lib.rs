//! Shows: pages, JSON, metrics and the acknowledgement page, made from Snapshots and served from memory.

mod audience;
mod past;
mod path;
mod snapshot;
mod when;
mod words;

pub use audience::Audience;
pub use past::{DAYS, Day, HOURS, History, Latency, Past, Span};
pub use path::Page;
pub use snapshot::{ApiView, IncidentView, InstanceView, OperationView, Planned, Snapshot, TrackView};
pub use when::rfc3339;
pub use words::{Words, WordsError};
