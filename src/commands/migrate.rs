//! `curiad migrate`: the tables, and nothing else.

use crate::{database, exit::Failed, serve, terminal::Terminal};
use domain::Secret;
use serde_json::json;

pub(crate) async fn run(database: &Secret, as_json: bool) -> Result<(), Failed> {
    let before = store::examine(database.reveal()).await.map_or(0, |look| look.schema);
    serve::open(database).await?.close().await;
    let now = store::examine(database.reveal()).await.map_err(|error| database::of(database, error))?.schema;
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&json!({ "before": before, "now": now }));
    } else if before == now {
        terminal.line(&format!("the tables are up to date: version {now}"));
    } else {
        terminal.line(&format!("the tables are of version {now} now; they were of {before}"));
    }
    Ok(())
}
