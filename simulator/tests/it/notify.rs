//! GOV.UK Notify: a good client's texts arrive, wrong clients are refused in the documented words, receipts come back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Clock, LIMIT, answer, client, good_token, jwt};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use simulator::{Callbacks, Channel, Delivery, NotifyOptions, Template, Trouble, World, WorldOptions};

struct Sender {
    clock: Clock,
    world: World,
}

impl Sender {
    async fn new() -> Self {
        let clock = Clock::new();
        let world = World::start(WorldOptions::new(clock.now())).await.expect("the world starts");
        Self { clock, world }
    }

    fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/v2/notifications/{path}", self.world.notify().url());
        client().post(url).bearer_auth(good_token(&self.world, &self.clock)).json(body)
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/v2/notifications{path}", self.world.notify().url());
        client().get(url).bearer_auth(good_token(&self.world, &self.clock))
    }
}

fn text(to: &str, message: &str, reference: &str) -> Value {
    json!({"phone_number": to, "template_id": NotifyOptions::SMS_TEMPLATE, "personalisation": {"message": message}, "reference": reference})
}

#[tokio::test]
async fn a_text_arrives_and_can_be_found_by_id_and_reference() {
    let sender = Sender::new().await;
    let (status, made) = answer(sender.post("sms", &text("07700 900123", "P1 down", "inc.1"))).await;
    assert_eq!((status, &made["content"]["body"]), (201, &"P1 down".into()));
    let id = made["id"].as_str().expect("an id").to_owned();
    let ended = |world: &World| world.notify().texts().into_iter().find(|text| text.status == "delivered");
    let delivered = sender.world.wait_for(LIMIT, ended).await.expect("delivered");
    assert_eq!((delivered.id.as_str(), delivered.reference.as_deref()), (id.as_str(), Some("inc.1")));
    let (status, one) = answer(sender.get(&format!("/{id}"))).await;
    assert_eq!(
        (status, &one["status"], &one["type"], &one["subject"]),
        (200, &"delivered".into(), &"sms".into(), &Value::Null)
    );
    assert_eq!(answer(sender.post("sms", &text("07700 900123", "P1 down", "inc.1"))).await.0, 201);
    let (_, found) = answer(sender.get("?reference=inc.1&template_type=sms")).await;
    assert_eq!(
        found["notifications"].as_array().map(Vec::len),
        Some(2),
        "a reference is not unique: two posts are two texts"
    );
    let (_, found) = answer(sender.get("?reference=inc.2")).await;
    assert_eq!(found["notifications"], json!([]));
    assert_eq!(answer(sender.get("/00000000-0000-4000-8000-000000000000")).await.0, 404);
    assert_eq!(answer(sender.get("/nonsense")).await.1["errors"][0]["message"], "id is not a valid UUID");
    assert_eq!(answer(sender.get("?status=elephant")).await.0, 400);
    sender.world.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of wrong clients")]
async fn tokens_of_wrong_clients_are_refused() {
    let sender = Sender::new().await;
    let documented: Value =
        serde_json::from_str(include_str!("../../contracts/notify/errors.json")).expect("JSON");
    let options = sender.world.notify().options().clone();
    let now = sender.clock.second();
    let head = json!({"typ": "JWT", "alg": "HS256"});
    let claims = |iat: i64| json!({"iss": options.service_id, "iat": iat});
    let good = jwt(&head, &claims(now), &options.secret);
    let stranger = "11111111-2222-4333-8444-555555555555";
    let other = json!({"iss": stranger, "iat": now});
    let clock = documented["clock"].as_str().expect("words");
    let key = documented["key"].as_str().expect("words");
    let url = format!("{}/v2/notifications/sms", sender.world.notify().url());
    for (what, header, status, words) in [
        ("no token", None, 401, "token must be provided"),
        ("another scheme", Some(format!("Basic {good}")), 401, "bearer scheme"),
        ("no token at all", Some("Bearer nonsense".to_owned()), 403, "not valid"),
        (
            "stale by 31 s",
            Some(format!("Bearer {}", jwt(&head, &claims(now - 31), &options.secret))),
            403,
            clock,
        ),
        (
            "31 s early",
            Some(format!("Bearer {}", jwt(&head, &claims(now + 31), &options.secret))),
            403,
            clock,
        ),
        (
            "milliseconds",
            Some(format!("Bearer {}", jwt(&head, &claims(now * 1_000), &options.secret))),
            403,
            clock,
        ),
        ("another key", Some(format!("Bearer {}", jwt(&head, &claims(now), stranger))), 403, key),
        (
            "the whole key as secret",
            Some(format!("Bearer {}", jwt(&head, &claims(now), &sender.world.notify().api_key()))),
            403,
            key,
        ),
        (
            "another service",
            Some(format!("Bearer {}", jwt(&head, &other, &options.secret))),
            403,
            "service not found",
        ),
        (
            "no issuer",
            Some(format!("Bearer {}", jwt(&head, &json!({"iat": now}), &options.secret))),
            403,
            "iss field",
        ),
        (
            "an issuer that is no UUID",
            Some(format!("Bearer {}", jwt(&head, &json!({"iss": "curiad", "iat": now}), &options.secret))),
            403,
            "data type",
        ),
        (
            "another algorithm",
            Some(format!(
                "Bearer {}",
                jwt(&json!({"typ": "JWT", "alg": "none"}), &claims(now), &options.secret)
            )),
            403,
            "HS256",
        ),
        (
            "no iat",
            Some(format!("Bearer {}", jwt(&head, &json!({"iss": options.service_id}), &options.secret))),
            403,
            "not valid",
        ),
        (
            "a third claim",
            Some(format!(
                "Bearer {}",
                jwt(
                    &head,
                    &json!({"iss": options.service_id, "iat": now, "exp": now + 300}),
                    &options.secret
                )
            )),
            403,
            "not valid",
        ),
    ] {
        let mut request = client().post(&url).json(&text("07700900123", "x", "r"));
        if let Some(header) = header {
            request = request.header("Authorization", header);
        }
        let (seen, body) = answer(request).await;
        assert_eq!((seen, body["status_code"].as_u64()), (status, Some(status.into())), "{what}: {body}");
        assert_eq!(body["errors"][0]["error"], "AuthError", "{what}");
        assert!(body["errors"][0]["message"].as_str().expect("words").contains(words), "{what}: {body}");
    }
    let kept = || client().post(&url).bearer_auth(&good).json(&text("07700900123", "x", "r"));
    assert_eq!(answer(kept()).await.0, 201);
    sender.clock.advance(31);
    assert_eq!(answer(kept()).await.0, 403, "a token that is kept runs out");
    assert_eq!(sender.world.notify().texts().len(), 1);
    sender.world.stop().await;
}

#[tokio::test]
async fn wishes_that_do_not_fit_the_schema_are_refused_in_its_words() {
    let mut options = WorldOptions::new(Clock::new().now());
    let template = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    options.notify.templates.push(Template {
        id: template.to_owned(),
        channel: Channel::Sms,
        version: 1,
        subject: String::new(),
        body: "((priority)) ((what)) since ((since))".to_owned(),
    });
    let clock = Clock::new();
    let world = World::start(options).await.expect("the world starts");
    let sender = Sender { clock, world };
    let sms = NotifyOptions::SMS_TEMPLATE;
    for (path, body, error, words) in [
        (
            "sms",
            json!({"phone_number": "07700900123", "template_id": template, "personalisation": {"what": "x"}}),
            "BadRequestError",
            "Missing personalisation: priority, since",
        ),
        (
            "sms",
            json!({"phone_number": "07700900123", "template_id": template}),
            "BadRequestError",
            "Missing personalisation: priority, what, since",
        ),
        ("sms", json!({"template_id": sms}), "ValidationError", "phone_number is a required property"),
        (
            "sms",
            json!({"phone_number": 7_700_900_123_i64, "template_id": sms}),
            "ValidationError",
            "phone_number 7700900123 is not of type string",
        ),
        (
            "sms",
            json!({"phone_number": "07700900123", "template_id": "first"}),
            "ValidationError",
            "template_id is not a valid UUID",
        ),
        (
            "sms",
            json!({"phone_number": "07700900123", "template_id": NotifyOptions::EMAIL_TEMPLATE}),
            "BadRequestError",
            "email template is not suitable for sms notification",
        ),
        (
            "sms",
            json!({"phone_number": "07700900123", "template_id": "00000000-0000-4000-8000-000000000000"}),
            "BadRequestError",
            "Template not found",
        ),
        (
            "sms",
            json!({"phone_number": "07700900123", "template_id": sms, "personalisation": "x"}),
            "ValidationError",
            "personalisation \"x\" is not of type object",
        ),
        (
            "sms",
            json!({"phone_number": "07700900123", "template_id": sms, "message": "x"}),
            "ValidationError",
            "Additional properties are not allowed (message was unexpected)",
        ),
        (
            "sms",
            text("07700900123", &"x".repeat(919), "r"),
            "BadRequestError",
            "Content for template has a character count greater than the limit of 918",
        ),
        ("sms", text("07700900123", "x", &"r".repeat(1_001)), "ValidationError", "reference is too long"),
        (
            "email",
            json!({"email_address": "non", "template_id": NotifyOptions::EMAIL_TEMPLATE}),
            "ValidationError",
            "email_address Not a valid email address",
        ),
    ] {
        let (status, answered) = answer(sender.post(path, &body)).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(answered["errors"][0], json!({"error": error, "message": words}));
    }
    let documented: Value =
        serde_json::from_str(include_str!("../../contracts/notify/errors.json")).expect("JSON");
    for (number, words) in documented["phone_numbers"].as_object().expect("numbers") {
        let (status, answered) = answer(sender.post("sms", &text(number, "x", "r"))).await;
        assert_eq!((status, &answered["errors"][0]["message"]), (400, words), "{number}");
    }
    assert!(sender.world.notify().messages().is_empty(), "nothing that was refused was sent");
    sender.world.stop().await;
}

#[tokio::test]
async fn notify_can_be_in_trouble() {
    let sender = Sender::new().await;
    let notify = sender.world.notify().clone();
    let send = || sender.post("sms", &text("07700900123", "x", "inc.7"));
    for (trouble, status, error) in [
        (Trouble::RateLimited, 429, "RateLimitError"),
        (Trouble::DailyLimit, 429, "TooManyRequestsError"),
        (Trouble::ServerError, 500, "Exception"),
        (Trouble::Unauthorised, 403, "AuthError"),
    ] {
        notify.set_trouble_for(trouble, 2).await;
        for _ in 0..2 {
            let (seen, body) = answer(send()).await;
            assert_eq!((seen, &body["errors"][0]["error"]), (status, &error.into()));
        }
        assert_eq!(notify.trouble(), Trouble::None);
    }
    notify.set_trouble(Trouble::Refuse).await;
    send().send().await.expect_err("refused");
    notify.set_trouble(Trouble::AcceptThenTimeOut).await;
    let unanswered = async { send().timeout(Duration::from_millis(400)).send().await };
    let taken = sender.world.wait_for(LIMIT, |world| world.notify().texts().pop());
    let (unanswered, taken) = tokio::join!(unanswered, taken);
    assert!(unanswered.expect_err("no answer").is_timeout() && taken.is_ok());
    let (_, found) = answer(sender.get("?reference=inc.7")).await;
    assert_eq!(found["notifications"].as_array().map(Vec::len), Some(1), "it can be found by its reference");
    sender.world.stop().await;
}

#[tokio::test]
async fn messages_end_as_they_are_told_to_and_the_network_swallows_repeats() {
    let sender = Sender::new().await;
    let notify = sender.world.notify();
    notify.set_delivery_to("07700900456", Delivery::PermanentFailure);
    notify.set_delivery(Delivery::StaysSending);
    answer(sender.post("sms", &text("+44 7700 900456", "x", "a"))).await;
    answer(sender.post("sms", &text("07700900123", "x", "b"))).await;
    let ended = |world: &World| {
        let status: Vec<_> = world.notify().texts().iter().map(|text| text.status).collect();
        (status == ["permanent-failure", "sending"]).then_some(())
    };
    sender.world.wait_for(LIMIT, ended).await.expect("both ended as told");
    notify.set_delivery(Delivery::Delivered);
    for _ in 0..20 {
        answer(sender.post("sms", &text("07700900789", "the same", "c"))).await;
    }
    answer(sender.post("sms", &text("07700900789", "the same", "last"))).await;
    let last = notify.texts().pop().expect("a text");
    assert!(last.lost, "the 21st identical text in an hour is lost in silence");
    sender.world.stop().await;
}

type Seen = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A receiver that answers 503 first and 200 from then on.
async fn receive(
    State(seen): State<Seen>,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let token =
        headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = serde_json::from_str(&body).expect("JSON");
    let mut seen = seen.lock().expect("a lock");
    seen.push((kind, token, body));
    if seen.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

#[tokio::test]
async fn receipts_and_replies_come_back_until_they_are_taken() {
    let seen: Seen = Arc::default();
    let router = axum::Router::new()
        .route("/hooks/{kind}", axum::routing::post(receive))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await });

    let sender = Sender::new().await;
    let url = |kind: &str| format!("{base}/hooks/{kind}").parse().expect("a URL");
    sender.world.notify().set_callbacks(Some(Callbacks {
        receipts: url("receipts"),
        receipts_token: "receipts-token".to_owned(),
        replies: url("replies"),
        replies_token: "replies-token".to_owned(),
    }));
    answer(sender.post("sms", &text("07700900123", "x", "inc.9"))).await;
    let taken = |world: &World| world.notify().texts().pop().filter(|text| text.receipt == Some(200));
    sender.world.wait_for(LIMIT, taken).await.expect("taken at the second try");
    sender.world.notify().reply("07700 900123", "yes");
    let taken = |world: &World| world.notify().replies().pop().filter(|reply| reply.answered == Some(200));
    sender.world.wait_for(LIMIT, taken).await.expect("taken");

    let seen = seen.lock().expect("a lock").clone();
    let kinds: Vec<_> = seen.iter().map(|(kind, token, _)| (kind.as_str(), token.as_str())).collect();
    let receipt = ("receipts", "Bearer receipts-token");
    assert_eq!(kinds, [receipt, receipt, ("replies", "Bearer replies-token")]);
    let contract = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["body"].clone();
    for ((_, _, body), documented) in [
        (&seen[1], contract(include_str!("../../contracts/notify/receipt.json"))),
        (&seen[2], contract(include_str!("../../contracts/notify/received-text.json"))),
    ] {
        let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(body), names(&documented));
        for (name, value) in documented.as_object().expect("an object") {
            assert_eq!(std::mem::discriminant(&body[name]), std::mem::discriminant(value), "{name}");
        }
    }
    assert_eq!(seen[1].2["created_at"], "2026-10-24T02:13:05.000000Z");
    assert_eq!(seen[2].2["source_number"], "447700900123");
    sender.world.stop().await;
}
