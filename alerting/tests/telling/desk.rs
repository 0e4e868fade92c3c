//! A service desk that behaves worse than the simulator's: it ignores queries, or files a twin behind our back.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, patch},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::task::JoinSet;

/// What such a desk answers, and what it was told.
#[derive(Default)]
pub(crate) struct BadDesk {
    /// Answers to look-ups, one after the other; the last one stays.
    pub(crate) found: Vec<Value>,
    pub(crate) looks: AtomicUsize,
    pub(crate) made: AtomicUsize,
    pub(crate) written: Mutex<Vec<(String, Value)>>,
}

impl BadDesk {
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

/// Serves `desk` on a loopback port while `tasks` live.
pub(crate) async fn serve(desk: Arc<BadDesk>, tasks: &mut JoinSet<()>) -> SocketAddr {
    let router = Router::new()
        .route("/api/now/table/incident", get(look).post(make))
        .route("/api/now/table/incident/{id}", patch(write).get(read))
        .with_state(desk);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn look(State(desk): State<Arc<BadDesk>>) -> Json<Value> {
    let look = desk.looks.fetch_add(1, Ordering::SeqCst);
    let found = desk.found.get(look).or(desk.found.last()).cloned().unwrap_or_else(|| json!([]));
    Json(json!({ "result": found }))
}

async fn make(State(desk): State<Arc<BadDesk>>, Json(fields): Json<Value>) -> (StatusCode, Json<Value>) {
    desk.made.fetch_add(1, Ordering::SeqCst);
    let key = fields.get("correlation_id").unwrap();
    (StatusCode::CREATED, Json(json!({ "result": record("b", "INC0010009", key, "2026-06-21 02:14:12") })))
}

async fn read() -> Json<Value> {
    Json(json!({ "result": { "sys_id": "b", "work_notes": "" } }))
}

async fn write(
    State(desk): State<Arc<BadDesk>>,
    Path(id): Path<String>,
    Json(fields): Json<Value>,
) -> Json<Value> {
    desk.written.lock().unwrap().push((id.clone(), fields));
    Json(json!({ "result": { "sys_id": id } }))
}

/// A ticket as the desk shows it.
pub(crate) fn record(sys_id: &str, number: &str, key: &Value, created: &str) -> Value {
    json!({
        "sys_id": sys_id, "number": number, "correlation_id": key, "priority": "1", "sys_created_on": created,
    })
}
