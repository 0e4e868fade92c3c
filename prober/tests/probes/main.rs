//! Probes against real servers on the loopback, one for each way that things go wrong.

mod certificates;
mod connections;
mod names;
mod requests;
mod schedule;
mod servers;
mod setting;
