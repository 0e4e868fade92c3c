//! The example in `config/`, which explains every option.

use crate::config::{Secrets, check_report, load};
use std::path::Path;

#[test]
fn the_example_loads() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let result = load(&directory, &Secrets::left_out());
    assert_eq!(check_report("config", &result), "config: 6 APIs, 30 instances, 76 checks; ok\n");
}
