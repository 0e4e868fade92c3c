//! What the measuring programs share.

mod program;

pub use program::{PATIENCE, Program};

use jiff::Timestamp;
use serde_json::{Value, json};
use std::error::Error;

/// Why nothing was measured.
pub type Failed = Box<dyn Error + Send + Sync>;

/// The simulated world keeps the same time as the program it runs beside.
#[expect(clippy::disallowed_methods, reason = "what measures has a clock of its own")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Half of `values`, 99 in 100 of them, and all of them are at most so large; null where there are none.
pub fn spread(mut values: Vec<f64>) -> Value {
    values.sort_unstable_by(f64::total_cmp);
    let at = |percent: usize| values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    json!({ "p50": at(50), "p99": at(99), "max": at(100) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_one_that_was_measured() {
        let hundred = (1..=100).rev().map(f64::from).collect();
        assert_eq!(spread(hundred), json!({ "p50": 50.0, "p99": 99.0, "max": 100.0 }));
        assert_eq!(spread(vec![3.0, 1.0]), json!({ "p50": 1.0, "p99": 3.0, "max": 3.0 }));
        assert_eq!(spread(Vec::new()), json!({ "p50": null, "p99": null, "max": null }));
    }
}
