//! Curiad.
fn main() {}
