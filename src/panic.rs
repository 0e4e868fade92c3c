//! What the log says when something panics: where, and its words without what may be a patient's number (invariant 14).

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::PanicHookInfo,
};

/// Words that are kept: a panic may quote a whole body.
const KEPT: usize = 200;

/// From now on a panic is a line of the log, and with `RUST_BACKTRACE=1` the way to it.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        let way = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(place, words = words(panicked), way, "a panic: this is a fault in curiad; report it");
    }));
}

fn words(panicked: &PanicHookInfo<'_>) -> String {
    let words = panicked.payload_as_str().unwrap_or_default();
    // More than is kept is looked at, so that no number survives the cut in part.
    let start: String = words.chars().take(KEPT * 4).collect();
    domain::scrubbed(&start).chars().take(KEPT).collect()
}
