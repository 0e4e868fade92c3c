//! An incident record: its columns, what may be written to them, and how it is shown.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::query::Row;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Text of at most this many characters; longer is cut in silence.
    Text(usize),
    /// Set by the desk alone.
    ReadOnly,
    /// The `sys_id` of a row of this table.
    Reference(&'static str),
    /// A journal: each write is a new entry.
    Journal,
}

/// The columns of `incident` that this desk has.
pub(super) const COLUMNS: [(&str, Holds); 40] = [
    ("active", Holds::ReadOnly),
    ("assigned_to", Holds::Reference("sys_user")),
    ("assignment_group", Holds::Reference("sys_user_group")),
    ("business_service", Holds::Reference("cmdb_ci_service")),
    ("caller_id", Holds::Reference("sys_user")),
    ("category", Holds::Text(40)),
    ("close_code", Holds::Text(40)),
    ("close_notes", Holds::Text(4_000)),
    ("closed_at", Holds::ReadOnly),
    ("cmdb_ci", Holds::Reference("cmdb_ci")),
    ("comments", Holds::Journal),
    ("contact_type", Holds::Text(40)),
    ("correlation_display", Holds::Text(100)),
    ("correlation_id", Holds::Text(100)),
    ("description", Holds::Text(4_000)),
    ("hold_reason", Holds::Text(40)),
    ("impact", Holds::Text(1)),
    ("incident_state", Holds::ReadOnly),
    ("location", Holds::Reference("cmn_location")),
    ("made_sla", Holds::ReadOnly),
    ("number", Holds::ReadOnly),
    ("opened_at", Holds::ReadOnly),
    ("opened_by", Holds::ReadOnly),
    ("parent_incident", Holds::Reference("incident")),
    ("priority", Holds::ReadOnly),
    ("problem_id", Holds::Reference("problem")),
    ("reopen_count", Holds::ReadOnly),
    ("resolved_at", Holds::ReadOnly),
    ("severity", Holds::Text(1)),
    ("short_description", Holds::Text(160)),
    ("state", Holds::Text(2)),
    ("subcategory", Holds::Text(40)),
    ("sys_class_name", Holds::ReadOnly),
    ("sys_created_by", Holds::ReadOnly),
    ("sys_created_on", Holds::ReadOnly),
    ("sys_id", Holds::ReadOnly),
    ("sys_mod_count", Holds::ReadOnly),
    ("sys_updated_on", Holds::ReadOnly),
    ("urgency", Holds::Text(1)),
    ("work_notes", Holds::Journal),
];

pub(super) fn column(name: &str) -> Option<(&'static str, Holds)> {
    COLUMNS.into_iter().find(|(known, _)| *known == name)
}

/// An entry in a ticket's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: String,
    /// `work_notes` (the desk's own) or `comments` (the caller sees them).
    pub column: String,
    /// What it says.
    pub text: String,
    #[serde(skip)]
    pub(super) sys_id: String,
}

/// A ticket in the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// `INC0010001` and so on.
    pub number: String,
    /// 32 hexadecimal digits.
    pub sys_id: String,
    /// When the desk took it. What it tells by its API, `sys_created_on`, has whole seconds only.
    pub created_at: Timestamp,
    /// Every column that is not a journal, as the desk stores it.
    pub fields: std::collections::BTreeMap<&'static str, String>,
    /// The journal, oldest first.
    pub notes: Vec<Note>,
}

impl Ticket {
    /// The value of a column, empty where nothing is set.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The state in words.
    pub fn state(&self) -> &'static str {
        state_words(self.field("state"))
    }

    /// The texts of the work notes, oldest first.
    pub fn work_notes(&self) -> Vec<&str> {
        self.notes.iter().filter(|note| note.column == "work_notes").map(|note| note.text.as_str()).collect()
    }

    pub(super) fn new(number: String, sys_id: String, author: (&str, &str), now: Timestamp) -> Self {
        let mut fields: std::collections::BTreeMap<&'static str, String> = COLUMNS
            .into_iter()
            .filter(|(_, holds)| *holds != Holds::Journal)
            .map(|(name, _)| (name, String::new()))
            .collect();
        let (user_name, user_id) = author;
        for (name, value) in [
            ("active", "true"),
            ("category", "inquiry"),
            ("impact", "3"),
            ("incident_state", "1"),
            ("made_sla", "true"),
            ("number", &number),
            ("opened_at", &clock(now)),
            ("opened_by", user_id),
            ("reopen_count", "0"),
            ("severity", "3"),
            ("state", "1"),
            ("sys_class_name", "incident"),
            ("sys_created_by", user_name),
            ("sys_created_on", &clock(now)),
            ("sys_id", &sys_id),
            ("sys_mod_count", "0"),
            ("sys_updated_on", &clock(now)),
            ("urgency", "3"),
        ] {
            fields.insert(name, value.to_owned());
        }
        Self { number, sys_id, created_at: now, fields, notes: Vec::new() }
    }

    pub(super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.fields.insert(name, value.into());
    }

    /// What follows from what was written: priority, activity, resolution times, the count of changes.
    pub(super) fn settle(&mut self, now: Timestamp, changed: bool) {
        self.set("priority", priority(self.field("impact"), self.field("urgency")));
        let state = self.field("state").to_owned();
        self.set("incident_state", state.clone());
        self.set("active", if matches!(state.as_str(), "7" | "8") { "false" } else { "true" });
        if state == "6" && self.field("resolved_at").is_empty() {
            self.set("resolved_at", clock(now));
        }
        if state == "7" && self.field("closed_at").is_empty() {
            self.set("closed_at", clock(now));
        }
        if changed {
            let count = self.field("sys_mod_count").parse::<u64>().unwrap_or_default() + 1;
            self.set("sys_mod_count", count.to_string());
            self.set("sys_updated_on", clock(now));
        }
    }

    pub(super) fn row(&self) -> Row {
        let mut row = self.fields.clone();
        row.insert("work_notes", String::new());
        row.insert("comments", String::new());
        row
    }

    /// The journal as one text, newest first, as `sysparm_display_value=true` shows it.
    pub(super) fn journal(&self, column: &str) -> String {
        let words = if column == "comments" { "Additional comments" } else { "Work notes" };
        self.notes
            .iter()
            .rev()
            .filter(|note| note.column == column)
            .map(|note| format!("{} - {} ({words})\n{}\n\n", clock(note.at), note.author, note.text))
            .collect::<Vec<_>>()
            .concat()
    }
}

/// `ServiceNow`'s own lookup, which no client may overrule.
pub(super) fn priority(impact: &str, urgency: &str) -> &'static str {
    match (impact, urgency) {
        ("1", "1") => "1",
        ("1", "2") | ("2", "1") => "2",
        ("1", "3") | ("2", "2") | ("3", "1") => "3",
        ("2", "3") | ("3", "2") => "4",
        _ => "5",
    }
}

pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn state_words(state: &str) -> &'static str {
    match state {
        "1" => "New",
        "2" => "In Progress",
        "3" => "On Hold",
        "6" => "Resolved",
        "7" => "Closed",
        "8" => "Canceled",
        _ => "",
    }
}

/// How a caller wants values shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Display {
    Stored,
    Shown,
    Both,
}

/// How a caller wants a record.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) fields: Option<Vec<&'a str>>,
    pub(super) display: Display,
    pub(super) links: bool,
    pub(super) base: &'a str,
    /// The names of groups and people, by `sys_id`.
    pub(super) names: &'a [(String, String)],
}

impl View<'_> {
    pub(super) fn show(&self, ticket: &Ticket) -> Value {
        let wanted = |name: &str| self.fields.as_ref().is_none_or(|fields| fields.contains(&name));
        let shown = COLUMNS
            .into_iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, holds)| (name.to_owned(), self.value(ticket, name, holds)));
        Value::Object(shown.collect::<Map<_, _>>())
    }

    fn value(&self, ticket: &Ticket, name: &str, holds: Holds) -> Value {
        let stored = ticket.field(name);
        let shown = match (name, holds) {
            (_, Holds::Journal) => ticket.journal(name),
            ("opened_by", _) | (_, Holds::Reference(_)) => self.name_of(stored),
            ("state" | "incident_state", _) => ticket.state().to_owned(),
            ("impact" | "urgency", _) => ranked(stored, ["High", "Medium", "Low"].as_slice()),
            ("priority", _) => ranked(stored, ["Critical", "High", "Moderate", "Low", "Planning"].as_slice()),
            _ => stored.to_owned(),
        };
        let table = match (name, holds) {
            ("opened_by", _) => Some("sys_user"),
            (_, Holds::Reference(table)) => Some(table),
            (_, Holds::Text(_) | Holds::ReadOnly | Holds::Journal) => None,
        };
        let link = table
            .filter(|_| self.links && !stored.is_empty())
            .map(|table| format!("{}/api/now/table/{table}/{stored}", self.base));
        match (self.display, link) {
            (Display::Stored, None) => stored.into(),
            (Display::Stored, Some(link)) => json!({"link": link, "value": stored}),
            (Display::Shown, None) => shown.into(),
            (Display::Shown, Some(link)) => json!({"display_value": shown, "link": link}),
            (Display::Both, None) => json!({"display_value": shown, "value": stored}),
            (Display::Both, Some(link)) => json!({"display_value": shown, "value": stored, "link": link}),
        }
    }

    fn name_of(&self, sys_id: &str) -> String {
        self.names.iter().find(|(id, _)| id == sys_id).map(|(_, name)| name.clone()).unwrap_or_default()
    }
}

fn ranked(stored: &str, words: &[&str]) -> String {
    let word = stored.parse::<usize>().ok().and_then(|rank| words.get(rank.checked_sub(1)?));
    word.map_or_else(|| stored.to_owned(), |word| format!("{stored} - {word}"))
}
