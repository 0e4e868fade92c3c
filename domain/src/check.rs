//! Instances and checks: where an Operation is exercised, and how often.

use crate::{
    ApiId, Connection, Credential, Environment, NhsNumber, Operation, OperationId, VantageId, heartbeat,
    schedule::{OFFSET, fnv_1a},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, iter, sync::Arc, time::Duration};

/// An Api in an Environment; a row of the status page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InstanceId {
    /// The API.
    pub api: ApiId,
    /// Where.
    pub environment: Environment,
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api, self.environment)
    }
}

/// An Operation on an Instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CheckId {
    /// The instance.
    pub instance: InstanceId,
    /// The operation.
    pub operation: OperationId,
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.operation)
    }
}

/// A Check as seen from one Vantage: what a probe is a probe of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrackId {
    /// The check.
    pub check: CheckId,
    /// Where its probes are sent from.
    pub vantage: VantageId,
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.check, self.vantage)
    }
}

/// What a check asks, where, and as whom: its address, its request and who its credential is of, as a number that is equal
/// only where they are. What the answer must be is no part of it, nor is any secret. An answer says something of a check as long as the check still asks the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question(u64);

/// An Operation on an Instance, on a schedule: everything a probe needs, resolved (the nearest setting wins).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub id: CheckId,
    /// The instance's base URL, without a trailing slash.
    pub url: String,
    /// What is sent and what counts as good; shared by its checks in all environments.
    pub operation: Arc<Operation>,
    /// What its probes prove with who asks; `None`: nobody asks who they are.
    pub credential: Option<Arc<Credential>>,
    /// From one probe to the next; of a heartbeat, from one end of its job to the next.
    pub every: Duration,
    /// A good answer that takes longer is Slow; of a heartbeat, none is.
    pub slow: Duration,
    /// The probe ends here. Shorter than `every`, unless `every` is shorter than 1 s.
    pub timeout: Duration,
    /// NHS numbers of test patients that may be sent here, beside those reserved for tests.
    pub test_patients: Arc<[NhsNumber]>,
    /// Where its probes are sent from; at least one. A heartbeat is heard at [`Heartbeat::VANTAGE`](crate::Heartbeat::VANTAGE) alone.
    pub from: Vec<VantageId>,
    /// From one vantage the next probe of its instance begins at least so long after one of this check, whichever check it is
    /// of; `None`: as it comes. The vantages of an instance share what it allows (`max_rate`), and a journey takes as much
    /// of it as it has requests.
    pub apart: Option<Duration>,
}

/// The host of a URL, and its port where one is written.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

impl Check {
    /// The host of its URL and the port where one is written: where APIs behind one gateway are reached.
    pub fn authority(&self) -> &str {
        authority(&self.url)
    }

    /// The host of its URL, as it is written, without the port: what several checks have in common.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            return address;
        }
        authority.split(':').next().unwrap_or_default()
    }

    /// How long an Outcome of `at` of this check speaks: max(3 × interval, 60 s) (DESIGN §5); of a heartbeat, until the next
    /// should have been heard.
    pub fn validity(&self, at: Timestamp) -> Duration {
        match self.heartbeat() {
            Some(heartbeat) => heartbeat::validity(heartbeat, at),
            None => (self.every * 3).max(Duration::from_secs(60)),
        }
    }

    /// Whether its figures are those of connections that were kept; what it sees over others is left out of them. So a
    /// heartbeat, which has no connections, has no latency.
    pub fn is_warm(&self) -> bool {
        match self.operation.request.http() {
            Some(http) => http.connection == Connection::Warm,
            None => self.heartbeat().is_some(),
        }
    }

    /// What it asks, where, and as whom.
    pub fn question(&self) -> Question {
        let mut hash = OFFSET;
        let identity = self.credential.as_deref().map(Credential::identity).unwrap_or_default();
        let identity = identity.into_iter().map(Cow::Borrowed);
        let words =
            iter::once(self.url.as_str().into()).chain(self.operation.request.words()).chain(identity);
        for word in words {
            // With its end, so that no two lists of words read the same.
            hash = fnv_1a(hash, word.as_bytes());
            hash = fnv_1a(hash, &[0xff]);
        }
        Question(hash)
    }
}
