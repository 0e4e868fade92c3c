//! What stands in the spool: one record an outcome, sealed with its length and a checksum.

use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, Outcome, VantageId};
use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// What a spool begins with.
pub(super) const MAGIC: &[u8] = b"curiad spool 1\n\0";
/// The magic and the salt.
pub(super) const HEAD: usize = 32;
/// The length, four bytes, and the checksum.
const SEAL: usize = 4 + CHECKSUM;
const CHECKSUM: usize = 8;
/// No record is longer, in bytes: an outcome's words are bounded where they are made.
const LONGEST: usize = 256 << 10;
/// What took longer may be Slow somewhere: it is kept with its phases.
const PLAINLY_FAST: Duration = Duration::from_millis(200);

/// An outcome that could not be recorded when it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Late {
    /// When it came, for the rules.
    pub(crate) then: Timestamp,
    /// What it is.
    pub(crate) outcome: Arc<Outcome>,
}

/// What waits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    /// An outcome.
    Late(Late),
    /// The last resort was told then.
    Told(Timestamp),
}

/// As it is written: short for what went well, which is nearly everything.
#[derive(Serialize, Deserialize)]
enum Written {
    /// Then, and at, in milliseconds; confirm; total in microseconds; API, environment, operation, vantage.
    #[serde(rename = "p")]
    Passed(i64, i64, bool, u64, ApiId, Environment, OperationId, VantageId),
    /// Then, and the outcome.
    #[serde(rename = "o")]
    Whole(i64, Box<Outcome>),
    #[serde(rename = "t")]
    Told(i64),
}

impl Written {
    fn of(record: &Record) -> Self {
        let (then, outcome) = match record {
            Record::Told(at) => return Self::Told(at.as_millisecond()),
            Record::Late(Late { then, outcome }) => (then.as_millisecond(), outcome),
        };
        // The store keeps phases and words only of what was not well; whether this was Slow is for the rules to say.
        if outcome.failure.is_some() || outcome.total >= PLAINLY_FAST {
            // What was expected is in the failure's own words.
            return Self::Whole(
                then,
                Box::new(Outcome { expectations: Vec::new(), ..Outcome::clone(outcome) }),
            );
        }
        let CheckId { instance, operation } = outcome.check.clone();
        Self::Passed(
            then,
            outcome.at.as_millisecond(),
            outcome.confirm,
            u64::try_from(outcome.total.as_micros()).unwrap_or(u64::MAX),
            instance.api,
            instance.environment,
            operation,
            outcome.vantage.clone(),
        )
    }

    fn read(self) -> Option<Record> {
        let time = |ms| Timestamp::from_millisecond(ms).ok();
        Some(match self {
            Self::Told(at) => Record::Told(time(at)?),
            Self::Whole(then, outcome) => {
                Record::Late(Late { then: time(then)?, outcome: Arc::new(*outcome) })
            }
            Self::Passed(then, at, confirm, total, api, environment, operation, vantage) => {
                let check = CheckId { instance: InstanceId { api, environment }, operation };
                let mut outcome = Outcome::new(check, vantage, time(at)?);
                outcome.confirm = confirm;
                outcome.total = Duration::from_micros(total);
                Record::Late(Late { then: time(then)?, outcome: Arc::new(outcome) })
            }
        })
    }
}

/// A record with its length and its checksum.
pub(super) struct Frame;

impl Frame {
    /// `record` as it stands at `at`; `None`: it cannot be written.
    pub(super) fn seal(record: &Record, salt: &[u8], at: u64) -> Option<Vec<u8>> {
        let words = serde_json::to_vec(&Written::of(record)).ok().filter(|words| words.len() <= LONGEST)?;
        let mut frame = Vec::with_capacity(SEAL + words.len());
        frame.extend_from_slice(&u32::try_from(words.len()).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend_from_slice(&checksum(salt, at, &words));
        frame.extend_from_slice(&words);
        Some(frame)
    }

    /// The record at the start of `bytes`, which stand at `at`, and the length of its frame; `None`: it is not whole.
    pub(super) fn open(bytes: &[u8], salt: &[u8], at: u64) -> Option<(Record, usize)> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (sum, rest) = rest.split_first_chunk::<CHECKSUM>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= LONGEST)?;
        let words = rest.get(..length)?;
        let record = (checksum(salt, at, words) == *sum)
            .then(|| serde_json::from_slice::<Written>(words).ok()?.read())
            .flatten()?;
        Some((record, SEAL + length))
    }
}

fn checksum(salt: &[u8], at: u64, words: &[u8]) -> [u8; CHECKSUM] {
    let mut context = Context::new(&SHA256);
    context.update(salt);
    context.update(&at.to_le_bytes());
    context.update(words);
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}
