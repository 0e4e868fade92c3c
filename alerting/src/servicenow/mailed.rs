//! A ticket that somebody at the desk, or its own inbound mail, made of our e-mail while it could not be asked: it has our
//! reference in its text, and becomes ours by that.

use super::{Found, TableApi, WHOM, queryable};
use crate::SendError;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

/// What is looked through: a reference stands in one ticket, or in few.
const MOST: &str = "10";

#[derive(Deserialize)]
struct Mailed {
    sys_id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    correlation_id: String,
}

impl TableApi {
    /// Makes the oldest ticket with that reference in its text ours, if there is one that is nobody's. `true`: there was.
    pub(crate) async fn adopt(&self, reference: &str) -> Result<bool, SendError> {
        let query =
            format!("descriptionLIKE{}^correlation_idISEMPTY^ORDERBYsys_created_on", queryable(reference)?);
        let query = [
            ("sysparm_query", query.as_str()),
            ("sysparm_fields", "sys_id,description,correlation_id"),
            ("sysparm_exclude_reference_link", "true"),
            ("sysparm_limit", MOST),
        ];
        let answer = self.ask(Method::GET, "incident", &query, None).await?;
        let found: Found<Vec<Mailed>> = answer.json(WHOM)?;
        // What a desk does not understand of a query it leaves out: each is looked at.
        let is_ours = |mailed: &Mailed| {
            mailed.correlation_id.is_empty()
                && mailed.description.split_whitespace().any(|word| word == reference)
        };
        let Some(ours) = found.result.into_iter().find(is_ours) else { return Ok(false) };
        let fields = json!({ "correlation_id": reference, "correlation_display": "Curiad" });
        self.write(&ours.sys_id, fields).await?;
        Ok(true)
    }
}
