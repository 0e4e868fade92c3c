//! Exercises the APIs and says what it saw: one probe is one [`domain::Outcome`], whatever happens (invariant 4).
//!
//! It knows neither database nor incidents. The walk of a probe: a permit, the name ([`NameServers`]), a fresh
//! connection to each address in turn, TLS with the peer's chain kept even when it is refused, one request over
//! HTTP/1.1 or HTTP/2, the answer read up to a limit and then judged by what the check expects. Every phase is timed.
//! [`run`] does this for every check of one vantage, evenly spread.

mod alike;
mod announced;
mod answer;
mod body;
#[cfg(debug_assertions)]
pub mod break_point;
mod capture;
mod clocks;
mod complaints;
mod connect;
mod conversation;
mod credential;
mod dialect;
mod dns;
mod door;
mod exchange;
mod expectation;
mod explain;
mod fault;
mod fhir;
mod fill;
mod flow;
#[cfg(test)]
mod fuzz;
mod graphql;
mod health;
mod journey;
mod json_path;
mod landing;
mod line;
mod lookout;
mod memory;
mod metrics;
mod mllp;
mod multipart;
mod permits;
mod prepared;
mod prober;
mod proxy;
mod redirect;
mod request;
mod request_id;
mod resolve;
mod schedule;
mod schema;
mod scrub;
mod seen;
mod settings;
mod smtp;
mod soap;
mod target;
mod tcp;
mod timetable;
mod tls;
mod transcript;
mod unbroken;
mod unpack;
mod xml;

pub use credential::{certificate_ends, check_client_certificate, check_signing_key};
pub use explain::{Wanted, at_any_time, scheduled};
pub use fill::check_body;
pub use health::health_words;
pub use json_path::check_json_path;
pub use metrics::{ByVantage, Histogram, LAG_BOUNDS_MS, Metrics};
pub use mllp::check_message;
pub use prepared::Prepared;
pub use prober::{Prober, Reach};
pub use proxy::of_requests;
pub use request_id::request_id;
pub use schedule::{Work, run};
pub use schema::check_schema;
pub use settings::{Error, Identity, Limits, NameServers, Settings};
pub use soap::{ENVELOPE_11, ENVELOPE_12, check_envelope};
pub use tls::ends;
pub use xml::check_xpath;
