//! The vendors' documented exchanges, sent to the stand-ins.

use crate::support::{Clock, client, good_token};
use serde_json::Value;
use simulator::{World, WorldOptions};

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("a contract is JSON")
}

/// Sends the documented request; answers what is wrong with the answer.
async fn exchange(contract: &Value, base: &str, auth: String) -> Vec<String> {
    let request = &contract["request"];
    let method = request["method"].as_str().expect("a method").parse().expect("a method");
    let url = format!("{base}{}", request["path"].as_str().expect("a path"));
    let mut sent =
        client().request(method, url).header("Authorization", auth).body(request["body"].to_string());
    for (name, value) in request["headers"].as_object().expect("headers") {
        sent = sent.header(name, value.as_str().expect("text"));
    }
    let answer = sent.send().await.expect("an answer");
    let documented = &contract["answer"];
    let mut wrong = Vec::new();
    if Some(u64::from(answer.status().as_u16())) != documented["status"].as_u64() {
        wrong.push(format!("status {}", answer.status()));
    }
    for name in documented["headers"].as_array().into_iter().flatten() {
        if !answer.headers().contains_key(name.as_str().expect("a name")) {
            wrong.push(format!("no header {name}"));
        }
    }
    let body: Value = answer.json().await.expect("JSON");
    let body = body.get("result").unwrap_or(&body);
    let absent: Vec<&str> =
        documented["absent"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    compare("", body, &documented["body"], &absent, &mut wrong);
    for path in documented["exact"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let pointer = format!("/{}", path.replace('.', "/"));
        if body.pointer(&pointer) != documented["body"].pointer(&pointer) {
            wrong.push(format!("{path} is {:?}", body.pointer(&pointer)));
        }
    }
    wrong
}

/// The same names, and values of the same type; what is absent on purpose must be absent.
fn compare(place: &str, seen: &Value, documented: &Value, absent: &[&str], wrong: &mut Vec<String>) {
    match (seen, documented) {
        (Value::Object(seen), Value::Object(documented)) => {
            for (name, expected) in documented {
                match seen.get(name) {
                    Some(_) if absent.contains(&name.as_str()) => {
                        wrong.push(format!("{place}{name} is there after all"));
                    }
                    Some(value) => compare(&format!("{place}{name}."), value, expected, &[], wrong),
                    None if absent.contains(&name.as_str()) => {}
                    None => wrong.push(format!("{place}{name} is missing")),
                }
            }
        }
        _ if std::mem::discriminant(seen) == std::mem::discriminant(documented) => {}
        _ => wrong.push(format!("{place} is {seen}, documented as {documented}")),
    }
}

#[tokio::test]
async fn the_documented_requests_get_the_documented_answers() {
    let clock = Clock::new();
    let world = World::start(WorldOptions::new(clock.now())).await.expect("the world starts");
    let basic = {
        use base64::Engine as _;
        let options = world.desk().options();
        let pair = format!("{}:{}", options.user, options.password);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    };
    let ticket = read(include_str!("../../contracts/servicenow/create-incident.json"));
    let none: Vec<String> = Vec::new();
    assert_eq!(exchange(&ticket, &world.desk().url(), basic).await, none);
    for text in [
        include_str!("../../contracts/notify/send-text.json"),
        include_str!("../../contracts/notify/send-email.json"),
    ] {
        let auth = format!("Bearer {}", good_token(&world, &clock));
        assert_eq!(exchange(&read(text), &world.notify().url(), auth).await, none);
    }
    world.stop().await;
}

#[tokio::test]
async fn errors_have_the_documented_shape() {
    let world = crate::support::world().await;
    let desk = read(include_str!("../../contracts/servicenow/errors.json"));
    let (_, body) = crate::support::get(&format!("{}/api/now/table/incident", world.desk().url())).await;
    assert_eq!(body, desk["body"]);
    world.desk().set_trouble(simulator::Trouble::RateLimited).await;
    let answer = client().get(world.desk().url()).send().await.expect("an answer");
    for name in desk["rate_limit_headers"].as_array().expect("names") {
        assert!(answer.headers().contains_key(name.as_str().expect("a name")), "{name}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_message_is_shown_with_the_documented_fields() {
    let clock = Clock::new();
    let world = World::start(WorldOptions::new(clock.now())).await.expect("the world starts");
    let contract = read(include_str!("../../contracts/notify/get-message.json"));
    let text = read(include_str!("../../contracts/notify/send-text.json"));
    let ask = |path: &str| client().get(path).bearer_auth(good_token(&world, &clock));
    let place = format!("{}/v2/notifications", world.notify().url());
    let post = client().post(format!("{place}/sms")).bearer_auth(good_token(&world, &clock));
    let (_, made) = crate::support::answer(post.json(&text["request"]["body"])).await;
    let (status, shown) = crate::support::answer(ask(made["uri"].as_str().expect("a place"))).await;
    assert_eq!(status, 200);
    for field in contract["fields"].as_array().expect("names") {
        assert!(shown.get(field.as_str().expect("a name")).is_some(), "{field} is missing: {shown}");
    }
    let (_, missing) =
        crate::support::answer(ask(&format!("{place}/11111111-2222-4333-8444-555555555555"))).await;
    assert_eq!(missing, contract["missing"]);
    world.stop().await;
}

#[tokio::test]
async fn a_template_is_shown_with_the_documented_fields_and_to_its_own_service_alone() {
    let clock = Clock::new();
    let world = World::start(WorldOptions::new(clock.now())).await.expect("the world starts");
    let contract = read(include_str!("../../contracts/notify/get-template.json"));
    let place = format!("{}/v2/template", world.notify().url());
    let ask = |id: &str| client().get(format!("{place}/{id}")).bearer_auth(good_token(&world, &clock));
    let (status, shown) = crate::support::answer(ask(simulator::NotifyOptions::SMS_TEMPLATE)).await;
    assert_eq!((status, &shown["type"], &shown["body"]), (200, &"sms".into(), &"((message))".into()));
    let names: Vec<&str> =
        contract["names"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    for name in contract["required"].as_array().expect("names") {
        assert!(shown.get(name.as_str().expect("a name")).is_some(), "{name} is missing: {shown}");
    }
    for name in shown.as_object().expect("an object").keys() {
        assert!(names.contains(&name.as_str()), "{name} is not documented");
    }
    let (status, missing) = crate::support::answer(ask("11111111-2222-4333-8444-555555555555")).await;
    assert_eq!((status, &missing), (404, &contract["missing"]));
    let (status, invalid) = crate::support::answer(ask("template")).await;
    assert_eq!((status, &invalid), (400, &contract["invalid"]));
    let wrong = client().get(format!("{place}/x")).bearer_auth("x.y.z");
    assert_eq!(crate::support::answer(wrong).await.0, 403, "a wrong key is refused here too");
    let written = client().post(format!("{place}/x")).bearer_auth(good_token(&world, &clock));
    assert_eq!(crate::support::answer(written).await.0, 405);
    world.stop().await;
}

#[tokio::test]
async fn people_groups_and_items_are_read_and_never_written() {
    let contract = read(include_str!("../../contracts/servicenow/read-records.json"));
    let mut options = WorldOptions::new(Clock::new().now());
    options.desk.closed_tables = vec!["cmdb_ci".to_owned()];
    let world = World::start(options).await.expect("the world starts");
    let (user, password) = (world.desk().options().user.clone(), world.desk().options().password.clone());
    let at = |table: &str| format!("{}/api/now/table/{table}", world.desk().url());
    let with = |request: reqwest::RequestBuilder| request.basic_auth(&user, Some(&password));
    let query = [
        ("sysparm_query", "sys_idIN287ebd7da9fe198100f92cc8d1d2154e,0"),
        ("sysparm_fields", "sys_id,name,active"),
    ];
    let (status, found) =
        crate::support::answer(with(client().get(at("sys_user_group")).query(&query))).await;
    assert_eq!(status, 200);
    let rows = found["result"].as_array().expect("a list");
    assert_eq!(rows.len(), 1, "{found}");
    for field in contract["fields"].as_array().expect("names") {
        assert!(rows[0][field.as_str().expect("a name")].is_string(), "every value is a string: {found}");
    }
    let (_, people) = crate::support::answer(with(client().get(at("sys_user")).query(&query))).await;
    assert_eq!(people["result"], serde_json::json!([]), "a group is no person");
    let (status, refused) = crate::support::answer(with(client().get(at("cmdb_ci")))).await;
    assert_eq!((status, &refused), (403, &contract["refused"]));
    assert_eq!(crate::support::answer(client().get(at("sys_user"))).await.0, 401);
    let (status, _) =
        crate::support::answer(with(client().post(at("sys_user")).json(&serde_json::json!({})))).await;
    assert_eq!(status, 400, "nobody but an administrator makes people");
    world.stop().await;
}

#[tokio::test]
async fn answers_are_dated_by_the_worlds_own_clock() {
    let clock = Clock::new();
    let world = World::start(WorldOptions::new(clock.now())).await.expect("the world starts");
    for url in [world.desk().url(), world.notify().url()] {
        let answer = client().get(url).send().await.expect("an answer");
        assert_eq!(answer.headers()["date"], "Sat, 24 Oct 2026 02:13:05 GMT");
    }
    world.stop().await;
}
