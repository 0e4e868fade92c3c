//! A panic in one probe ends that probe alone (invariant 12).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::Poll,
};

/// What `future` comes to; `None` when it panicked. It is not polled again, so nothing it left half done is seen.
///
/// By reference, as all futures here that are large: an `async fn` has room for what it is given twice.
pub(crate) async fn unbroken<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(move |context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
