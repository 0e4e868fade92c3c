//! The service desk: what it must do well, what it does that no client expects, and what it refuses.

use crate::support::{Clock, LIMIT, answer, client, world};
use serde_json::{Value, json};
use simulator::{Trouble, World, WorldOptions};

fn table(world: &World, rest: &str) -> String {
    format!("{}/api/now/table/incident{rest}", world.desk().url())
}

fn basic(world: &World, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let options = world.desk().options();
    request.basic_auth(&options.user, Some(&options.password)).header("Accept", "application/json")
}

async fn create(world: &World, fields: Value) -> Value {
    let (status, body) = answer(basic(world, client().post(table(world, ""))).json(&fields)).await;
    assert_eq!(status, 201, "{body}");
    body.get("result").expect("a result").clone()
}

async fn find(world: &World, query: &str) -> Vec<Value> {
    let (status, body) =
        answer(basic(world, client().get(table(world, ""))).query(&[("sysparm_query", query)])).await;
    assert_eq!(status, 200, "{body}");
    body.pointer("/result").and_then(Value::as_array).expect("a list").clone()
}

#[tokio::test]
async fn a_ticket_is_created_found_updated_and_read_by_an_agent() {
    let world = world().await;
    let made = create(
        &world,
        json!({
            "short_description": "[PROD] down", "impact": "1", "urgency": "2", "correlation_id": "curiad:1",
            "assignment_group": "API Platform", "work_notes": "Evidence: 503",
        }),
    )
    .await;
    assert_eq!(
        (&made["number"], &made["priority"], &made["state"]),
        (&"INC0010001".into(), &"2".into(), &"1".into())
    );
    assert_eq!(made["assignment_group"]["value"], "287ebd7da9fe198100f92cc8d1d2154e");
    assert_eq!(made["work_notes"], "", "a journal is not shown as stored");
    assert_eq!(made["sys_created_on"], "2026-10-24 02:13:05");
    create(&world, json!({"short_description": "other", "correlation_id": "curiad:2"})).await;

    let found = find(&world, "correlation_id=curiad:1^ORDERBYDESCsys_created_on").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["sys_id"], made["sys_id"]);

    let place = table(&world, &format!("/{}", made["sys_id"].as_str().expect("an id")));
    let (status, body) = answer(
        basic(&world, client().patch(&place)).json(&json!({"work_notes": "Called Non", "urgency": "1"})),
    )
    .await;
    assert_eq!((status, &body["result"]["priority"]), (200, &"1".into()));
    let shown = [
        ("sysparm_display_value", "true"),
        ("sysparm_fields", "work_notes,state,assignment_group,priority,nonsense"),
    ];
    let (_, body) = answer(basic(&world, client().get(&place)).query(&shown)).await;
    let result = &body["result"];
    assert_eq!(result.as_object().expect("an object").len(), 4, "an unknown field is left out: {result}");
    let journal = result["work_notes"].as_str().expect("text");
    assert!(
        journal.starts_with("2026-10-24 02:13:05 - curiad (Work notes)\nCalled Non\n\n"),
        "newest first: {journal}"
    );
    assert_eq!((&result["state"], &result["priority"]), (&"New".into(), &"1 - Critical".into()));
    assert_eq!(result["assignment_group"]["display_value"], "API Platform");
    let plain = [("sysparm_exclude_reference_link", "true"), ("sysparm_fields", "assignment_group")];
    let (_, body) = answer(basic(&world, client().get(&place)).query(&plain)).await;
    assert_eq!(body["result"], json!({"assignment_group": "287ebd7da9fe198100f92cc8d1d2154e"}));

    let journal = format!("{}/api/now/table/sys_journal_field", world.desk().url());
    let query =
        format!("element_id={}^element=work_notes^valueLIKENon", made["sys_id"].as_str().expect("an id"));
    let (_, body) =
        answer(basic(&world, client().get(journal)).query(&[("sysparm_query", query.as_str())])).await;
    assert_eq!(body["result"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["result"][0]["value"], "Called Non");

    let desk = world.desk();
    assert!(
        desk.assign("INC0010001", "Beth Anglin")
            && desk.note("INC0010001", "Beth Anglin", "Ringing the hospital")
    );
    let ticket = desk.ticket("INC0010001").expect("the ticket");
    assert_eq!(
        (ticket.state(), ticket.work_notes()),
        ("In Progress", vec!["Evidence: 503", "Called Non", "Ringing the hospital"])
    );
    assert!(
        desk.resolve("INC0010001", "Beth Anglin", "Restarted") && !desk.resolve("INC9", "Beth Anglin", "x")
    );
    let found = find(&world, "state=6").await;
    assert_eq!((found.len(), &found[0]["close_notes"]), (1, &"Restarted".into()));
    world.stop().await;
}

#[tokio::test]
async fn the_traps_are_set() {
    let world = world().await;
    let first = create(&world, json!({"correlation_id": "curiad:1", "priority": "1", "number": "INC1", "u_made_up": "x", "impact": 2})).await;
    assert_eq!(
        first["priority"], "4",
        "what a client says about priority is left out: impact 2 and urgency 3 make 4"
    );
    assert_eq!((&first["number"], first.get("u_made_up")), (&"INC0010001".into(), None));
    assert_eq!(first["impact"], "2", "a number becomes a string");
    create(&world, json!({"correlation_id": "curiad:1"})).await;

    assert_eq!(find(&world, "correlation_id=curiad:1").await.len(), 2, "correlation_id is not unique");
    assert_eq!(
        find(&world, "corelation_id=curiad:9").await.len(),
        2,
        "a column that does not exist finds everything"
    );
    assert_eq!(find(&world, "correlation_id=curiad:9").await.len(), 0);
    assert_eq!(find(&world, "correlation_id=curiad:1^x").await.len(), 2, "a caret cuts a key in two");

    let long = "k".repeat(130);
    let cut = create(&world, json!({"correlation_id": long, "short_description": long.repeat(2)})).await;
    assert_eq!(cut["correlation_id"].as_str().map(str::len), Some(100), "cut without a word");
    assert_eq!(cut["short_description"].as_str().map(str::len), Some(160));
    assert_eq!(
        find(&world, &format!("correlation_id={long}")).await.len(),
        0,
        "so the whole key finds nothing"
    );
    let dangling = create(&world, json!({"assignment_group": "No Such Group"})).await;
    assert_eq!(dangling["assignment_group"]["value"], "No Such Group", "a reference may point nowhere");

    let page = basic(&world, client().get(table(&world, "")))
        .query(&[("sysparm_limit", "1"), ("sysparm_query", "ORDERBYDESCnumber")]);
    let answer = page.send().await.expect("an answer");
    assert_eq!(answer.headers()["x-total-count"], "4");
    assert!(answer.headers()["link"].to_str().expect("text").contains("sysparm_offset=1>;rel=\"next\""));
    world.stop().await;
}

#[tokio::test]
async fn an_instance_can_be_set_to_find_nothing_for_a_wrong_query() {
    let mut options = WorldOptions::new(Clock::new().now());
    options.desk.invalid_query_returns_no_rows = true;
    let world = World::start(options).await.expect("the world starts");
    create(&world, json!({"correlation_id": "curiad:1"})).await;
    assert_eq!(find(&world, "corelation_id=curiad:1").await.len(), 0);
    assert_eq!(find(&world, "correlation_id=curiad:1").await.len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn wrong_clients_are_refused() {
    let world = world().await;
    let options = world.desk().options().clone();
    let good = json!({"short_description": "x"});
    let place = table(&world, "");
    let wrong_password = client().post(&place).basic_auth(&options.user, Some("guess")).json(&good);
    let other_scheme = client().post(&place).header("Authorization", "Token abc").json(&good);
    for request in [
        client().post(&place).json(&good),
        wrong_password,
        other_scheme,
        client().post(&place).bearer_auth("made-up").json(&good),
    ] {
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["status"]), (401, &"failure".into()));
        assert_eq!(body["error"]["message"], "User Not Authenticated");
    }
    let no_record = table(&world, "/00000000000000000000000000000000");
    for (request, expected) in [
        (client().post(&place).header("Content-Type", "text/plain").body("x"), 415),
        (
            client()
                .post(&place)
                .header("Content-Type", "application/json")
                .body("{'short_description':'x'}"),
            400,
        ),
        (client().post(&place).json(&json!([good])), 400),
        (client().post(&place).json(&json!({"state": "6", "short_description": "x"})), 403),
        (client().patch(&no_record).json(&good), 404),
        (client().get(&no_record), 404),
        (client().delete(&no_record), 405),
        (client().get(format!("{}/api/now/table/incidents", world.desk().url())), 400),
        (client().get(format!("{}/api/now/tables/incident", world.desk().url())), 400),
        (client().get(&place).header("Accept", "text/csv"), 406),
    ] {
        let request = request.basic_auth(&options.user, Some(&options.password));
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["status"]), (expected, &"failure".into()), "{body}");
    }
    assert!(world.desk().tickets().is_empty(), "nothing that was refused left a trace");
    world.stop().await;
}

#[tokio::test]
async fn an_access_token_is_given_for_client_credentials_and_runs_out() {
    let clock = Clock::new();
    let world = World::start(WorldOptions::new(clock.now())).await.expect("the world starts");
    let options = world.desk().options().clone();
    let place = format!("{}/oauth_token.do", world.desk().url());
    let ask = |grant: &str, secret: &str| {
        let form = [("grant_type", grant), ("client_id", &options.client_id), ("client_secret", secret)];
        answer(client().post(&place).form(&form))
    };
    assert_eq!(
        ask("client_credentials", "guess").await,
        (401, json!({"error": "server_error", "error_description": "access_denied"}))
    );
    assert_eq!(ask("password", &options.client_secret).await.0, 400);
    let (status, token) = ask("client_credentials", &options.client_secret).await;
    assert_eq!((status, &token["expires_in"], &token["token_type"]), (200, &1799.into(), &"Bearer".into()));
    let token = token["access_token"].as_str().expect("a token").to_owned();
    let list = || client().get(table(&world, "")).bearer_auth(&token);
    assert_eq!(answer(list()).await.0, 200);
    clock.advance(1_800);
    assert_eq!(answer(list()).await.0, 401, "it ran out");
    let (_, fresh) = ask("client_credentials", &options.client_secret).await;
    let fresh = fresh["access_token"].as_str().expect("a token").to_owned();
    world.desk().revoke_tokens();
    assert_eq!(answer(client().get(table(&world, "")).bearer_auth(&fresh)).await.0, 401, "it was revoked");
    world.stop().await;
}

#[tokio::test]
async fn the_desk_can_be_in_trouble() {
    let world = world().await;
    let post =
        || basic(&world, client().post(table(&world, ""))).json(&json!({"correlation_id": "curiad:1"}));
    world.desk().set_trouble_for(Trouble::RateLimited, 1).await;
    let answered = post().send().await.expect("an answer");
    assert_eq!(
        (answered.status().as_u16(), &answered.headers()["retry-after"]),
        (429, &"3".parse().expect("a header"))
    );
    assert_eq!(answer(post()).await.0, 201, "for one request only");
    world.desk().set_trouble(Trouble::ServerError).await;
    assert_eq!((answer(post()).await.0, answer(post()).await.0), (500, 500));
    world.desk().set_trouble(Trouble::Refuse).await;
    post().send().await.expect_err("refused");
    assert_eq!(world.desk().tickets().len(), 1);

    world.desk().set_trouble(Trouble::AcceptThenTimeOut).await;
    let unanswered = async { post().timeout(std::time::Duration::from_millis(400)).send().await };
    let filed = world.wait_for(LIMIT, |world| (world.desk().tickets().len() == 2).then_some(()));
    let (unanswered, filed) = tokio::join!(unanswered, filed);
    assert!(
        unanswered.expect_err("no answer").is_timeout() && filed.is_ok(),
        "it was filed and not answered"
    );
    assert_eq!(find(&world, "correlation_id=curiad:1").await.len(), 2, "looking is answered");
    world.stop().await;
}
