//! `curiad doctor`: finds what is wrong before it matters, and disturbs nobody.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{Place, Ran, now, tail, world, world_with},
};
use jiff::SignedDuration;
use serde_json::Value;
use simulator::{Channel, Fault, NotifyOptions, Trouble, World};
use std::{fs, net::TcpListener, sync::Arc};
use tokio::net::TcpSocket;

/// The demo's configuration on ports of its own, with a change.
fn place(world: &World, change: impl Fn(String) -> String) -> Place {
    place_on(On::Sqlite, world, change)
}

/// The same on either database.
fn place_on(on: On, world: &World, change: impl Fn(String) -> String) -> Place {
    let place = place_on_with(on, world, change);
    let path = place.config().join("curiad.yaml");
    let ports = format!(
        "\nlisten: {{ public: \"127.0.0.1:{}\", internal: \"127.0.0.1:{}\" }}\n",
        place.public, place.internal
    );
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(path, text + &ports).expect("a file");
    place
}

/// What was found of a thing: its state, what was seen, and what to do.
fn of<'f>(found: &'f Value, what: &str) -> (&'f str, &'f str, &'f str) {
    let finding = found.as_array().expect("an array").iter().find(|finding| finding["what"] == what);
    let finding = finding.unwrap_or_else(|| panic!("{what} is not in {found:#}"));
    let text = |key: &str| finding[key].as_str().unwrap_or_default();
    (text("state"), text("detail"), text("next"))
}

/// What was found that is neither well nor skipped.
fn trouble(found: &Value) -> Vec<&str> {
    let findings = found.as_array().expect("an array").iter();
    let bad = findings.filter(|finding| finding["state"] != "ok" && finding["state"] != "skipped");
    bad.map(|finding| finding["what"].as_str().expect("a name")).collect()
}

fn undisturbed(world: &World) {
    assert_eq!(world.desk().tickets(), []);
    assert_eq!(world.notify().messages(), []);
    assert_eq!(world.mail().mails(), []);
    assert_eq!(world.heartbeat().beats().count, 0, "a beat would say that Curiad is well");
}

fn no_secret(place: &Place, ran: &Ran) {
    for secret in fs::read_dir(place.config().join("secrets")).expect("secrets") {
        let path = secret.expect("a file").path();
        let secret = fs::read_to_string(&path).expect("a secret");
        assert!(!ran.out.contains(secret.trim()), "{} was told: {}", path.display(), ran.out);
        assert!(!ran.err.contains(secret.trim()), "{} was told: {}", path.display(), ran.err);
    }
}

/// One thing is wrong: it is said, with the code, and nobody is disturbed.
async fn finds(world: &World, place: &Place, what: &str, detail: &str, next: &str) {
    let ran = place.run(&["--json", "doctor"]).await;
    let found = ran.json();
    let (state, seen, to_do) = of(&found, what);
    assert!(state == "problem" && seen.contains(detail), "{what}: {state}: {seen}");
    assert!(to_do.contains(next), "{what}: {to_do}");
    // What the configuration's own check warns of besides, it says with the place.
    let besides = |said: &&str| !said.contains("curiad.yaml:");
    let others: Vec<&str> = trouble(&found).into_iter().filter(besides).collect();
    assert_eq!(others, [what], "and nothing else is wrong");
    assert_eq!(ran.code, Some(1), "{what}");
    let people = place.run(&["doctor"]).await;
    assert!(people.out.contains("problem") && people.out.contains("→ "), "{}", people.out);
    assert!(people.out.trim_end().ends_with("looked at"), "{}", people.out);
    assert_eq!(people.code, Some(1));
    no_secret(place, &ran);
    no_secret(place, &people);
    undisturbed(world);
}

on_both!(all_is_well_without_a_running_program_and_nobody_is_disturbed, all_is_well_beside_a_running_program);

async fn all_is_well_without_a_running_program_and_nobody_is_disturbed(on: On) {
    let world = world().await;
    let place = place_on(on, &world, |text| text);
    let ran = place.run(&["--json", "doctor"]).await;
    let found = ran.json();
    // Of a server it cannot be known that nobody records, on whatever machine: then silence at the address is worth a word.
    let silent: &[&str] = if on == On::Postgres { &["site.url.en"] } else { &[] };
    assert_eq!(trouble(&found), silent, "{found:#}");
    assert_eq!(ran.code, Some(0));
    for finding in found.as_array().expect("an array") {
        for key in ["what", "state", "detail", "next"] {
            assert!(finding.get(key).is_some(), "{key} is missing in {finding}");
        }
    }
    assert_eq!(of(&found, "who records").0, "skipped");
    let database = of(&found, "the database").1;
    let made = if on == On::Postgres { "the next start makes it" } else { "the first start makes it" };
    assert!(database.contains(made), "{database}");
    assert!(!place.stored().contains("CREATE TABLE"), "looking makes no database");
    assert!(of(&found, "the clock").1.contains("agrees with GOV.UK Notify and service desk nsd"));
    no_secret(&place, &ran);
    undisturbed(&world);
    world.stop().await;
}

async fn all_is_well_beside_a_running_program(on: On) {
    let world = world().await;
    let place = place_on(on, &world, |text| {
        text.replace("every: 10s }", "every: 1h }").replace("\nrotas:", "\ncontact_proof: never\nrotas:")
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    let ran = place.run(&["--json", "doctor"]).await;
    let found = ran.json();
    assert_eq!(trouble(&found), Vec::<&str>::new(), "{found:#}");
    assert_eq!(ran.code, Some(0));
    for (what, seen) in [
        ("who records", if on == On::Postgres { "somebody" } else { "process" }),
        ("the public port", "curiad"),
        ("the internal port", "curiad"),
        ("site.url.en", "curiad"),
        ("the database", "schema"),
    ] {
        let (state, detail, _) = of(&found, what);
        assert!(state == "ok" && detail.contains(seen), "{what}: {state}: {detail}");
    }
    let people = place.run(&["doctor"]).await;
    assert!(people.out.contains("\nall well"), "{}", people.out);
    assert!(program.terminate().await.success(), "{}", tail(&place.log()));
    assert_eq!((world.desk().tickets().len(), world.notify().messages().len()), (0, 0));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_gets_no_token_is_found_before_probes_need_it() {
    let world = world().await;
    let well = place(&world, |text| text);
    let found = well.run(&["--json", "doctor"]).await.json();
    let (state, detail, _) = of(&found, "tokens for curiad (documents/production)");
    assert!(state == "ok" && detail.contains("/production/identity/oauth2/token gives one"), "{detail}");

    world.set_fault("identity", "uat", Fault::NoTokens).await.expect("a fault");
    finds(&world, &well, "tokens for curiad (documents/uat)", "answers 503", "those who run the endpoint")
        .await;
    world.set_fault("identity", "uat", Fault::None).await.expect("a fault");

    let other = place(&world, |text| {
        text.replace(
            "/development/identity/oauth2/token\", client_id: \"curiad",
            "/development/identity/oauth2/token\", client_id: \"somebody",
        )
    });
    finds(
        &world,
        &other,
        "tokens for somebody (documents/development)",
        "401 invalid_client",
        "kid and algorithm",
    )
    .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_desk_is_found_before_a_ticket_is_needed() {
    const ACCOUNT: &str = "service desk nsd: our account";
    let world = world().await;
    let well = place(&world, |text| text);
    world.desk().set_trouble(Trouble::Refuse).await;
    finds(&world, &well, ACCOUNT, "cannot be reached", "servicenow.url").await;
    world.desk().set_trouble(Trouble::Unauthorised).await;
    finds(&world, &well, ACCOUNT, "401", "servicenow.auth").await;
    world.desk().set_trouble(Trouble::ServerError).await;
    finds(&world, &well, ACCOUNT, "500", "the desk itself").await;
    world.desk().set_trouble(Trouble::None).await;

    well.write("secrets/desk-client", "another-secret");
    finds(&world, &well, ACCOUNT, "401", "servicenow.auth").await;

    let group = place(&world, |text| {
        text.replace(
            "assignment_group: 287ebd7da9fe198100f92cc8d1d2154e",
            &format!("assignment_group: {}", "a".repeat(32)),
        )
    });
    let nowhere = "sys_user_group has no aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (assignment_group)";
    finds(&world, &group, "service desk nsd: groups", nowhere, "sys_id").await;

    let backend = place(&world, |text| {
        text.replace("backend: 8a5055c9c61122780043563ef53438e3", &format!("backend: {}", "b".repeat(32)))
    });
    let nowhere = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb (identity)";
    finds(&world, &backend, "service desk nsd: groups", nowhere, "sys_id").await;

    let caller = place(&world, |text| {
        text.replace("caller_id: 6816f79cc0a8016401c5a33be04be441", &format!("caller_id: {}", "c".repeat(32)))
    });
    finds(&world, &caller, "service desk nsd: caller", "sys_user has no", "sys_id").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_desk_hides_from_us_is_a_warning_and_not_called_wrong() {
    let world = world_with(|options| {
        options.desk.closed_tables = vec!["sys_user".to_owned()];
        options.desk.directory.retain(|entry| entry.table != "cmdb_ci");
        for entry in &mut options.desk.directory {
            entry.active &= entry.name != "Identity";
        }
    })
    .await;
    let place = place(&world, |text| text);
    let ran = place.run(&["--json", "doctor"]).await;
    let found = ran.json();
    assert_eq!(ran.code, Some(0), "a warning is no problem: {found:#}");
    for (what, seen) in [
        ("service desk nsd: caller", "403"),
        ("service desk nsd: configuration items", "sees nothing in cmdb_ci"),
        ("service desk nsd: groups", "no longer active: Identity"),
    ] {
        let (state, detail, next) = of(&found, what);
        assert!(state == "warning" && detail.contains(seen) && !next.is_empty(), "{what}: {state}: {detail}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_texts_is_found_before_somebody_must_be_called() {
    const KEY: &str = "GOV.UK Notify: our key";
    const TEMPLATE: &str = "GOV.UK Notify: the template";
    let wordy = "11111111-2222-4333-8444-555555555555";
    let world = world_with(|options| {
        let mut template = options.notify.templates[0].clone();
        assert_eq!(template.channel, Channel::Sms);
        template.id = wordy.to_owned();
        template.body = "Curiad says: ((message))".to_owned();
        options.notify.templates.push(template);
    })
    .await;
    let with = |id: &'static str| place(&world, move |text| text.replace(NotifyOptions::SMS_TEMPLATE, id));
    finds(&world, &with(wordy), TEMPLATE, "is not ((message))", "make it ((message))").await;
    finds(&world, &with(NotifyOptions::EMAIL_TEMPLATE), TEMPLATE, "type email", "a text template").await;
    let none = "99999999-2222-4333-8444-555555555555";
    finds(&world, &with(none), TEMPLATE, "has no template", "notify.text_template").await;

    let well = place(&world, |text| text);
    world.notify().set_trouble(Trouble::Refuse).await;
    finds(&world, &well, KEY, "cannot be reached", "notify.url").await;
    world.notify().set_trouble(Trouble::None).await;
    let key = world.notify().api_key().replace("b0", "b1");
    well.write("secrets/notify-key", &key);
    finds(&world, &well, KEY, "403", "notify.api_key").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_mail_is_found_before_a_mail_is_needed() {
    let world = world_with(|options| {
        options.mail.credentials = Some(("curiad".to_owned(), "the-password".to_owned()));
    })
    .await;
    let place = place(&world, |text| {
        text.replace("tls: none,", "tls: none, user: curiad, password: \"file:secrets/mail\",")
    });
    place.write("secrets/mail", "the-password");
    let ran = place.run(&["--json", "doctor"]).await;
    assert_eq!(of(&ran.json(), "mail: our account").0, "ok", "{ran:?}");
    undisturbed(&world);
    place.write("secrets/mail", "another-password");
    finds(&world, &place, "mail: our account", "(535)", "mail.password").await;
    world.mail().set_trouble(Trouble::Refuse).await;
    finds(&world, &place, "mail: the server", "cannot be reached", "mail.host").await;
    world.mail().set_trouble(Trouble::None).await;
    place.write("secrets/mail", "the-password");
    let text = fs::read_to_string(place.config().join("curiad.yaml")).expect("a file");
    place.write("curiad.yaml", &text.replace("tls: none,", "tls: starttls,"));
    finds(&world, &place, "mail: the server", "offers no STARTTLS", "mail.tls").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_this_machine_is_found() {
    let world = world().await;
    let secure =
        world.secure_url("results", "production").expect("an instance").replace("127.0.0.1", "localhost");
    let beat = world.heartbeat().url();
    let place_of = |secure: &str| {
        let (secure, beat) = (secure.to_owned(), beat.clone());
        let place = place(&world, move |text| {
            let text = text.replace(&beat, &secure);
            if text.contains("\nsite:") {
                text + "\negress: { roots: [\"file:authority.pem\"] }\n"
            } else {
                text
            }
        });
        place.write("authority.pem", world.authority());
        place
    };
    let secured = place_of(&secure);
    let ran = secured.run(&["--json", "doctor"]).await;
    let found = ran.json();
    assert_eq!(trouble(&found), Vec::<&str>::new(), "{found:#}");
    assert!(of(&found, "the dead man: certificate").1.contains("ends in 395 days"), "{found:#}");
    assert_eq!(of(&found, "egress.roots").0, "ok");
    world.set_fault("results", "production", Fault::ExpiredCertificate).await.expect("a fault");
    let ran = secured.run(&["--json", "doctor"]).await;
    let found = ran.json();
    let (state, detail, next) = of(&found, "the dead man");
    assert!(state == "problem" && detail.contains("the certificate ended on 2021"), "{state}: {detail}");
    assert!(next.contains("must be renewed"), "{next}");
    assert_eq!(ran.code, Some(1));

    let lost = place(&world, |text| text.replace("{{database}}", "sqlite:///nowhere/curiad.db"));
    let lost_in = "there is no directory for the database";
    finds(&world, &lost, "the database", lost_in, "mkdir -p").await;

    let nobody = place(&world, |text| text.replace("from: 2026-01-05", "from: 2099-01-05"));
    finds(&world, &nobody, "rota platform", "nobody is on call", "curiad rota show platform").await;
    let said = nobody.run(&["doctor"]).await.out;
    assert_eq!(said.matches("nobody is on call").count(), 1, "said once: {said}");

    // Taken, so that nobody else listens there, and deaf.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let closed = deaf.local_addr().expect("its address");
    let walled = place(&world, |text| {
        let egress = format!("\negress: {{ proxy: \"http://{closed}\" }}\n");
        if text.contains("\nsite:") { text + &egress } else { text }
    });
    let proxy = format!("the proxy {closed}");
    finds(&world, &walled, &proxy, "cannot be reached", "egress.proxy").await;

    let elsewhere = place(&world, |text| {
        text.replace("vantages: { internet: { ", "vantages: { internet: { local_address: 203.0.113.77, ")
    });
    let ran = elsewhere.run(&["--json", "doctor"]).await;
    let found = ran.json();
    let (state, detail, next) = of(&found, "the vantage internet: local address");
    assert!(
        state == "problem" && detail.contains("203.0.113.77 is not one of this host"),
        "{state}: {detail}"
    );
    assert!(next.contains("local_address"), "{next}");
    assert_eq!(ran.code, Some(1));

    let taken = place(&world, |text| text);
    let another = TcpListener::bind(("127.0.0.1", taken.public)).expect("the port");
    finds(&world, &taken, "the public port", "is taken", "listen.public").await;
    drop(another);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_the_environment_changes_nothing() {
    let world = world().await;
    let place = place(&world, |text| text);
    let mut command = place.command(&["--json", "doctor"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("run");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(trouble(&found), Vec::<&str>::new(), "{found:#}");
    assert_eq!(of(&found, "GOV.UK Notify: our key").0, "ok");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_by_minutes_is_found_by_those_of_the_others() {
    let world = world_with(|options| {
        options.now = Arc::new(|| now() + SignedDuration::from_mins(7));
    })
    .await;
    let place = place(&world, |text| text);
    let ran = place.run(&["--json", "doctor"]).await;
    let found = ran.json();
    let (state, detail, next) = of(&found, "the clock");
    assert!(state == "problem" && detail.contains("min behind the clock of"), "{state}: {detail}");
    assert!(next.contains("NTP"), "{next}");
    let (_, refused, _) = of(&found, "GOV.UK Notify: our key");
    assert!(refused.contains("system clock"), "Notify's own words: {refused}");
    assert_eq!(ran.code, Some(1));
    undisturbed(&world);
    world.stop().await;
}
