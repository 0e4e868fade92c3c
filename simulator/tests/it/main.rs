//! The simulated world, met by its clients.

mod apis;
mod contracts;
mod desk;
mod faults;
mod mail;
mod notify;
mod page;
mod proxy;
mod support;
