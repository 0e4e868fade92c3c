//! How tickets stand in the desk: state, agent, priority, and what they are part of.

use super::{Found, TableApi, WHOM, queryable};
use crate::SendError;
use domain::{ParentTicket, Priority, SeenTicket, TicketState, scrubbed};
use reqwest::Method;
use serde::Deserialize;

pub(super) const IN_PROGRESS: &str = "2";
pub(super) const RESOLVED: &str = "6";

/// Records that are asked for at a time: their keys are in the address of the request.
pub(crate) const MOST_READ: usize = 50;
/// Of a name of an agent or a group.
const NAME: usize = 80;
/// Of a ticket's number.
const NUMBER: usize = 40;

const FIELDS: &str = "sys_id,number,state,priority,assigned_to,assignment_group,parent_incident,close_code";

/// A ticket that was looked for by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTicket {
    /// The number people use, as the desk writes it.
    pub number: String,
    /// The desk's own key of the record.
    pub record: String,
    /// Where it stands.
    pub state: TicketState,
}

/// A row, each cell as it is stored and as it is shown.
#[derive(Debug, Deserialize)]
struct Row {
    sys_id: Cell,
    number: Cell,
    state: Cell,
    #[serde(default)]
    priority: Cell,
    #[serde(default)]
    assigned_to: Cell,
    #[serde(default)]
    assignment_group: Cell,
    #[serde(default)]
    parent_incident: Cell,
    #[serde(default)]
    close_code: Cell,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cell {
    value: Option<String>,
    display_value: Option<String>,
}

impl Cell {
    fn stored(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// As people read it: a name.
    fn shown(&self) -> Option<String> {
        let name: String = self.display_value.as_deref().unwrap_or_default().chars().take(NAME).collect();
        (!name.trim().is_empty()).then(|| scrubbed(&name))
    }
}

impl Row {
    fn number(&self) -> String {
        self.number.stored().chars().take(NUMBER).collect()
    }

    fn state(&self) -> TicketState {
        match self.state.stored() {
            "1" => TicketState::New,
            IN_PROGRESS => TicketState::InProgress,
            "3" => TicketState::OnHold,
            RESOLVED | "7" if self.is_duplicate() => TicketState::Duplicate,
            RESOLVED => TicketState::Resolved,
            "7" => TicketState::Closed,
            "8" => TicketState::Cancelled,
            _ => TicketState::Open,
        }
    }

    /// ServiceNow's own resolution code is `Duplicate`; desks word theirs like it.
    fn is_duplicate(&self) -> bool {
        self.close_code.stored().to_ascii_lowercase().contains("duplicate")
    }

    fn seen(&self, parents: &[Self]) -> SeenTicket {
        let parent = parents.iter().find(|parent| parent.sys_id.stored() == self.parent_incident.stored());
        SeenTicket {
            state: self.state(),
            assigned_to: self.assigned_to.shown(),
            group: self.assignment_group.shown(),
            priority: self.priority.stored().parse().ok().and_then(Priority::new),
            parent: parent.map(|parent| ParentTicket {
                number: parent.number(),
                record: parent.sys_id.stored().to_owned(),
                state: parent.state(),
            }),
        }
    }
}

impl TableApi {
    /// How these records stand, by their keys: at most [`MOST_READ`]. One that we may not see is left out.
    pub(crate) async fn read(&self, records: &[&str]) -> Result<Vec<(String, SeenTicket)>, SendError> {
        let rows = self.rows_of(records).await?;
        let over = rows.iter().filter(|row| row.state().is_over());
        let parents: Vec<&str> =
            over.map(|row| row.parent_incident.stored()).filter(|parent| !parent.is_empty()).collect();
        let parents = if parents.is_empty() { Vec::new() } else { self.rows_of(&parents).await? };
        Ok(rows.iter().map(|row| (row.sys_id.stored().to_owned(), row.seen(&parents))).collect())
    }

    /// The ticket of that number; `None`: there is none that we may see.
    pub(crate) async fn numbered(&self, number: &str) -> Result<Option<FoundTicket>, SendError> {
        let rows = self.tickets(format!("number={}", queryable(number)?)).await?;
        check(rows.iter().all(|row| row.number.stored().eq_ignore_ascii_case(number)))?;
        Ok(rows.first().map(|row| FoundTicket {
            number: row.number(),
            record: row.sys_id.stored().to_owned(),
            state: row.state(),
        }))
    }

    async fn rows_of(&self, records: &[&str]) -> Result<Vec<Row>, SendError> {
        let keys = records.iter().take(MOST_READ).map(|key| queryable(key)).collect::<Result<Vec<_>, _>>()?;
        let rows = self.tickets(format!("sys_idIN{}", keys.join(","))).await?;
        check(rows.iter().all(|row| keys.contains(&row.sys_id.stored())))?;
        Ok(rows)
    }

    async fn tickets(&self, query: String) -> Result<Vec<Row>, SendError> {
        let most = MOST_READ.to_string();
        let query = [
            ("sysparm_query", query.as_str()),
            ("sysparm_fields", FIELDS),
            ("sysparm_display_value", "all"),
            ("sysparm_exclude_reference_link", "true"),
            ("sysparm_limit", most.as_str()),
        ];
        let answer = self.ask(Method::GET, "incident", &query, None).await?;
        answer.json::<Found<Vec<Row>>>(WHOM).map(|found| found.result)
    }
}

/// The API leaves out what it does not understand of a query, and answers with any tickets.
fn check(asked_for: bool) -> Result<(), SendError> {
    if asked_for {
        return Ok(());
    }
    Err(SendError::permanent("the desk ignored our look-up and answered with other tickets"))
}
