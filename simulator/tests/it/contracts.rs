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
