//! The control API, in JSON, for tests that run in another program.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::act::{agent, set_trouble};
use super::{Gone, alive};
use crate::answer::Answer;
use crate::fault::Fault;
use crate::job::Does;
use crate::notify::{Callbacks, Delivery};
use crate::trouble::Trouble;
use crate::world::WeakWorld;

pub(super) fn routes() -> Router<WeakWorld> {
    Router::new()
        .route("/world", get(world))
        .route("/authority.pem", get(authority))
        .route("/faults", get(faults).post(set_fault).delete(clear_faults))
        .route("/cascade", post(set_cascade))
        .route("/troubles", get(troubles).post(set_troubles))
        .route("/tickets", get(tickets))
        .route("/tickets/{number}", post(ticket))
        .route("/texts", get(texts))
        .route("/replies", get(replies).post(reply))
        .route("/delivery", post(delivery))
        .route("/callbacks", post(callbacks))
        .route("/mails", get(mails))
        .route("/heartbeat", get(heartbeat))
        .route("/job", get(job).post(set_job))
}

/// Why a command was not carried out.
enum Refused {
    Gone,
    Because(u16, String),
}

impl From<Gone> for Refused {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Gone => Gone.into_response(),
            Self::Because(status, detail) => {
                Answer::problem(status, if status == 404 { "Not Found" } else { "Bad Request" }, &detail)
                    .into_response()
            }
        }
    }
}

type Told = Result<Json<Value>, Refused>;

/// A command's body. A wrong one is refused with what is wrong, never guessed at.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::Because(400, error.to_string()))
}

fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Refused> {
    text.parse().map_err(|error: T::Err| Refused::Because(400, error.to_string()))
}

fn done() -> Json<Value> {
    Json(json!({"done": true}))
}

async fn world(State(world): State<WeakWorld>) -> Told {
    let world = alive(&world)?;
    Ok(Json(json!({
        "page": world.page_url(),
        "desk": world.desk().url(),
        "notify": world.notify().url(),
        "mail": world.mail().address().to_string(),
        "heartbeat": world.heartbeat().url(),
        "cascade": world.cascade(),
        "now": world.now().to_string(),
    })))
}

async fn authority(State(world): State<WeakWorld>) -> Result<String, Gone> {
    Ok(alive(&world)?.authority().to_owned())
}

async fn faults(State(world): State<WeakWorld>) -> Told {
    let list: Vec<Value> = alive(&world)?
        .instances()
        .into_iter()
        .map(|one| {
            json!({
                "api": one.api,
                "environment": one.environment,
                "url": one.url,
                "fault": one.fault.to_string(),
                "requests": one.requests,
                "asked_at": one.asked_at,
            })
        })
        .collect();
    Ok(Json(list.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultCommand {
    api: String,
    environment: String,
    fault: String,
}

async fn set_fault(State(world): State<WeakWorld>, body: Bytes) -> Told {
    let command: FaultCommand = read(&body)?;
    let fault: Fault = parse(&command.fault)?;
    alive(&world)?
        .set_fault(&command.api, &command.environment, fault)
        .await
        .map_err(|error| Refused::Because(404, error.to_string()))?;
    Ok(done())
}

async fn clear_faults(State(world): State<WeakWorld>) -> Told {
    alive(&world)?.clear_faults().await;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CascadeCommand {
    on: bool,
}

async fn set_cascade(State(world): State<WeakWorld>, body: Bytes) -> Told {
    let command: CascadeCommand = read(&body)?;
    alive(&world)?.set_cascade(command.on);
    Ok(done())
}

async fn troubles(State(world): State<WeakWorld>) -> Told {
    let world = alive(&world)?;
    Ok(Json(json!({
        "desk": world.desk().trouble().name(),
        "notify": world.notify().trouble().name(),
        "mail": world.mail().trouble().name(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TroubleCommand {
    part: String,
    trouble: String,
    requests: Option<u32>,
}

async fn set_troubles(State(world): State<WeakWorld>, body: Bytes) -> Told {
    let command: TroubleCommand = read(&body)?;
    let trouble: Trouble = parse(&command.trouble)?;
    if !set_trouble(&alive(&world)?, &command.part, trouble, command.requests).await {
        return Err(Refused::Because(
            404,
            format!("no part is called {:?}; there are desk, notify, mail", command.part),
        ));
    }
    Ok(done())
}

async fn tickets(State(world): State<WeakWorld>) -> Told {
    Ok(Json(json!(alive(&world)?.desk().tickets())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketCommand {
    act: String,
    #[serde(default)]
    person: String,
    #[serde(default)]
    text: String,
}

async fn ticket(State(world): State<WeakWorld>, Path(number): Path<String>, body: Bytes) -> Told {
    let command: TicketCommand = read(&body)?;
    let person = if command.person.is_empty() { "Beth Anglin" } else { &command.person };
    if !agent(&alive(&world)?, &number, &command.act, person, &command.text) {
        return Err(Refused::Because(
            404,
            "no such ticket, or no such act; there are assign, note with a text, resolve".to_owned(),
        ));
    }
    Ok(done())
}

async fn texts(State(world): State<WeakWorld>) -> Told {
    Ok(Json(json!(alive(&world)?.notify().messages())))
}

async fn replies(State(world): State<WeakWorld>) -> Told {
    Ok(Json(json!(alive(&world)?.notify().replies())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyCommand {
    from: String,
    message: String,
}

async fn reply(State(world): State<WeakWorld>, body: Bytes) -> Told {
    let command: ReplyCommand = read(&body)?;
    alive(&world)?.notify().reply(&command.from, &command.message);
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryCommand {
    to: Option<String>,
    ending: String,
}

async fn delivery(State(world): State<WeakWorld>, body: Bytes) -> Told {
    let command: DeliveryCommand = read(&body)?;
    let ending: Delivery = parse(&command.ending)?;
    let world = alive(&world)?;
    match command.to {
        Some(to) => world.notify().set_delivery_to(&to, ending),
        None => world.notify().set_delivery(ending),
    }
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallbacksCommand {
    receipts: String,
    receipts_token: String,
    replies: String,
    replies_token: String,
}

async fn callbacks(State(world): State<WeakWorld>, body: Bytes) -> Told {
    let command: CallbacksCommand = read(&body)?;
    let callbacks = Callbacks {
        receipts: parse::<Url>(&command.receipts)?,
        receipts_token: command.receipts_token,
        replies: parse::<Url>(&command.replies)?,
        replies_token: command.replies_token,
    };
    alive(&world)?.notify().set_callbacks(Some(callbacks));
    Ok(done())
}

async fn mails(State(world): State<WeakWorld>) -> Told {
    Ok(Json(json!(alive(&world)?.mail().mails())))
}

async fn job(State(world): State<WeakWorld>) -> Told {
    Ok(Json(json!(alive(&world)?.job().runs())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobCommand {
    does: String,
}

async fn set_job(State(world): State<WeakWorld>, body: Bytes) -> Told {
    let command: JobCommand = read(&body)?;
    let does: Does = parse(&command.does)?;
    alive(&world)?.job().set(does);
    Ok(done())
}

async fn heartbeat(State(world): State<WeakWorld>) -> Told {
    Ok(Json(json!(alive(&world)?.heartbeat().beats())))
}
