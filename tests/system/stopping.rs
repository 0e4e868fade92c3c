//! SIGTERM in the middle of a send: the program ends within its grace, and after the next start there is exactly one
//! ticket and each call has gone out.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on},
    program::{PATIENCE, Program, world},
};
use simulator::{Fault, Trouble, World};
use std::{collections::BTreeSet, time::Duration};

const API: &str = "patient-demographics";
/// The program's own grace, and what a busy machine adds to it.
const GRACE: Duration = Duration::from_secs(15);

/// Which send is under way when the signal comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Ticket,
    Text,
    Mail,
}

async fn set(world: &World, sending: Sending, trouble: Trouble) {
    match sending {
        Sending::Ticket => world.desk().set_trouble(trouble).await,
        Sending::Text => world.notify().set_trouble(trouble).await,
        Sending::Mail => world.mail().set_trouble(trouble).await,
    }
}

/// The other side has what was sent, and will not say so.
fn has_come(world: &World, sending: Sending) -> Option<()> {
    let come = match sending {
        Sending::Ticket => !world.desk().tickets().is_empty(),
        Sending::Text => !calls(world).is_empty(),
        Sending::Mail => !letters(world).is_empty(),
    };
    come.then_some(())
}

/// References of the calls that went out by text, each as often as it did.
fn calls(world: &World) -> Vec<String> {
    let texts = world.notify().texts().into_iter().filter(|text| text.body.contains("/ack/"));
    texts.filter_map(|text| text.reference).collect()
}

/// Identities of the calls that went out by mail, each as often as it did.
fn letters(world: &World) -> Vec<String> {
    let mails = world.mail().mails().into_iter().filter(|mail| mail.text.contains("/ack/"));
    mails.filter_map(|mail| mail.header("message-id").map(str::to_owned)).collect()
}

async fn ends_within_grace(program: Program) {
    let ended = tokio::time::timeout(GRACE, program.terminate()).await;
    let ended = ended.expect("it ends within its grace");
    assert!(ended.success(), "it ends well: {ended}");
}

async fn stopped_while(on: On, sending: Sending) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    set(&world, sending, Trouble::AcceptThenTimeOut).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| has_come(world, sending)).await.expect("it is under way");
    ends_within_grace(program).await;

    set(&world, sending, Trouble::None).await;
    let mut program = place.serve();
    program.ready().await;
    world
        .wait_for(PATIENCE, |world| {
            let told = !world.desk().tickets().is_empty();
            (told && !calls(world).is_empty() && !letters(world).is_empty()).then_some(())
        })
        .await
        .expect("a ticket, a text and a mail");
    // The ticket is confirmed: it was found, where it had been made before.
    let url = program.internal("/api/v1/incidents");
    program
        .wait(
            || async {
                let all = crate::program::json(&url).await;
                all[0]["ticket"]["confirmed"] == true
            },
            "the ticket to be confirmed",
        )
        .await;
    assert_eq!(world.desk().tickets().len(), 1, "{sending:?}: one ticket");
    let called = calls(&world);
    let known: BTreeSet<&String> = called.iter().collect();
    assert_eq!(called.len(), known.len(), "{sending:?}: a call that had arrived was not made again");
    assert!(program.terminate().await.success());
    world.stop().await;
}

on_both!(stopping_while_a_ticket_is_made, stopping_while_a_text_is_sent, stopping_while_a_mail_is_sent);

async fn stopping_while_a_ticket_is_made(on: On) {
    stopped_while(on, Sending::Ticket).await;
}

async fn stopping_while_a_text_is_sent(on: On) {
    stopped_while(on, Sending::Text).await;
}

async fn stopping_while_a_mail_is_sent(on: On) {
    stopped_while(on, Sending::Mail).await;
}
