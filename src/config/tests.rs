//! The configuration as a whole.

mod example;
