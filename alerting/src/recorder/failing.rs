//! What is known of the trouble in which nothing can be recorded.

use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// The first pause after an attempt that failed; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Since when nothing was recorded. It ends with the first commit of what came in time; until then each outage is one
/// more of the same trouble, in which nothing is missing from before it.
pub(super) struct Failing {
    pub(super) since: Timestamp,
    pub(super) began: Instant,
    pub(super) why: String,
    pub(super) pause: Duration,
    pub(super) said: Instant,
    /// The last resort was told of it before this program began.
    pub(super) told: bool,
    /// What came in time was refused, and its outcomes were narrowed down: refused again, it is not for an outcome.
    pub(super) refused: bool,
}

impl Failing {
    pub(super) fn new(since: Timestamp, why: String, told: bool) -> Self {
        let now = Instant::now();
        Self { since, began: now, why, pause: FIRST_PAUSE, said: now, told, refused: false }
    }

    /// All that came before is recorded: the store took it, late.
    pub(super) fn again(&mut self, since: Timestamp) {
        (self.since, self.began, self.told) = (since, Instant::now(), false);
    }
}
