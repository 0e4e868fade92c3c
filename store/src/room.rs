//! What takes the room: how many bytes of the database each kind of what is kept takes.

use crate::{Store, database::Purpose, error::Error, postgres, row::Reading, sqlite};
use std::collections::BTreeMap;

const DOING: &str = "see what takes the room";

/// Kinds of what is kept, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Samples whose hour is sealed.
    Sealed,
    /// Samples of hours that are not sealed yet.
    Rows,
    /// Probes that were no Pass, in full, and the transcripts of the last ones.
    Failures,
    /// Sums of hours whose samples are kept no more.
    Hours,
    /// Sums of days, and what each says of itself.
    Days,
    /// How long phases took, by the hour.
    Phases,
    /// Statuses, releases, incidents, what was told of them, silences, planned work and overrides.
    Incidents,
    /// Requests to be told by e-mail, and those mails.
    Subscriptions,
    /// The database's own affairs.
    Other,
    /// Nothing: it will be used again, or given back. `PostgreSQL` does not say.
    Free,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Sealed,
        Self::Rows,
        Self::Failures,
        Self::Hours,
        Self::Days,
        Self::Phases,
        Self::Incidents,
        Self::Subscriptions,
        Self::Other,
        Self::Free,
    ];

    /// What a table holds; `None`: it is none of ours.
    fn of(table: &str) -> Option<Self> {
        Some(match table {
            "sealed" | "damaged" => Self::Sealed,
            "outcome" => Self::Rows,
            "failure" | "transcript" => Self::Failures,
            "rollup_hours" => Self::Hours,
            "rollup_days" | "summary" | "unrolled" => Self::Days,
            "phases" => Self::Phases,
            "status_change" | "releases" | "incident" | "notification" | "attempt" | "inbox" | "silence"
            | "maintenance" | "rota_overrides" | "contact_proof" => Self::Incidents,
            "subscription" | "news" | "letter" => Self::Subscriptions,
            "meta" | "track" | "recorder" | "_sqlx_migrations" => Self::Other,
            _ => return None,
        })
    }
}

/// How the room is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Bytes by kind, indexes and all; those that take none are left out.
    pub bytes: BTreeMap<Kind, u64>,
    /// Samples, sealed or not.
    pub samples: u64,
}

impl Room {
    /// Bytes in all.
    pub fn all(&self) -> u64 {
        self.bytes.values().sum()
    }
}

impl Store {
    /// What takes the room. It goes through every page of a file of SQLite: seconds for gigabytes.
    pub async fn room(&self) -> Result<Room, Error> {
        let mut reader = self.begin(Purpose::Read, DOING).await?;
        let tables = reader.either(sqlite::BYTES_OF_TABLES, postgres::BYTES_OF_TABLES).rows(DOING).await?;
        let samples = reader
            .statement(
                "SELECT CAST((SELECT coalesce(sum(samples), 0) FROM sealed) AS BIGINT)
                      + CAST((SELECT count(*) FROM outcome) AS BIGINT) AS samples",
            )
            .row(DOING)
            .await?;
        let samples: i64 = Reading { row: &samples, doing: DOING }.get("samples")?;
        let mut bytes = BTreeMap::new();
        for row in &tables {
            let row = Reading { row, doing: DOING };
            let (table, taken): (Option<String>, i64) = (row.get("name")?, row.get("bytes")?);
            let kind = table.map_or(Kind::Free, |table| Kind::of(&table).unwrap_or(Kind::Other));
            *bytes.entry(kind).or_default() += u64::try_from(taken).unwrap_or(0);
        }
        bytes.retain(|_, taken| *taken > 0);
        reader.rollback(DOING).await?;
        Ok(Room { bytes, samples: u64::try_from(samples).unwrap_or(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_table_is_of_a_kind() {
        for migrations in ["sqlite", "postgres"] {
            let folder = format!("{}/../migrations/{migrations}", env!("CARGO_MANIFEST_DIR"));
            let mut tables = 0;
            for file in std::fs::read_dir(folder).unwrap() {
                let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
                // A partition is of the kind of its table.
                let tables_of =
                    sql.split("CREATE TABLE ").skip(1).filter(|rest| !rest.contains(" PARTITION OF "));
                for table in tables_of {
                    let table = table.split([' ', '(']).next().unwrap();
                    assert!(Kind::of(table).is_some(), "{table} of {migrations} is of no kind");
                    tables += 1;
                }
            }
            assert!(tables > 20, "{migrations}: {tables}");
        }
    }
}
