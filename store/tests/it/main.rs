//! What the store promises, on a real database file.

#[cfg(test)]
mod disk;
#[cfg(test)]
mod history;
#[cfg(test)]
mod made;
#[cfg(test)]
mod model;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod telling;
