//! Invariant 14: no secret in a log, a page, a metric or the database.

use crate::{
    database::{On, on_both},
    outage::place_on_with,
    program::{PATIENCE, json, text, world_with},
};
use simulator::Fault;
use std::{fs, time::Duration};

on_both!(no_secret_and_no_telephone_number_leaves_the_configuration);

async fn no_secret_and_no_telephone_number_leaves_the_configuration(on: On) {
    let world = world_with(|options| options.token_life = Duration::from_secs(4)).await;
    let (client_id, client_secret) = world.api_client();
    // Each way to prove who asks, in one estate: by a key, a password, a secret and an assertion.
    let place = place_on_with(on, &world, |text| {
        let auth = |environment: &str| -> String {
            let line = text.lines().find(|line| line.starts_with(&format!("  {environment}: ")));
            let from = line.and_then(|line| line.find("auth: "));
            let auth = line.zip(from).and_then(|(line, from)| line.get(from..));
            auth.unwrap_or_default().to_owned()
        };
        if !text.starts_with("id: documents\n") {
            return text;
        }
        let (sit, uat, development) = (auth("sit"), auth("uat"), auth("development"));
        let token_url = world.url("identity", "uat").expect("an instance") + "/oauth2/token";
        text.replacen(&sit, "auth: { api_key: { header: apikey, value: \"file:secrets/records-api-key\" } } }", 1)
            .replacen(&development, "auth: { basic: { user: curiad, password: \"file:secrets/records-password\" } } }", 1)
            .replacen(&uat, &format!("auth: {{ oauth2: {{ token_url: \"{token_url}\", client_id: {client_id}, client_secret: \"file:secrets/records-client\" }} }} }}"), 1)
    });
    place.write("secrets/records-api-key", "canary-of-a-key");
    place.write("secrets/records-password", "canary-of-a-password");
    place.write("secrets/records-client", client_secret);
    let mut program = place.serve();
    program.ready().await;
    let url = program.internal("/api/v1/status");
    program
        .wait(
            || async {
                let all = json(&url).await;
                let all = all["instances"].as_array().cloned().unwrap_or_default();
                let production = all.iter().filter(|one| one["environment"] == "production");
                !all.is_empty() && production.into_iter().all(|one| one["status"] == "operational")
            },
            "production to be operational",
        )
        .await;
    world.set_fault("identity", "uat", Fault::NoTokens).await.expect("a fault");
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.notify().texts().into_iter().next()).await.expect("a text");
    let mut said = vec![fs::read_to_string(place.log()).expect("a log")];
    for path in ["/en", "/api/v1/incidents", "/api/v1/status", "/metrics"] {
        said.push(text(&program.internal(path)).await);
    }
    for arguments in
        [&["doctor"][..], &["--json", "doctor"], &["probe", "documents"], &["--json", "probe", "results"]]
    {
        let ran = place.run(arguments).await;
        said.extend([ran.out, ran.err]);
    }
    assert!(program.terminate().await.success());
    let stored = place.stored();
    assert!(stored.contains("patient-demographics"), "all that is stored is looked through");
    said.push(stored);
    for secret in fs::read_dir(place.config().join("secrets")).expect("secrets") {
        let path = secret.expect("a file").path();
        let secret = fs::read_to_string(&path).expect("a secret");
        // Of a key in PEM one line tells as much as all.
        let secret = secret.trim().lines().nth(1).unwrap_or(secret.trim());
        for text in &said {
            assert!(!text.contains(secret), "{} was told", path.display());
        }
    }
    // A token of the world is its environment, its end, and a signature.
    let token = regex::Regex::new(r"(production|uat|sit|development)\.\d{10}\.").expect("a pattern");
    for text in &said {
        assert!(!token.is_match(text) && !text.contains("Bearer "), "a token was told");
    }
    world.stop().await;
}
