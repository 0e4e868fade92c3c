//! `curiad callout test`: whether a call reaches somebody is known before the night in which it must.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on, place_on_with},
    program::{PATIENCE, now, text, world, zone},
};
use jiff::SignedDuration;
use simulator::{Answer, answer};

on_both!(
    a_test_call_goes_the_way_of_a_real_one_and_nobody_else_hears_of_it,
    whoever_goes_on_duty_hears_of_it_once_whatever_dies_and_proves_that_they_are_reached,
    a_machine_is_called_every_day_once_whatever_dies_and_what_each_hop_took_is_a_figure
);

async fn a_test_call_goes_the_way_of_a_real_one_and_nobody_else_hears_of_it(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;

    let ran = place.run(&["callout", "test", "moon", "--by", "Ann Hughes"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("moon"), "{ran:?}");
    let ran = place.run(&["callout", "test", "nia.rees", "--wait", "2h"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("over after an hour"), "{ran:?}");

    let ran = place.run(&["callout", "test", "nia.rees", "--no-wait", "--by", "Ann Hughes"]).await;
    assert_eq!(ran.out, "Nia Rees is called, for a test\n", "{ran:?}");
    let again = place.run(&["callout", "test", "nia.rees", "--no-wait"]).await;
    assert!(again.code == Some(1) && again.err.contains("is called for a test already"), "{again:?}");
    let called = world.wait_for(PATIENCE, |world| world.notify().texts().into_iter().next()).await;
    let called = called.expect("a text");
    assert!(called.body.starts_with("PRAWF: nid oes dim o'i le."), "in her language: {}", called.body);
    let mail = world.wait_for(PATIENCE, |world| world.mail().mails().into_iter().next()).await;
    let mail = mail.expect("an e-mail");
    assert!(mail.text.contains("Nid oes dim o'i le") && mail.text.contains("?by=email"), "{}", mail.text);

    // On no page, in no list, in no ticket, in no figure; and nobody else is called.
    let front = text(&program.internal("/en")).await;
    assert!(!front.contains("Test call") && !front.contains("C-1"), "{front}");
    assert_eq!(incidents(&program).await, Vec::<serde_json::Value>::new());
    let own = reqwest::get(program.internal("/en/incidents/C-1")).await.expect("an answer");
    assert_eq!(own.status(), 404, "it has no page");
    assert_eq!(
        place.run(&["--json", "incident", "list", "--all"]).await.json().as_array().map(Vec::len),
        Some(0)
    );
    let metrics = text(&program.internal("/metrics")).await;
    let open = metrics.lines().find(|line| line.starts_with("curiad_incidents_open")).expect("a figure");
    assert!(open.ends_with(" 0"), "{open}");
    assert!(world.desk().tickets().is_empty());

    let before = place.run(&["rota", "show", "platform"]).await;
    assert!(before.out.contains("Nia Rees last answered a call: text never, email never"), "{before:?}");
    assert!(before.out.contains(
        "has never answered a call: see whether they are reached with `curiad callout test nia.rees`"
    ));
    let looked = place.run(&["--json", "doctor"]).await;
    let doubt = "Nia Rees has never answered a call, and is on call on platform within 14 days";
    assert!(
        looked.out.contains(doubt) && looked.out.contains("`curiad callout test nia.rees`"),
        "{looked:?}"
    );
    let checked = place.run(&["check"]).await;
    assert_eq!(checked.code, Some(0), "a warning: {checked:?}");
    assert!(checked.out.contains(&format!("curiad.yaml: warning: {doubt}")), "{checked:?}");
    assert!(!place.run(&["check", "--without-secrets"]).await.out.contains(doubt), "nothing is asked");
    let link = called.body.split_whitespace().find(|word| word.contains("/ack/")).expect("a link");
    let page = text(link).await;
    assert!(page.contains("nid oes dim o’i le") && page.contains("Mae wedi fy nghyrraedd"), "{page}");
    assert!(!page.contains("call_next"), "there is one answer: {page}");
    assert_eq!(answer(&mail.text, Answer::Mine).await.expect("an answer"), 200);
    let url = program.internal("/metrics");
    let kept = || async {
        let shown = place.run(&["rota", "show", "platform"]).await;
        shown.out.contains("text never, email ") && !shown.out.contains("email never")
            || shown.out.lines().any(|line| {
                line.starts_with("Nia Rees last")
                    && line.contains("text never")
                    && !line.contains("email never")
            })
    };
    program.wait(kept, "the answer to be kept, by its way").await;
    assert!(text(link).await.contains("Mae’r prawf ar ben"), "{url}");
    assert_eq!(world.notify().texts().len(), 1, "nobody is told that it is over");

    let looked = place.run(&["--json", "doctor"]).await;
    assert!(!looked.out.contains("Nia Rees has never answered"), "she has answered now: {looked:?}");
    let checked = place.run(&["check"]).await.out;
    assert!(!checked.contains("Nia Rees has never"), "{checked}");
    assert!(checked.contains("Tom Evans has never answered a call"), "he has not: {checked}");
    let named = "Duty manager has never answered a call, is a step of the escalation out-of-hours, and is the last resort of \
                 the escalation out-of-hours";
    assert!(
        checked.contains(named) && looked.out.contains(named),
        "on no rota, and called all the same: {checked}"
    );
    let shown = place.run(&["--json", "rota", "show", "platform"]).await.json();
    let proven = |person: &str| {
        let people = shown["people"].as_array().expect("people");
        people.iter().find(|one| one["person"] == person).map(|one| one["proven"].clone()).expect("a person")
    };
    assert_eq!((proven("nia.rees"), proven("tom.evans")), (true.into(), false.into()), "{shown}");

    // Who waits is told when the answer came, and by which way.
    let (waited, answered) =
        tokio::join!(place.run(&["--json", "callout", "test", "tom.evans", "--wait", "50s"]), async {
            let second = world.wait_for(PATIENCE, |world| world.notify().texts().into_iter().nth(1)).await;
            let second = second.expect("a text");
            assert!(second.body.starts_with("TEST: nothing is wrong."), "{}", second.body);
            answer(&second.body, Answer::NotReal).await.expect("an answer")
        });
    assert_eq!((answered, waited.code), (200, Some(0)), "{waited:?}");
    assert_eq!(waited.json()["answered_by"], "text", "{waited:?}");
    assert!(program.terminate().await.success());
    world.stop().await;
}

async fn whoever_goes_on_duty_hears_of_it_once_whatever_dies_and_proves_that_they_are_reached(on: On) {
    const MANAGER: &str = "+447700900463";
    let world = world().await;
    let past = (now() - SignedDuration::from_mins(1)).to_zoned(zone()).strftime("%H:%M").to_string();
    let place = place_on_with(on, &world, |text| {
        text.replace("  platform:\n    layers:", &format!("  platform:\n    remind: \"{past}\"\n    layers:"))
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    let told = || {
        let texts = world.notify().texts().into_iter();
        texts
            .filter(|text| text.to == MANAGER && text.body.contains("you are first on call"))
            .collect::<Vec<_>>()
    };
    assert!(told().is_empty(), "nobody has asked them to stand in yet");

    let (from, until) = (now() + SignedDuration::from_hours(2), now() + SignedDuration::from_hours(4));
    let (from, until) = (from.to_string(), until.to_string());
    let add = ["rota", "override", "add", "platform", "duty.manager", "--from", &from, "--until", &until];
    let ran = place.run(&[&add[..], &["--by", "Ann Hughes"]].concat()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = world.wait_for(PATIENCE, |_| told().into_iter().next()).await.expect("a text");
    assert!(text.body.contains("(platform). Nothing is wrong"), "{}", text.body);
    assert_eq!(incidents(&program).await, Vec::<serde_json::Value>::new(), "it is no incident");

    program.kill();
    let mut program = place.serve();
    all_well(&mut program).await;
    assert_eq!(answer(&text.body, Answer::Mine).await.expect("an answer"), 200);
    let proven = || async {
        let shown = place.run(&["rota", "show", "platform"]).await;
        shown.out.contains("Duty manager last answered a call: text ")
            && !shown.out.contains("manager last answered a call: text never")
    };
    program.wait(proven, "the answer to be proof").await;
    assert_eq!(told().len(), 1, "once, whatever died");
    assert!(program.terminate().await.success());
    world.stop().await;
}

async fn a_machine_is_called_every_day_once_whatever_dies_and_what_each_hop_took_is_a_figure(on: On) {
    let world = world().await;
    let place = place_on_with(on, &world, |text| {
        text.replace(
            "\nrotas:",
            "  robot: { name: Robot, email: robot@oncall.example, language: en }\n\
             test_callout: { call: robot, at: \"00:00\" }\nrotas:",
        )
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    let mails =
        || world.mail().mails().into_iter().filter(|mail| mail.text.contains("This is a test")).count();
    assert!(world.wait_for(PATIENCE, |_| (mails() == 1).then_some(())).await.is_ok(), "one e-mail");
    let url = program.internal("/metrics");
    let figure = || async {
        let text = text(&url).await;
        text.contains("curiad_test_callout_seconds{hop=\"accepted\"}")
            && text.contains("curiad_test_callout_seconds{hop=\"decided\"}")
            && !text.contains("hop=\"answered\"")
    };
    program.wait(figure, "the seconds of each hop").await;
    program.kill();
    let mut program = place.serve();
    all_well(&mut program).await;
    let url = program.internal("/metrics");
    let figure = || async { text(&url).await.contains("curiad_test_callout_seconds{hop=\"accepted\"}") };
    program.wait(figure, "them to be remembered").await;
    assert_eq!((mails(), world.notify().texts().len(), incidents(&program).await.len()), (1, 0, 0));
    assert!(program.terminate().await.success());
    world.stop().await;
}
