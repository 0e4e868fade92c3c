//! What its owner is to hear, where the owner cannot be told.

use crate::{
    estate::Seen,
    read_back::{asked, desk_takes_notes, in_state, raised, reads, says},
};
use domain::{Environment, TicketState};

const RESULTS: (&str, Environment) = ("results", Environment::Production);

#[test]
fn where_the_owner_has_no_mailbox_it_is_said_that_nobody_was_told() {
    let mut hand = raised();
    let mut silent = (*hand.situation.written).clone();
    for team in silent.teams.values_mut() {
        team.ways.clear();
    }
    hand.event(&domain::Event::Configured(std::sync::Arc::new(silent)));
    for _ in 0..8 {
        reads(&mut hand, in_state(TicketState::Resolved));
        hand.rounds(8, &[RESULTS], Seen::Fail);
        desk_takes_notes(&mut hand);
        reads(&mut hand, in_state(TicketState::InProgress));
    }
    assert_eq!(asked(&hand, "desk-resolves"), 0);
    assert_eq!(says(&hand, "Team has no mailbox: nobody was told that the desk resolves"), 1);
}
