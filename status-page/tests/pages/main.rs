//! What the site promises, asked through its routers.

#[cfg(test)]
mod access;
#[cfg(test)]
mod ack_words;
#[cfg(test)]
mod acting;
#[cfg(test)]
mod availability;
#[cfg(test)]
mod badges;
#[cfg(test)]
mod beats;
#[cfg(test)]
mod days;
#[cfg(test)]
mod described;
#[cfg(test)]
mod estate;
#[cfg(test)]
mod feeds;
#[cfg(test)]
mod found;
mod front;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod green;
#[cfg(test)]
mod is_it_me;
#[cfg(test)]
mod json;
#[cfg(test)]
mod months;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod sentence;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod statement;
#[cfg(test)]
mod statuspage;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod unrecorded;
#[cfg(test)]
mod wall;
