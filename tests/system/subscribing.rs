//! People from outside who ask to be told by e-mail: asked back, told once of what happens, left alone when they have had enough.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on},
    program::{PATIENCE, Place, Program, client, world},
};
use serde_json::Value;
use simulator::{Fault, Mail, World};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
};

on_both!(
    who_asked_is_told_once_whatever_happens_to_the_program,
    who_asked_is_told_once_wherever_the_program_dies
);

async fn sends(program: &Program, path: &str, form: &str) -> u16 {
    let request = client().post(program.public(path)).body(form.to_owned());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.send().await.expect("an answer").status().as_u16()
}

/// What came to a mailbox, a repeat once: it has the `Message-ID` of what it repeats.
fn mails(world: &World, to: &str) -> Vec<Mail> {
    let all = world.mail().mails().into_iter().filter(|mail| mail.to.iter().any(|one| one == to));
    let by_id: BTreeMap<String, Mail> =
        all.map(|mail| (mail.header("message-id").unwrap_or_default().to_owned(), mail)).collect();
    let mut mails: Vec<Mail> = by_id.into_values().collect();
    mails.sort_by_key(|mail| mail.id);
    mails
}

async fn nth(world: &World, to: &str, nth: usize) -> Mail {
    let came = |world: &World| mails(world, to).into_iter().nth(nth);
    world.wait_for(PATIENCE, came).await.expect("an e-mail")
}

/// The path of the link for `act` in an e-mail.
fn link(mail: &Mail, act: &str) -> String {
    let text = format!("{} {}", mail.text, mail.header("list-unsubscribe").unwrap_or_default());
    let words = text.split(|c: char| c.is_whitespace() || c == '<' || c == '>');
    let mut links = words.filter(|word| word.contains(&format!("/{act}?")));
    let found = links.next().and_then(|link| link.find("/subscriptions/").map(|at| link[at..].to_owned()));
    found.expect("a link")
}

async fn counted(place: &Place) -> Value {
    let said = place.run(&["--json", "subscriptions", "list"]).await;
    serde_json::from_str(&said.out).expect("JSON")
}

async fn who_asked_is_told_once_whatever_happens_to_the_program(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    assert_eq!(sends(&program, "/en/subscribe", "email=dev%40example.wales&api=results").await, 200);
    let asked = nth(&world, "dev@example.wales", 0).await;
    let confirm = link(&asked, "confirm");
    client().get(program.public(&confirm)).send().await.expect("an answer");
    assert_eq!(counted(&place).await["confirmed"], 0, "whoever only looks at the link agrees to nothing");
    assert_eq!(sends(&program, &confirm, "").await, 200);
    assert_eq!(counted(&place).await["confirmed"], 1);

    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    let first = nth(&world, "dev@example.wales", 1).await;
    assert!(first.subject.contains("Results"), "{first:?}");
    let wait = "email=other%40example.wales&api=results&environment=production&when=back";
    assert_eq!(sends(&program, "/en/subscribe", wait).await, 200);

    program.kill();
    world.set_fault("results", "production", Fault::None).await.expect("no fault");
    let mut program = place.serve();
    all_well(&mut program).await;
    nth(&world, "other@example.wales", 0).await;
    let over = || async {
        let counted = counted(&place).await;
        counted["back"] == 0 && counted["due"] == 0 && mails(&world, "dev@example.wales").len() > 2
    };
    program.wait(over, "all to be told").await;
    let told = mails(&world, "dev@example.wales");
    let mut texts: Vec<(&str, &str)> =
        told.iter().map(|mail| (mail.subject.as_str(), mail.text.as_str())).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), told.len(), "nothing is told twice: {told:#?}");
    assert_eq!(mails(&world, "other@example.wales").len(), 1, "one, and forgotten");

    let stop = link(&first, "stop");
    assert_eq!(sends(&program, &stop, "List-Unsubscribe=One-Click").await, 200);
    assert_eq!(counted(&place).await["confirmed"], 0);
    let logged = std::fs::read_to_string(place.log()).expect("a log");
    assert!(!logged.contains("dev@example.wales") && !logged.contains("/confirm"), "no address, no link");
    assert!(program.terminate().await.success());
}

async fn who_asked_is_told_once_wherever_the_program_dies(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let deaths: &[&str] = if cfg!(debug_assertions) {
        &["letter/claimed", "mail/before-send", "mail/taken", "letter/settled"]
    } else {
        &[]
    };
    let doomed = |point: &str| {
        place.serve_with(&[("CURIAD_CRASH_AT", OsStr::new(point)), ("CURIAD_CRASH_LEASE", OsStr::new("4"))])
    };
    for (n, point) in deaths.iter().enumerate() {
        let mut program = doomed(point);
        all_well(&mut program).await;
        let (form, to) = (format!("email=dev{n}%40example.wales"), format!("dev{n}@example.wales"));
        assert_eq!(sends(&program, "/en/subscribe", &form).await, 200);
        program.end().await;
        let mut program = place.serve();
        all_well(&mut program).await;
        let told = || async { counted(&place).await["due"] == 0 && !mails(&world, &to).is_empty() };
        program.wait(told, "the e-mail that asks").await;
        let came = mails(&world, &to);
        assert_eq!(came.len(), 1, "{point}: a repeat is known as one: {came:#?}");
        assert_eq!(sends(&program, &link(&came[0], "confirm"), "").await, 200, "{point}");
        assert!(program.terminate().await.success());
    }
    if !deaths.is_empty() {
        let mut program = doomed("letter/announced");
        all_well(&mut program).await;
        world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
        program.end().await;
        let mut program = place.serve();
        program.ready().await;
        let told = || async {
            counted(&place).await["due"] == 0
                && (0..deaths.len()).all(|n| mails(&world, &format!("dev{n}@example.wales")).len() > 1)
        };
        program.wait(told, "the news").await;
        for n in 0..deaths.len() {
            let all = mails(&world, &format!("dev{n}@example.wales"));
            let texts: BTreeSet<&str> = all.iter().map(|mail| mail.text.as_str()).collect();
            assert_eq!(texts.len(), all.len(), "nothing is told twice: {all:#?}");
        }
        assert!(program.terminate().await.success());
    }
    world.stop().await;
}
