//! Tickets in `ServiceNow`, through its Table API (incident-systems.md §3.1): one per incident, whatever happens.
//!
//! `correlation_id` is not unique there and no request can be repeated safely. So a ticket is looked up before it is
//! made and again after; what comes back is compared with what was asked for, because the API leaves out query parts
//! it does not understand and answers with any tickets; and of two the oldest is kept. A ticket is resolved by us only in
//! a desk that wants it. How it stands there is read back (`read.rs`).

mod access;
mod examine;
mod mailed;
mod read;

use crate::{
    SendError, ServiceNow,
    answer::Answer,
    words::{TicketWords, note_marker},
};
use access::Access;
use domain::{Incident, Notification, Priority, Sent, With, ticket_named};
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;
use store::crash_point;

pub use examine::Records;
pub use read::FoundTicket;
pub(crate) use read::MOST_READ;

/// What we ask for of a ticket.
const FIELDS: &str = "sys_id,number,correlation_id,priority,sys_created_on";
/// More tickets than this of one key are beyond mending by us.
const MOST_FOUND: &str = "10";

/// A `ServiceNow` instance's tables.
#[derive(Debug)]
pub(crate) struct TableApi {
    settings: ServiceNow,
    access: Access,
    client: Client,
    patience: Duration,
}

/// The key by which an incident's ticket is known in the desk: the part that the keys of all its notifications share.
///
/// It is made from what never changes, and unique over databases. No time is in it: a clock that was ahead moves even the
/// time at which an incident opened. Where a desk closed a ticket too early, the next one has a number at its end.
pub(crate) fn correlation_id(notification: &Notification) -> String {
    reference(&notification.key)
}

/// The same, of a notification's key.
pub(crate) fn reference(key: &str) -> String {
    let (incident, name) = key.split_once('/').unwrap_or((key, ""));
    let number = name.strip_prefix("ticket/").map(|rest| rest.split('/').next().unwrap_or_default());
    match number {
        Some(number) => format!("curiad:{incident}.{number}"),
        None => format!("curiad:{incident}"),
    }
}

/// Of the tickets that the desk was asked for in vain since it made one, the last first: one may be there all the same. And of
/// those that a desk has that left the configuration: this may be that one by another name.
pub(crate) fn given_up(notification: &Notification, incident: &Incident) -> Vec<String> {
    let (word, _) = notification.key.split_once('/').unwrap_or((&notification.key, ""));
    let earlier = incident.earlier_tickets.iter().enumerate().rev();
    let in_vain = earlier
        .take_while(|(_, earlier)| earlier.known.is_none() || earlier.left)
        .filter(|(_, earlier)| earlier.given_up || earlier.left);
    in_vain.map(|(at, _)| reference(&format!("{word}/{}", ticket_named(at)))).collect()
}

/// What a ticket is made from.
#[derive(Debug)]
pub(crate) struct NewTicket<'a> {
    pub(crate) reference: &'a str,
    pub(crate) priority: Priority,
    pub(crate) words: &'a TicketWords,
    /// The group for the layer at fault; `None`: the desk's default.
    pub(crate) group: Option<&'a str>,
    /// The configuration item.
    pub(crate) ci: Option<&'a str>,
}

#[derive(Debug, Clone, Deserialize)]
struct Record {
    sys_id: String,
    number: String,
    #[serde(default)]
    correlation_id: String,
    #[serde(default)]
    priority: String,
    #[serde(default)]
    sys_created_on: String,
}

#[derive(Deserialize)]
struct Found<T> {
    result: T,
}

impl TableApi {
    pub(crate) fn new(settings: ServiceNow, client: Client, patience: Duration) -> Self {
        Self { access: Access::new(settings.auth.clone()), settings, client, patience }
    }

    /// The incident's ticket, if the desk has one: of several the oldest, and that is said on the others.
    pub(crate) async fn find(&self, reference: &str, priority: Priority) -> Result<Option<Sent>, SendError> {
        let found = self.look_up(reference).await?;
        self.oldest(&found, priority).await
    }

    /// The same after one was made: somebody else may have made another between the look and the making. `None` too when
    /// the desk cannot be asked.
    pub(crate) async fn find_again(
        &self,
        reference: &str,
        priority: Priority,
    ) -> Result<Option<Sent>, SendError> {
        let found = self.look_up(reference).await.unwrap_or_default();
        crash_point!("desk/looked-again");
        self.oldest(&found, priority).await
    }

    async fn oldest(&self, found: &[Record], priority: Priority) -> Result<Option<Sent>, SendError> {
        let Some((oldest, twins)) = found.split_first() else { return Ok(None) };
        for twin in twins {
            self.link(twin, oldest).await?;
        }
        Ok(Some(told(oldest, priority)))
    }

    /// Adds a work note, and changes with it what is to be changed. Look first whether it is there, when it may be.
    ///
    /// What a rule of the desk's refuses with it does not hold the note up: that goes alone, and says what was refused.
    pub(crate) async fn note(&self, record: &str, text: &str, with: With) -> Result<Sent, SendError> {
        crash_point!("desk/before-note");
        let provider_id = record.to_owned();
        let alone = json!({ "work_notes": text });
        let (changed, sent) = match change(with, text, self.settings.close_code.as_deref()) {
            Some((what, fields)) => (what, self.try_to_write(record, &fields).await?),
            None => (String::new(), self.try_to_write(record, &alone).await?),
        };
        let by_rule = matches!(sent.status, StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN);
        let noted = match taken(sent) {
            Ok(_) => Sent::Accepted { provider_id },
            Err(error) if by_rule && !changed.is_empty() => {
                self.write(record, json!({ "work_notes": without(text, &changed) })).await?;
                Sent::InPart { provider_id, refused: format!("to change the {changed}: {error}") }
            }
            Err(error) => return Err(error),
        };
        crash_point!("desk/noted");
        Ok(noted)
    }

    /// Whether the work note of that key is there.
    pub(crate) async fn has_note(&self, record: &str, key: &str) -> Result<bool, SendError> {
        // The journal is shown only with display values; `sys_journal_field` itself is closed to most accounts.
        let query = [("sysparm_fields", "sys_id,work_notes"), ("sysparm_display_value", "true")];
        let answer = self.ask(Method::GET, &format!("incident/{record}"), &query, None).await?;
        let found: Found<Map<String, Value>> = answer.json(WHOM)?;
        let notes = found.result.get("work_notes").and_then(Value::as_str).unwrap_or_default();
        Ok(notes.contains(&note_marker(key)))
    }

    /// All tickets of that key, oldest first.
    async fn look_up(&self, reference: &str) -> Result<Vec<Record>, SendError> {
        let query = format!("correlation_id={}^ORDERBYsys_created_on", queryable(reference)?);
        let query = [
            ("sysparm_query", query.as_str()),
            ("sysparm_fields", FIELDS),
            ("sysparm_exclude_reference_link", "true"),
            ("sysparm_limit", MOST_FOUND),
        ];
        let answer = self.ask(Method::GET, "incident", &query, None).await?;
        let found: Found<Vec<Record>> = answer.json(WHOM)?;
        if found.result.iter().any(|record| record.correlation_id != reference) {
            return Err(SendError::permanent(
                "the desk ignored our look-up and answered with other tickets, so that none can be made without \
                 risking a second one: give our account read access to incident.correlation_id",
            ));
        }
        let mut records = found.result;
        let age = |record: &Record| (record.sys_created_on.clone(), record.number.clone());
        records.sort_by_key(age);
        Ok(records)
    }

    /// Makes a ticket. Look first whether there is one.
    pub(crate) async fn make(&self, ticket: &NewTicket<'_>) -> Result<Sent, SendError> {
        let (impact, urgency) = three_by_three(ticket.priority);
        let mut fields = json!({
            "short_description": ticket.words.short_description,
            "description": ticket.words.description,
            "caller_id": self.settings.caller_id,
            "impact": impact,
            "urgency": urgency,
            "assignment_group": ticket.group.unwrap_or(&self.settings.assignment_group),
            "contact_type": self.settings.contact_type,
            "correlation_id": ticket.reference,
            "correlation_display": "Curiad",
        });
        if let Some(ci) = ticket.ci
            && let Some(fields) = fields.as_object_mut()
        {
            fields.insert("cmdb_ci".to_owned(), ci.into());
        }
        let query = [("sysparm_fields", FIELDS), ("sysparm_exclude_reference_link", "true")];
        let answer = self.ask(Method::POST, "incident", &query, Some(&fields)).await?;
        let made: Found<Record> = answer.json(WHOM)?;
        if made.result.correlation_id != ticket.reference {
            // It could not be found again: the next try would make another one.
            return Err(SendError::permanent(format!(
                "the desk made {} but did not keep our correlation_id: give our account write access to it",
                made.result.number
            )));
        }
        crash_point!("desk/made");
        Ok(told(&made.result, ticket.priority))
    }

    /// Says on `twin` that `oldest` is the ticket.
    async fn link(&self, twin: &Record, oldest: &Record) -> Result<(), SendError> {
        let marker = format!("twin-of-{}", oldest.number);
        if self.has_note(&twin.sys_id, &marker).await? {
            return Ok(());
        }
        let text = format!(
            "Made twice by accident: the ticket for this is {}. This one can be closed.\n{}",
            oldest.number,
            note_marker(&marker)
        );
        let fields = json!({ "work_notes": text, "parent_incident": oldest.sys_id });
        self.write(&twin.sys_id, fields).await
    }

    async fn write(&self, record: &str, fields: Value) -> Result<(), SendError> {
        taken(self.try_to_write(record, &fields).await?).map(drop)
    }

    /// The same, whatever the desk answers.
    async fn try_to_write(&self, record: &str, fields: &Value) -> Result<Answer, SendError> {
        let query = [("sysparm_fields", "sys_id"), ("sysparm_exclude_reference_link", "true")];
        self.answer(Method::PATCH, &format!("incident/{record}"), &query, Some(fields)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        fields: Option<&Value>,
    ) -> Result<Answer, SendError> {
        taken(self.answer(method, path, query, fields).await?)
    }

    /// One request; a credential that is refused is fetched anew once.
    async fn answer(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        fields: Option<&Value>,
    ) -> Result<Answer, SendError> {
        let mut answer = self.request(method.clone(), path, query, fields).await?;
        if answer.status == StatusCode::UNAUTHORIZED && self.access.forget() {
            answer = self.request(method, path, query, fields).await?;
        }
        Ok(answer)
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        fields: Option<&Value>,
    ) -> Result<Answer, SendError> {
        let url = format!("{}/api/now/table/{path}", self.settings.url);
        let request = self.client.request(method, url).query(query).timeout(self.patience);
        let request = request.header(reqwest::header::ACCEPT, "application/json");
        let request = match fields {
            Some(fields) => request.json(fields),
            None => request,
        };
        let token_url = format!("{}/oauth_token.do", self.settings.url);
        let request = self.access.prove(request, &self.client, &token_url, self.patience).await?;
        Answer::to(request, WHOM).await
    }
}

const WHOM: &str = "the service desk";

/// What changes in a ticket with a note, in words, and the fields for both.
fn change(with: With, text: &str, close_code: Option<&str>) -> Option<(String, Value)> {
    match (with, close_code) {
        (With::Priority(priority), _) => {
            let (impact, urgency) = three_by_three(priority);
            let what = format!("impact to {impact} and the urgency to {urgency} ({priority})");
            Some((what, json!({ "work_notes": text, "impact": impact, "urgency": urgency })))
        }
        (With::Reopen, _) => {
            let what = "state to In Progress".to_owned();
            Some((what, json!({ "work_notes": text, "state": read::IN_PROGRESS })))
        }
        (With::Resolve, Some(code)) => {
            let fields = json!({
                "work_notes": text, "state": read::RESOLVED, "close_code": code, "close_notes": text,
            });
            Some(("state to Resolved".to_owned(), fields))
        }
        (With::Resolve | With::Description | With::Nothing, _) => None,
    }
}

/// A note that changes nothing, and says so before the line that marks it.
fn without(text: &str, changed: &str) -> String {
    let (said, marker) = text.rsplit_once('\n').unwrap_or((text, ""));
    format!(
        "{said}\nThe desk refused to let Curiad change the {changed}: please change it by hand.\n{marker}"
    )
}

fn taken(answer: Answer) -> Result<Answer, SendError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let words = answer.json::<Refusal>(WHOM).map(|refusal| refusal.error.message).unwrap_or_default();
    Err(refused(&answer, WHOM, &words))
}

/// A credential that is refused, or a way that leads to a sign-in or maintenance page, may be mended while there is
/// still time for a ticket; the people at the desk are told by e-mail meanwhile.
fn refused(answer: &Answer, whom: &str, words: &str) -> SendError {
    let mendable = answer.status.is_redirection()
        || matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    match answer.refused(whom, words) {
        SendError::Permanent { why } if mendable => SendError::retryable(why),
        error @ (SendError::Permanent { .. } | SendError::Retryable { .. }) => error,
    }
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalWords,
}

#[derive(Deserialize)]
struct RefusalWords {
    message: String,
}

/// A value that can stand in an encoded query: `^` would begin another condition.
fn queryable(value: &str) -> Result<&str, SendError> {
    if value.is_empty() || value.contains(['^', '\n', '\r']) {
        return Err(SendError::permanent("a ticket's reference may not be empty nor have a '^'"));
    }
    Ok(value)
}

/// `ServiceNow` makes its own priority of impact and urgency, each 1–3: the pair that yields ours.
const fn three_by_three(priority: Priority) -> (&'static str, &'static str) {
    match priority.number() {
        1 => ("1", "1"),
        2 => ("1", "2"),
        3 => ("2", "2"),
        4 => ("2", "3"),
        _ => ("3", "3"),
    }
}

fn told(record: &Record, priority: Priority) -> Sent {
    let differs = record.priority != priority.number().to_string();
    Sent::Ticket {
        number: record.number.clone(),
        record: record.sys_id.clone(),
        mismatch: differs.then(|| {
            let (impact, urgency) = three_by_three(priority);
            format!(
                "the desk has priority {}, ours is {priority}, proposed as impact {impact} and urgency {urgency}: \
                 its priority look-up differs, or an agent changed it",
                if record.priority.is_empty() { "unknown" } else { &record.priority },
            )
        }),
    }
}
