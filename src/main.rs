//! Curiad.

mod config;

fn main() {}
