//! From columns to the domain's types, and back.

use crate::{database::Row, error::Error};
use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, TrackId, VantageId, Verdict};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Decode, Postgres, Sqlite, Type};

/// A row that is being read while `doing`.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'r> {
    pub(crate) row: &'r Row,
    pub(crate) doing: &'static str,
}

impl<'r> Reading<'r> {
    /// A column as the type asked for.
    pub(crate) fn get<T>(self, column: &str) -> Result<T, Error>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        self.row.get(column).map_err(Error::during(self.doing))
    }

    /// A column of milliseconds as a time.
    pub(crate) fn time(self, column: &str) -> Result<Timestamp, Error> {
        time(self.get(column)?, self.doing)
    }

    /// A column of milliseconds, or NULL.
    pub(crate) fn time_if(self, column: &str) -> Result<Option<Timestamp>, Error> {
        self.get::<Option<i64>>(column)?.map(|ms| time(ms, self.doing)).transpose()
    }

    /// A column of JSON.
    pub(crate) fn json<T: DeserializeOwned>(self, column: &str) -> Result<T, Error> {
        json(self.get(column)?, self.doing)
    }

    /// A column of a word, by what parses it.
    pub(crate) fn word<T>(self, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        let word: &str = self.get(column)?;
        parse(word).ok_or_else(|| Error::corrupt(self.doing, format!("'{word}' is no {column}")))
    }

    /// The columns `api` and `environment`.
    pub(crate) fn instance(self) -> Result<InstanceId, Error> {
        Ok(InstanceId {
            api: self.word("api", |word| ApiId::parse(word).ok())?,
            environment: self.word("environment", Environment::parse)?,
        })
    }

    /// Those and the columns `operation` and `vantage`.
    pub(crate) fn track(self) -> Result<TrackId, Error> {
        Ok(TrackId {
            check: CheckId {
                instance: self.instance()?,
                operation: self.word("operation", |word| OperationId::parse(word).ok())?,
            },
            vantage: self.word("vantage", |word| VantageId::parse(word).ok())?,
        })
    }

    /// The column `verdict`.
    pub(crate) fn verdict(self) -> Result<Verdict, Error> {
        verdict_of(self.get("verdict")?, self.doing)
    }
}

/// Added to the number of a verdict in `outcome` where the probe went over a connection that was kept.
pub(crate) const WARM: i64 = 4;

/// The number of a verdict; 0 takes no room in a row.
pub(crate) const fn verdict_number(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Slow => 1,
        Verdict::Fail => 2,
        Verdict::Inconclusive => 3,
    }
}

/// The verdict of a number, over whichever connection.
pub(crate) fn verdict_of(number: i64, doing: &'static str) -> Result<Verdict, Error> {
    match number % WARM {
        0 => Ok(Verdict::Pass),
        1 => Ok(Verdict::Slow),
        2 => Ok(Verdict::Fail),
        3 => Ok(Verdict::Inconclusive),
        _ => Err(Error::corrupt(doing, format!("{number} is no verdict"))),
    }
}

/// Milliseconds as a time.
pub(crate) fn time(ms: i64, doing: &'static str) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(ms).map_err(|error| Error::corrupt(doing, error))
}

/// JSON as the type asked for.
pub(crate) fn json<T: DeserializeOwned>(text: &str, doing: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::corrupt(doing, error))
}

/// A domain value as JSON.
pub(crate) fn to_json(value: &impl serde::Serialize, doing: &'static str) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Other { doing, source: error.into() })
}

/// A count or a number, which SQL keeps signed.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The same, back; what is negative cannot be and counts as none.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
