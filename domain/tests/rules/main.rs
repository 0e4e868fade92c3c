//! The rules of judgement (DESIGN §5), as stories and as properties.

#![expect(clippy::wildcard_imports, reason = "a test's own words")]

mod estate;
mod health;
mod incident;
mod properties;
