//! The one place where the system's clock is read (invariant 2).

use domain::Clock;
use jiff::Timestamp;

/// The system's clock, UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the clock is read; everybody else is handed a Clock"
)]
pub(crate) fn system() -> Clock {
    Clock::new(Timestamp::now)
}
