//! The Table API's verbs on `incident`, and reading `sys_journal_field`.

use serde_json::{Map, Value, json};

use super::office::Office;
use super::query::{Query, Row};
use super::ticket::{self, Display, Holds, Ticket, View, clock};
use super::{Asked, failure};
use crate::answer::Answer;

const JOURNAL_COLUMNS: [&str; 7] =
    ["sys_id", "name", "element", "element_id", "value", "sys_created_on", "sys_created_by"];

fn no_record() -> Answer {
    failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
}

fn shown(office: &Office, asked: &Asked<'_>, show: impl FnOnce(&View<'_>) -> Answer) -> Answer {
    let fields = asked.parameter("sysparm_fields").filter(|fields| !fields.is_empty());
    let base = office.base();
    let names = office.names();
    let view = View {
        fields: fields.as_deref().map(|fields| fields.split(',').map(str::trim).collect()),
        display: match asked.parameter("sysparm_display_value").as_deref() {
            Some("true") => Display::Shown,
            Some("all") => Display::Both,
            _ => Display::Stored,
        },
        links: !asked.says("sysparm_exclude_reference_link"),
        base: &base,
        names: &names,
    };
    show(&view)
}

/// What a request asks of a list: the matching rows, the count of all, and the page's bounds.
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    total: usize,
    offset: usize,
    limit: usize,
}

pub(super) fn page(
    asked: &Asked<'_>,
    rows: Vec<Row>,
    known: impl Fn(&str) -> bool,
    no_rows_when_invalid: bool,
) -> Page {
    let number = |name: &str| asked.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let query = Query::parse(&asked.parameter("sysparm_query").unwrap_or_default(), known);
    let found =
        if no_rows_when_invalid && !query.ignored.is_empty() { Vec::new() } else { query.select(rows) };
    let (offset, limit) =
        (number("sysparm_offset").unwrap_or(0), number("sysparm_limit").unwrap_or(10_000).min(10_000));
    let total = found.len();
    Page { rows: found.into_iter().skip(offset).take(limit).collect(), total, offset, limit }
}

impl Page {
    pub(super) fn answer(&self, office: &Office, asked: &Asked<'_>, result: &[Value]) -> Answer {
        let mut answer = Answer::json(200, &json!({ "result": result }));
        if !asked.says("sysparm_no_count") {
            answer = answer.with("X-Total-Count", self.total.to_string());
        }
        let next = self.offset + self.limit;
        if next < self.total && !asked.says("sysparm_suppress_pagination_header") {
            let path = asked.uri.path();
            let base = office.base();
            let limit = self.limit;
            answer = answer.with(
                "Link",
                format!(
                    "<{base}{path}?sysparm_limit={limit}&sysparm_offset=0>;rel=\"first\",\
                     <{base}{path}?sysparm_limit={limit}&sysparm_offset={next}>;rel=\"next\""
                ),
            );
        }
        answer
    }
}

pub(super) fn find(office: &Office, asked: &Asked<'_>) -> Answer {
    let tickets = office.tickets();
    let rows = tickets.iter().map(Ticket::row).collect();
    let page = page(
        asked,
        rows,
        |name| ticket::column(name).is_some(),
        office.options.invalid_query_returns_no_rows,
    );
    shown(office, asked, |view| {
        let result: Vec<Value> = page
            .rows
            .iter()
            .filter_map(|row| tickets.iter().find(|ticket| row.get("sys_id") == Some(&ticket.sys_id)))
            .map(|ticket| view.show(ticket))
            .collect();
        page.answer(office, asked, &result)
    })
}

pub(super) fn read(office: &Office, asked: &Asked<'_>, sys_id: &str) -> Answer {
    match office.tickets().iter().find(|ticket| ticket.sys_id == sys_id) {
        Some(ticket) => shown(office, asked, |view| Answer::json(200, &json!({"result": view.show(ticket)}))),
        None => no_record(),
    }
}

pub(super) fn journal(office: &Office, asked: &Asked<'_>) -> Answer {
    let rows = office
        .tickets()
        .iter()
        .flat_map(|ticket| {
            ticket.notes.iter().map(|note| {
                Row::from([
                    ("sys_id", note.sys_id.clone()),
                    ("name", "incident".to_owned()),
                    ("element", note.column.clone()),
                    ("element_id", ticket.sys_id.clone()),
                    ("value", note.text.clone()),
                    ("sys_created_on", clock(note.at)),
                    ("sys_created_by", note.author.clone()),
                ])
            })
        })
        .collect();
    let page = page(
        asked,
        rows,
        |name| JOURNAL_COLUMNS.contains(&name),
        office.options.invalid_query_returns_no_rows,
    );
    let fields = asked.parameter("sysparm_fields").filter(|fields| !fields.is_empty());
    let wanted =
        |name: &str| fields.as_ref().is_none_or(|fields| fields.split(',').any(|field| field.trim() == name));
    let result: Vec<Value> = page
        .rows
        .iter()
        .map(|row| {
            let cells = row.iter().filter(|(name, _)| wanted(name));
            Value::Object(cells.map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect())
        })
        .collect();
    page.answer(office, asked, &result)
}

fn written(asked: &Asked<'_>) -> Result<Map<String, Value>, Answer> {
    let kind = asked.header("content-type");
    if !(kind.is_empty() || kind.starts_with("application/json")) {
        return Err(failure(415, "Unsupported media type", "this stand-in reads application/json alone"));
    }
    match serde_json::from_slice(asked.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) | Err(_) => Err(failure(
            400,
            "Exception while reading request",
            "The payload is not valid JSON, or is not one object",
        )),
    }
}

/// A JSON value as the desk stores it: a string, whatever it was.
fn stored(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Writes what may be written and leaves out, in silence, what may not. Answers the journal entries to add.
fn write(office: &Office, ticket: &mut Ticket, fields: &Map<String, Value>) -> Vec<(String, String)> {
    let names = office.names();
    let mut notes = Vec::new();
    for (name, value) in fields {
        let Some((name, holds)) = ticket::column(name) else {
            continue;
        };
        let text = stored(value);
        match holds {
            Holds::ReadOnly => {}
            Holds::Text(limit) => ticket.set(name, text.chars().take(limit).collect::<String>()),
            Holds::Reference(_) => {
                // A display name that the desk knows becomes its sys_id; anything else is kept as it came, pointing nowhere.
                let known = names.iter().find(|(_, display)| *display == text).map(|(id, _)| id.clone());
                ticket.set(name, known.unwrap_or(text));
            }
            Holds::Journal if text.is_empty() => {}
            Holds::Journal => notes.push((name.to_owned(), text)),
        }
    }
    notes
}

/// The data policy that most instances have: a resolution says how and why.
fn policy(ticket: &Ticket) -> Option<Answer> {
    let ends = matches!(ticket.field("state"), "6" | "7");
    let missing: Vec<&str> = [("close_code", "Resolution code"), ("close_notes", "Resolution notes")]
        .into_iter()
        .filter(|(name, _)| ticket.field(name).is_empty())
        .map(|(_, words)| words)
        .collect();
    (ends && !missing.is_empty()).then(|| {
        failure(
            403,
            "Operation Failed",
            &format!("Data Policy Exception: The following fields are mandatory: {}", missing.join(", ")),
        )
    })
}

/// A business rule of the desk's own, which aborts what it does not like.
fn rule(office: &Office, fields: &Map<String, Value>) -> Option<Answer> {
    let (columns, status) = office.files.read(|files| files.rule.clone())?;
    columns.iter().any(|column| fields.contains_key(column)).then(|| {
        failure(status, "Operation Failed", "Operation against file 'incident' was aborted by Business Rule")
    })
}

pub(super) fn create(office: &Office, asked: &Asked<'_>) -> Answer {
    let fields = match written(asked) {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    let mut ticket = office.blank();
    let notes = write(office, &mut ticket, &fields);
    if let Some(refused) = policy(&ticket) {
        return refused;
    }
    ticket.settle(office.now(), false);
    let ticket = office.file(ticket, notes);
    let place = format!("{}/api/now/table/incident/{}", office.base(), ticket.sys_id);
    shown(office, asked, |view| {
        Answer::json(201, &json!({"result": view.show(&ticket)})).with("Location", place)
    })
}

pub(super) fn update(office: &Office, asked: &Asked<'_>, sys_id: &str) -> Answer {
    let fields = match written(asked) {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    if let Some(refused) = rule(office, &fields) {
        return refused;
    }
    let act = |ticket: &mut Ticket| {
        // What is over for good is closed to all but administrators, as on every instance as it comes.
        if matches!(ticket.field("state"), "7" | "8") {
            return Err(failure(
                403,
                "Operation Failed",
                "ACL Exception Update Failed due to security constraints",
            ));
        }
        let notes = write(office, ticket, &fields);
        policy(ticket).map_or(Ok(notes), Err)
    };
    match office.amend(|ticket| ticket.sys_id == sys_id, &office.options.user, act) {
        None => no_record(),
        Some(Err(refused)) => refused,
        Some(Ok(ticket)) => {
            shown(office, asked, |view| Answer::json(200, &json!({"result": view.show(&ticket)})))
        }
    }
}
