//! What the store promises, on either database: a real file, and a real server (`tests/postgres cargo test -p store`).

#[cfg(test)]
mod cuts;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod encrypted;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod history;
#[cfg(test)]
mod importing;
#[cfg(test)]
mod leasing;
#[cfg(test)]
mod made;
#[cfg(test)]
mod model;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod own_server;
#[cfg(test)]
mod partitions;
#[cfg(test)]
mod phases;
#[cfg(test)]
mod place;
#[cfg(test)]
mod ranges;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod subscribing;
#[cfg(test)]
mod telling;
#[cfg(test)]
mod verifying;
