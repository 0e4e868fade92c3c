//! Is the desk there, does it know us, and do the records exist that our tickets will name? Only ever by reading: a ticket
//! that was made to see whether one can be made would be read by somebody.

use super::{FIELDS, Found, TableApi, WHOM};
use crate::{ClockSeen, Examined, Finding, SendError, answer::Answer};
use domain::Clock;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A key that no ticket has. Who is answered with tickets all the same was not understood.
const NOBODYS: &str = "curiad:doctor";
/// Records that are asked for in one request: their ids fit in any URL.
const AT_ONCE: usize = 50;
/// Records that are named in one line.
const NAMED: usize = 5;

const USERS: &str = "sys_user";
const GROUPS: &str = "sys_user_group";
const ITEMS: &str = "cmdb_ci";

/// Records of the desk that the configuration names beside the desk's own caller and group: by `sys_id`, and who names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Assignment groups.
    pub groups: BTreeMap<String, String>,
    /// Configuration items.
    pub items: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Row {
    sys_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    active: Option<String>,
}

/// What a table says about the records asked for.
struct Known {
    rows: Vec<Row>,
    /// Nothing was found and nothing can be read: whether they exist cannot be said.
    closed: bool,
}

impl TableApi {
    /// Looks at everything that a ticket will need, and changes nothing. `name`: what people call the desk.
    pub(crate) async fn examine(&self, name: &str, records: &Records, clock: &Clock) -> Examined {
        let mut examined = Examined::default();
        let answer = match self.read_one().await {
            Ok(answer) => answer,
            Err(error) => {
                examined.findings.push(refused(name, &error));
                return examined;
            }
        };
        let ours = clock.now();
        examined.clock = answer.date.map(|theirs| ClockSeen { whose: name.to_owned(), theirs, ours });
        let findings = &mut examined.findings;
        findings.push(readable(name, &answer));
        findings.push(self.look_up_works(name).await);
        let settings = &self.settings;
        let caller = BTreeMap::from([(settings.caller_id.clone(), "caller_id".to_owned())]);
        findings.push(self.exist(name, "caller", USERS, &caller).await);
        let mut groups = records.groups.clone();
        groups.insert(settings.assignment_group.clone(), "assignment_group".to_owned());
        findings.push(self.exist(name, "groups", GROUPS, &groups).await);
        if !records.items.is_empty() {
            findings.push(self.exist(name, "configuration items", ITEMS, &records.items).await);
        }
        findings.push(Finding::skipped(
            format!("{name}: making tickets"),
            "not tried, because somebody would read the ticket: our account needs create and update on incident",
        ));
        examined
    }

    async fn read_one(&self) -> Result<Answer, SendError> {
        let query =
            [("sysparm_fields", FIELDS), ("sysparm_exclude_reference_link", "true"), ("sysparm_limit", "1")];
        self.ask(Method::GET, "incident", &query, None).await
    }

    async fn look_up_works(&self, name: &str) -> Finding {
        let what = format!("{name}: finding our tickets");
        match self.look_up(NOBODYS).await {
            Ok(found) if found.is_empty() => Finding::ok(what, "a look-up by correlation_id is understood"),
            Ok(_) => Finding::problem(
                what,
                format!("there are tickets with the correlation_id {NOBODYS}, which nobody should use"),
                "clear their correlation_id",
            ),
            Err(error) => Finding::problem(
                what,
                error.why(),
                "without it no ticket is made, and `fallback` sends e-mails instead",
            ),
        }
    }

    /// Whether the records exist and are in use, as one finding.
    async fn exist(&self, name: &str, noun: &str, table: &str, wanted: &BTreeMap<String, String>) -> Finding {
        let what = format!("{name}: {noun}");
        let known = match self.known(table, wanted).await {
            Ok(known) => known,
            Err(error) => {
                return Finding::warning(
                    what,
                    format!("{table} cannot be read, so nobody knows whether they exist: {}", error.why()),
                    format!("give our account read access to {table}, or look them up by hand"),
                );
            }
        };
        if known.closed {
            return Finding::warning(
                what,
                format!("our account sees nothing in {table}, so nobody knows whether they exist"),
                format!("give our account read access to {table}, or look them up by hand"),
            );
        }
        let found: BTreeSet<&str> = known.rows.iter().map(|row| row.sys_id.as_str()).collect();
        let missing: Vec<String> = wanted
            .iter()
            .filter(|(sys_id, _)| !found.contains(sys_id.as_str()))
            .map(|(sys_id, who)| format!("{sys_id} ({who})"))
            .collect();
        if !missing.is_empty() {
            return Finding::problem(
                what,
                format!("{table} has no {}", listed(&missing)),
                "copy the sys_id from the record's menu in the desk; a ticket that names nobody reaches nobody",
            );
        }
        let idle: Vec<String> = known
            .rows
            .iter()
            .filter(|row| row.active.as_deref() == Some("false"))
            .map(|row| format!("{} ({})", row.name, row.sys_id))
            .collect();
        if !idle.is_empty() {
            return Finding::warning(
                what,
                format!("no longer active: {}", listed(&idle)),
                "name one that somebody works in",
            );
        }
        let names: Vec<String> = known.rows.into_iter().map(|row| row.name).collect();
        Finding::ok(what, listed(&names))
    }

    async fn known(&self, table: &str, wanted: &BTreeMap<String, String>) -> Result<Known, SendError> {
        let ids: Vec<&str> = wanted.keys().map(String::as_str).collect();
        let mut rows = Vec::new();
        for some in ids.chunks(AT_ONCE) {
            let query = format!("sys_idIN{}", some.join(","));
            rows.extend(self.rows(table, &query, AT_ONCE).await?);
        }
        // A query that was not understood is answered with anything.
        rows.retain(|row| wanted.contains_key(&row.sys_id));
        let closed = rows.is_empty() && self.rows(table, "", 1).await?.is_empty();
        Ok(Known { rows, closed })
    }

    async fn rows(&self, table: &str, query: &str, limit: usize) -> Result<Vec<Row>, SendError> {
        let limit = limit.to_string();
        let query = [
            ("sysparm_query", query),
            ("sysparm_fields", "sys_id,name,active"),
            ("sysparm_exclude_reference_link", "true"),
            ("sysparm_limit", limit.as_str()),
        ];
        let found: Found<Vec<Row>> = self.ask(Method::GET, table, &query, None).await?.json(WHOM)?;
        Ok(found.result)
    }
}

fn readable(name: &str, answer: &Answer) -> Finding {
    let what = format!("{name}: our account");
    let rows: Vec<Map<String, Value>> = match answer.json::<Found<Vec<Map<String, Value>>>>(WHOM) {
        Ok(found) => found.result,
        Err(error) => {
            return Finding::problem(
                what,
                error.why(),
                "`servicenow.url` must be the instance's own address, without a path",
            );
        }
    };
    match rows.first() {
        None => Finding::ok(what, "signed in; incident can be read, and shows us no ticket yet"),
        Some(row) if row.contains_key("correlation_id") => {
            Finding::ok(what, "signed in; incident can be read")
        }
        Some(_) => Finding::problem(
            what,
            "signed in, but incident.correlation_id is hidden from us",
            "give our account read and write access to incident.correlation_id",
        ),
    }
}

fn refused(name: &str, error: &SendError) -> Finding {
    let next = match error {
        SendError::Permanent { .. } => {
            "check `servicenow.auth`, and that the account may use the Table API and read incident"
        }
        SendError::Retryable { .. } => {
            "check `servicenow.url` and `servicenow.auth`, the network between, and the desk itself; tickets wait until it answers"
        }
    };
    Finding::problem(format!("{name}: our account"), error.why(), next)
}

fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown = names.get(..NAMED).unwrap_or(names).join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
