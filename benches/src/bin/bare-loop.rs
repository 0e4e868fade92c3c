//! The bare loop.
fn main() {}
