//! The configuration as a whole.

mod auth;
mod bank_holidays;
mod catalogue;
mod example;
mod journeys;
pub(crate) mod minimal;
mod openapi;
mod property;
mod protocols;
mod resolved;
mod schema;
mod secrets;
mod together;
