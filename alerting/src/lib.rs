//! Records and tells.

mod recorder;

pub use recorder::{REMEMBERED_FOR, Recorder, Recording};
