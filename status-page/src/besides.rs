//! What a page says of Curiad itself, beside what it says of the APIs.

use crate::{Options, SetAside, Standing};
use jiff::Timestamp;
use std::sync::Arc;

/// What a view says of Curiad itself.
pub(crate) struct Besides {
    pub(crate) standing: Arc<Standing>,
    pub(crate) unrecorded_since: Option<Timestamp>,
    pub(crate) set_aside: SetAside,
}

impl Besides {
    pub(crate) fn of(options: &Options) -> Self {
        Self {
            standing: options.standing.borrow().clone(),
            unrecorded_since: options.unrecorded_since(),
            set_aside: options.set_aside.borrow().clone(),
        }
    }
}
