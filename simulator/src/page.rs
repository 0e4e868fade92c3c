//! The world's page, for people to play with, and the control API on the same port, for programs.

mod act;
mod control;
mod html;
mod inbox;
mod matrix;
mod ticket;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::world::{WeakWorld, World};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn routes(world: WeakWorld) -> Router {
    Router::new()
        .route("/", get(front))
        .route(
            "/world.css",
            get(|| async { ([(header::CONTENT_TYPE, "text/css")], include_str!("page/world.css")) }),
        )
        .route(
            "/world.js",
            get(|| async { ([(header::CONTENT_TYPE, "text/javascript")], include_str!("page/world.js")) }),
        )
        .route("/faults", post(act::faults))
        .route("/troubles", post(act::troubles))
        .route("/cascade", post(act::cascade))
        .route("/job", post(act::job))
        .route("/delivery", post(act::delivery))
        .route("/tickets", post(act::tickets))
        .route("/replies", post(act::replies))
        .nest("/api", control::routes())
        .layer(middleware::from_fn(guard))
        .with_state(world)
}

/// The world, or an answer that it has ended.
#[derive(Debug)]
struct Gone;

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "this world has ended").into_response()
    }
}

fn alive(world: &WeakWorld) -> Result<World, Gone> {
    world.upgrade().ok_or(Gone)
}

/// Another site's page may not act here through the visitor's browser; and no page may bring in anything from outside.
async fn guard(request: Request, next: Next) -> Response {
    let from_elsewhere = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if from_elsewhere && !reads {
        return (StatusCode::FORBIDDEN, "this came from another site's page").into_response();
    }
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

/// What the page's address says: the fault that a click puts on.
#[derive(Debug, serde::Deserialize)]
struct Picked {
    #[serde(default)]
    fault: String,
}

async fn front(State(world): State<WeakWorld>, Query(picked): Query<Picked>) -> Result<Html<String>, Gone> {
    let world = alive(&world)?;
    let fault = picked.fault.parse().ok().filter(|fault| *fault != crate::Fault::None);
    Ok(Html(html::page(&world, fault.unwrap_or(crate::Fault::Refuse))))
}
