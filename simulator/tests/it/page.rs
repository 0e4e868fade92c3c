//! The world's page and its control API.

use crate::support::{Clock, answer, client, get, world};
use serde_json::json;
use simulator::{Does, Fault, Trouble, World, WorldOptions};

async fn page(world: &World) -> String {
    client().get(world.page_url()).send().await.expect("an answer").text().await.expect("a page")
}

async fn post(world: &World, path: &str, form: &[(&str, &str)]) -> String {
    let answer =
        client().post(format!("{}{path}", world.page_url())).form(form).send().await.expect("an answer");
    assert_eq!(answer.status(), 303, "{path}");
    answer.headers()["location"].to_str().expect("a place").to_owned()
}

#[tokio::test]
async fn a_click_breaks_a_cell_and_the_next_click_mends_it() {
    let world = world().await;
    assert!(page(&world).await.contains("The world is well."));
    let cell = [("fault", "says-fail"), ("cell", "results production")];
    assert_eq!(
        post(&world, "/faults", &cell).await,
        "/?fault=says-fail#apis",
        "the picked fault stays picked"
    );
    let broken = |world: &World| world.instances().into_iter().filter(|one| one.fault != Fault::None).count();
    assert_eq!(broken(&world), 1);
    assert!(page(&world).await.contains("One thing in the world is broken."));
    post(&world, "/faults", &cell).await;
    assert_eq!(broken(&world), 0);
    post(&world, "/faults", &[("fault", "hang"), ("cell", "* production")]).await;
    assert_eq!(broken(&world), 8, "a whole environment");
    post(&world, "/faults", &[("fault", "hang"), ("cell", "* *")]).await;
    assert_eq!(broken(&world), 0, "all well");
    post(&world, "/troubles", &[("part", "desk"), ("trouble", "accept-then-time-out")]).await;
    assert_eq!(world.desk().trouble(), Trouble::AcceptThenTimeOut);
    post(&world, "/cascade", &[("on", "true")]).await;
    assert!(world.cascade());
    assert_eq!(post(&world, "/job", &[("does", "silent")]).await, "/?fault=refuse#job");
    assert_eq!(world.job().runs().does, Does::Silent);
    world.stop().await;
}

#[tokio::test]
async fn what_others_wrote_is_shown_as_text() {
    let world = world().await;
    let options = world.desk().options().clone();
    let nasty = "<script>alert(1)</script> \"quoted\" http://127.0.0.1:8080/ack/x7";
    let place = format!("{}/api/now/table/incident", world.desk().url());
    let request = client().post(place).basic_auth(&options.user, Some(&options.password));
    answer(request.json(&json!({"short_description": nasty, "description": nasty, "work_notes": nasty})))
        .await;
    post(&world, "/tickets", &[("number", "INC0010001"), ("act", "note"), ("text", nasty)]).await;
    post(&world, "/replies", &[("from", "07700900123"), ("message", nasty)]).await;
    let page = page(&world).await;
    assert!(!page.contains("<script>alert"), "nothing gets out of its place");
    assert!(page.contains("<a href=\"http://127.0.0.1:8080/ack/x7\""), "links can be clicked");
    assert_eq!(world.desk().ticket("INC0010001").expect("a ticket").notes.len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn nothing_on_the_page_comes_from_outside_and_no_other_page_may_act() {
    let world = world().await;
    let answer = client().get(world.page_url()).send().await.expect("an answer");
    assert!(
        answer.headers()["content-security-policy"].to_str().expect("text").starts_with("default-src 'none'")
    );
    let text = answer.text().await.expect("a page");
    for link in text.split("href=\"").skip(1).chain(text.split("src=\"").skip(1)) {
        assert!(
            link.starts_with('/') || link.starts_with("data:,"),
            "{}",
            link.split('"').next().unwrap_or_default()
        );
    }
    let forged = client()
        .post(format!("{}/faults", world.page_url()))
        .header("Sec-Fetch-Site", "cross-site")
        .form(&[("fault", "refuse"), ("cell", "* *")]);
    assert_eq!(forged.send().await.expect("an answer").status(), 403);
    assert!(world.instances().iter().all(|one| one.fault == Fault::None));
    world.stop().await;
}

#[tokio::test]
async fn another_program_can_drive_the_world() {
    let world = world().await;
    let api = format!("{}/api", world.page_url());
    let tell =
        |path: &str, body: serde_json::Value| answer(client().post(format!("{api}{path}")).json(&body));
    assert_eq!(
        tell("/faults", json!({"api": "documents", "environment": "uat", "fault": "slow:50"})).await.0,
        200
    );
    let (_, faults) = get(&format!("{api}/faults")).await;
    let listed = faults.as_array().expect("a list");
    let slow: Vec<_> = listed.iter().filter(|one| one["fault"] != "none").collect();
    assert_eq!((listed.len(), slow.len(), &slow[0]["fault"]), (40, 1, &"slow:50".into()));
    for (path, body, status) in [
        ("/faults", json!({"api": "documents", "environment": "uat", "fault": "sulk"}), 400),
        ("/faults", json!({"api": "documents", "environment": "moon", "fault": "hang"}), 404),
        ("/faults", json!({"api": "documents", "environment": "uat", "fault": "hang", "for": "1h"}), 400),
        ("/troubles", json!({"part": "fax", "trouble": "refuse"}), 404),
        ("/tickets/INC0", json!({"act": "assign"}), 404),
        ("/delivery", json!({"ending": "lost"}), 400),
        (
            "/callbacks",
            json!({"receipts": "x", "receipts_token": "", "replies": "y", "replies_token": ""}),
            400,
        ),
    ] {
        let (seen, answered) = tell(path, body.clone()).await;
        assert_eq!(seen, status, "{path} {body}: {answered}");
        assert_eq!(answered["status"], status);
    }
    assert_eq!(
        tell("/troubles", json!({"part": "notify", "trouble": "rate-limited", "requests": 3})).await.0,
        200
    );
    assert_eq!(
        get(&format!("{api}/troubles")).await.1,
        json!({"desk": "none", "notify": "rate-limited", "mail": "none"})
    );
    answer(client().delete(format!("{api}/faults"))).await;
    assert!(world.instances().iter().all(|one| one.fault == Fault::None));
    for path in ["/world", "/tickets", "/texts", "/replies", "/mails", "/heartbeat", "/authority.pem"] {
        assert_eq!(get(&format!("{api}{path}")).await.0, 200, "{path}");
    }
    get(&world.heartbeat().url()).await;
    assert_eq!(get(&format!("{api}/heartbeat")).await.1["count"], 1);
    world.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = world().await;
    let mut options = WorldOptions::new(Clock::new().now());
    options.page = first.page_url().trim_start_matches("http://").parse().ok();
    let error = World::start(options).await.expect_err("taken");
    assert!(error.to_string().starts_with("the world's page at 127.0.0.1:"), "{error}");
    first.stop().await;
}
