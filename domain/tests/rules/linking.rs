//! A ticket of one incident is not another's by a mistyped digit.

use crate::estate::{Hand, Seen, configuration};
use domain::{Command, Environment, IncidentId, Message};

const PRODUCTION: Environment = Environment::Production;

#[test]
fn the_ticket_of_another_incident_that_is_open_cannot_be_linked_and_it_is_said_whose_it_is() {
    let mut hand = Hand::new(configuration());
    let failing = [("results", PRODUCTION), ("documents", PRODUCTION)];
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &failing, Seen::Fail);
    hand.ticket_raised(1);
    let link = Command::Link {
        incident: IncidentId(2),
        by: "ann".into(),
        number: "INC0010001".into(),
        record: "abc".into(),
    };
    let before = hand.incident(2);
    let refused = hand.tell(Message::Command(link.clone())).expect_err("it is another's");
    assert!(refused.starts_with("INC0010001 is the ticket of C-1, which is open"), "{refused}");
    assert_eq!(hand.incident(2).ticket, before.ticket);

    // Once that one is over, whoever goes on with its ticket means it.
    hand.rounds(6, &failing[..1], Seen::Fail);
    let over = Command::Resolve { incident: IncidentId(1), by: "ann".into(), why: "mended".into() };
    hand.tell(Message::Command(over)).expect("over");
    assert!(!hand.incident(1).is_open());
    hand.tell(Message::Command(link)).expect("linked");
}
