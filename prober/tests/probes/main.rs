//! Probes against real servers on the loopback, one for each way that things go wrong.

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod client_secret;
mod clocks;
mod connections;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod gone;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod journeys;
#[cfg(test)]
mod local_address;
#[cfg(test)]
mod names;
#[cfg(test)]
mod own_certificate;
#[cfg(test)]
mod protocols;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod retry_after;
#[cfg(test)]
mod running;
mod schedule;
mod schema;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod setting;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod tokens;
mod transcripts;
mod warm;
