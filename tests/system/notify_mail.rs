//! E-mails through GOV.UK Notify, where there is no mail server, or it does not take them; and its name before texts.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with, text_to},
    program::{PATIENCE, client, text, world_with},
};
use simulator::{Answer, Channel, Fault, NotifyOptions, Trouble, answer};

const API: &str = "patient-demographics";

on_both!(
    without_a_mail_server_people_and_teams_are_told_by_notify_and_a_text_with_its_name_is_one_text,
    what_the_mail_server_does_not_take_goes_by_notify
);

async fn without_a_mail_server_people_and_teams_are_told_by_notify_and_a_text_with_its_name_is_one_text(
    on: On,
) {
    let world = world_with(|options| options.notify.prefix = Some("NHS Wales".to_owned())).await;
    let place = place_on_with(on, &world, |text| {
        let kept = |line: &&str| !line.starts_with("mail:") && !line.trim_start().starts_with("fallback:");
        let text = text.lines().filter(kept).collect::<Vec<_>>().join("\n");
        let template = NotifyOptions::EMAIL_TEMPLATE;
        text.replace(
            "callback_token:",
            &format!("email_template: {template}, prefix: NHS Wales, callback_token:"),
        )
    });
    let doctor = place.run(&["--json", "doctor"]).await;
    assert!(doctor.out.contains("GOV.UK Notify: the e-mail template"), "{doctor:?}");
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let mails = |to: &'static str| {
        world.wait_for(PATIENCE, move |world| {
            let mail = |message: &simulator::Message| message.channel == Channel::Email && message.to == to;
            world.notify().messages().into_iter().find(mail)
        })
    };
    let called = mails("nia.rees@oncall.example").await.expect("an e-mail");
    // Whichever of its checks is confirmed first: all of it does not work, or a part.
    assert!(called.subject.contains("Cleifion") && called.body.contains("?by=email"), "{called:?}");
    let told = mails("demographics@team.example").await.expect("the team's");
    assert!(told.body.contains("Mae'r neges hon yn Gymraeg isod."), "{told:?}");
    assert!(told.body.contains("Affected: Patient Demographics"), "{told:?}");
    let text = text_to(&world, 0).await;
    assert!(text.body.starts_with("NHS Wales: P1 "), "{}", text.body);
    assert!(text.body.chars().count() <= 160, "{}: {}", text.body.chars().count(), text.body);
    let id = called.subject.rsplit('[').next().expect("an id").trim_end_matches(']').to_owned();
    let receipt = serde_json::json!({ "reference": called.reference, "status": "delivered" });
    let hook =
        client().post(program.public("/hooks/notify")).bearer_auth(simulator::CALLBACK_TOKEN).json(&receipt);
    assert_eq!(hook.send().await.expect("an answer").status(), 204);
    let arrived = || async { place.run(&["incident", "show", &id]).await.out.contains("email arrived") };
    program.wait(arrived, "its receipt").await;
    assert_eq!(answer(&called.body, Answer::Mine).await.expect("an answer"), 200);
    assert!(program.terminate().await.success());
    world.stop().await;
}

async fn what_the_mail_server_does_not_take_goes_by_notify(on: On) {
    let world = world_with(|_| {}).await;
    let place = place_on_with(on, &world, |text| {
        let template = NotifyOptions::EMAIL_TEMPLATE;
        text.replace("callback_token:", &format!("email_template: {template}, callback_token:"))
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    world.mail().set_trouble(Trouble::Refuse).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let mailed = |world: &simulator::World| {
        let is = |message: &simulator::Message| {
            message.channel == Channel::Email && message.to == "nia.rees@oncall.example"
        };
        world.notify().messages().into_iter().filter(is).collect::<Vec<_>>()
    };
    let called = world.wait_for(PATIENCE, |world| mailed(world).into_iter().next()).await.expect("an e-mail");
    assert_eq!(answer(&called.body, Answer::Mine).await.expect("an answer"), 200);
    world.mail().set_trouble(Trouble::None).await;
    let metrics = program.internal("/metrics");
    let settled = || async { text(&metrics).await.lines().any(|line| line == "curiad_outbox_waiting 0") };
    program.wait(settled, "everything to be told").await;
    let calls = mailed(&world).into_iter().filter(|mail| mail.body.contains("/ack/")).count();
    assert_eq!(calls, 1, "once");
    assert!(
        world
            .mail()
            .mails()
            .iter()
            .all(|mail| !mail.text.contains("/ack/") || !mail.to.iter().any(|to| to.contains("nia")))
    );
    assert!(program.terminate().await.success());
    world.stop().await;
}
