//! A send ends with its time, also when the program was frozen meanwhile: by then another may be sending in its place.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// As [`tokio::time::timeout`], but looks at the time before each step and not after it: a program that goes on after it was
/// stopped for a minute takes no further step of what was to be done within half of one. `None`: it has not ended in time.
pub(super) async fn in_time<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let deadline = Instant::now() + limit;
    let mut work = pin!(work);
    let step = poll_fn(
        |context| {
            if Instant::now() >= deadline { Poll::Pending } else { work.as_mut().poll(context) }
        },
    );
    timeout_at(deadline, step).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn what_ends_in_time_has_its_answer() {
        assert_eq!(in_time(Duration::from_secs(20), async { 7 }).await, Some(7));
        assert_eq!(in_time(Duration::from_millis(1), std::future::pending::<()>()).await, None);
    }

    #[tokio::test]
    async fn no_step_is_taken_when_its_time_is_over() {
        let steps = Cell::new(0);
        let work = async {
            steps.set(1);
            // Here the program is frozen: both are ready when it goes on.
            let frozen = Instant::now() + Duration::from_millis(30);
            while Instant::now() < frozen {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
            steps.set(2);
        };
        assert_eq!(in_time(Duration::from_millis(10), work).await, None);
        assert_eq!(steps.get(), 1, "the next request is another's");
    }
}
