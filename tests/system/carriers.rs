//! Carriers, as the program meets them: mail under protection, and receipts from whoever may send them.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{PATIENCE, client, json, world, world_with},
};
use serde_json::json;
use simulator::{CALLBACK_TOKEN, Fault, MailOptions};
use std::time::Duration;

const API: &str = "patient-demographics";

on_both!(
    mail_goes_under_starttls_with_our_name_and_password,
    receipts_late_doubled_forged_or_of_nobody_call_nobody
);

async fn mail_goes_under_starttls_with_our_name_and_password(on: On) {
    let secret = "a-mail-password-of-the-simulated-world";
    let world = world_with(|options| {
        let credentials = Some(("curiad".to_owned(), secret.to_owned()));
        options.mail = MailOptions { credentials, start_tls: true };
    })
    .await;
    let place = place_on_with(on, &world, |text| {
        text.replace("mail: { host: 127.0.0.1,", "mail: { host: localhost,")
            .replace("tls: none,", "tls: starttls, user: curiad, password: \"file:secrets/mail\",")
    });
    place.write("secrets/mail", secret);
    let authority = place.directory.path().join("authority.pem");
    std::fs::write(&authority, world.authority()).expect("a file");
    let mut program = place.serve_with(&[("SSL_CERT_FILE", authority.as_os_str())]);
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let called = world.wait_for(PATIENCE, |world| {
        world.mail().mails().into_iter().find(|mail| mail.text.contains("/ack/"))
    });
    called.await.expect("a mail, which the server takes under protection alone");
    assert!(program.terminate().await.success());
    world.stop().await;
}

async fn receipts_late_doubled_forged_or_of_nobody_call_nobody(on: On) {
    let world = world().await;
    // The next person is called after a minute: in this story, only by mistake.
    let place = place_on_with(on, &world, |text| {
        text.replace("after: 2s", "after: 10m").replace("after: 20s", "after: 20m")
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let called = world
        .wait_for(PATIENCE, |world| {
            world.notify().texts().into_iter().find(|text| text.body.contains("/ack/"))
        })
        .await
        .expect("a text");
    let key = called.reference.clone().expect("a reference");
    let hook = program.public("/hooks/notify");
    let post = async |token: &str, reference: &str, status: &str| {
        let body = json!({
            "id": called.id, "reference": reference, "to": called.to, "status": status,
            "created_at": "2026-11-21T00:00:00.000000Z", "completed_at": "2026-11-21T00:00:05.000000Z",
            "sent_at": null, "notification_type": "sms", "template_id": "x", "template_version": 1,
        });
        let answer = client().post(&hook).bearer_auth(token).json(&body).timeout(Duration::from_secs(5));
        answer.send().await.expect("an answer").status().as_u16()
    };
    let (id, name) = key.split_once('/').expect("a key");
    let mail = format!("{id}/callout/1/email");
    let other = format!("{}-zzzzzz/{name}", id.split_once('-').map_or("", |(c, _)| c));
    for (token, reference, status, expected) in [
        ("a-guess", key.as_str(), "permanent-failure", 401),
        ("a-guess", mail.as_str(), "permanent-failure", 401),
        (CALLBACK_TOKEN, key.as_str(), "delivered", 204),
        (CALLBACK_TOKEN, key.as_str(), "permanent-failure", 204),
        (CALLBACK_TOKEN, key.as_str(), "permanent-failure", 204),
        (CALLBACK_TOKEN, mail.as_str(), "permanent-failure", 204),
        (CALLBACK_TOKEN, key.as_str(), "delivered", 204),
        (CALLBACK_TOKEN, other.as_str(), "permanent-failure", 204),
        (CALLBACK_TOKEN, "C-4711-k3f9xq/callout/1/text", "delivered", 204),
        (CALLBACK_TOKEN, "somebody-elses", "permanent-failure", 204),
        (CALLBACK_TOKEN, key.as_str(), "sending", 204),
    ] {
        assert_eq!(post(token, reference, status).await, expected, "{reference} {status}");
    }
    // All that was told is folded in once this is answered.
    let incident = id.rsplit_once('-').map_or(id, |(incident, _)| incident);
    let told =
        place.run(&["incident", "update", incident, "--en", "We are on it.", "--cy", "Rydym wrthi."]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let shown = place.run(&["incident", "show", incident]).await;
    let callouts = json(&program.internal("/api/v1/incidents")).await[0]["callouts"].clone();
    assert_eq!(callouts, 1, "{}", shown.out);
    assert!(shown.out.contains("text arrived"), "{}", shown.out);
    assert!(shown.out.contains("email failed"), "{}", shown.out);
    assert!(program.terminate().await.success());
    world.stop().await;
}
