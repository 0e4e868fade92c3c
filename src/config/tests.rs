//! The configuration as a whole.

mod example;
mod minimal;
mod property;
mod resolved;
mod secrets;
mod together;
mod unfit;
mod values;
mod wrong;
