//! The desk's other tables, as far as an integration looks at them: people, groups and configuration items.

use serde_json::{Map, Value, json};

use super::office::Office;
use super::query::Row;
use super::table::page;
use super::{Asked, failure};
use crate::answer::Answer;

/// The tables that an account can look into.
pub(super) const TABLES: [&str; 3] = ["sys_user", "sys_user_group", "cmdb_ci"];

const COLUMNS: [&str; 3] = ["sys_id", "name", "active"];

/// A person, a group or a configuration item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The table it is in: `sys_user`, `sys_user_group` or `cmdb_ci`.
    pub table: &'static str,
    /// 32 hexadecimal digits.
    pub sys_id: String,
    /// What it is called.
    pub name: String,
    /// False when it is kept and not used any more.
    pub active: bool,
}

/// `GET /api/now/table/{table}`. A table that the account may not read is refused, as ACLs do.
pub(super) fn find(office: &Office, asked: &Asked<'_>, table: &str) -> Answer {
    if office.options.closed_tables.iter().any(|closed| closed == table) {
        return failure(403, "User Not Authorized", "Failed API level ACL Validation");
    }
    let rows = office
        .options
        .directory
        .iter()
        .filter(|entry| entry.table == table)
        .map(|entry| {
            Row::from([
                ("sys_id", entry.sys_id.clone()),
                ("name", entry.name.clone()),
                ("active", entry.active.to_string()),
            ])
        })
        .collect();
    let page =
        page(asked, rows, |name| COLUMNS.contains(&name), office.options.invalid_query_returns_no_rows);
    let fields = asked.parameter("sysparm_fields").filter(|fields| !fields.is_empty());
    let wanted =
        |name: &str| fields.as_ref().is_none_or(|fields| fields.split(',').any(|field| field.trim() == name));
    let result: Vec<Value> = page
        .rows
        .iter()
        .map(|row| {
            let cells = row.iter().filter(|(name, _)| wanted(name));
            Value::Object(
                cells.map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>(),
            )
        })
        .collect();
    page.answer(office, asked, &result)
}
