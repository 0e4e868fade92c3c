//! `X-Request-ID`: made from what a probe is, so that it need not be stored to be known again.

use domain::TrackId;
use jiff::Timestamp;
use ring::hmac;
use std::fmt::{self, Write as _};
use uuid::Uuid;

/// The request id of the probe of `track` that was scheduled for `at` (to the millisecond).
///
/// A `UUIDv8` of the first 16 bytes of HMAC-SHA256 over `{track}\n{at in milliseconds}`: an auditor who is shown the
/// key can compute it again, and nobody without it can tell what was exercised.
///
/// ```
/// # use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, TrackId, VantageId};
/// let track = TrackId {
///     check: CheckId {
///         instance: InstanceId { api: ApiId::parse("results")?, environment: Environment::Uat },
///         operation: OperationId::parse("ping")?,
///     },
///     vantage: VantageId::parse("internet")?,
/// };
/// let id = prober::request_id(&[7; 32], &track, jiff::Timestamp::from_millisecond(1_790_000_000_000)?);
/// assert_eq!(id.get_version_num(), 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn request_id(key: &[u8; 32], track: &TrackId, at: Timestamp) -> Uuid {
    RequestIds::new(key).of(track, at)
}

/// The key, made ready once.
pub(crate) struct RequestIds(hmac::Key);

impl RequestIds {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The id of a track's probe; the track may be written already.
    pub(crate) fn of(&self, track: &impl fmt::Display, at: Timestamp) -> Uuid {
        let mut signed = Signed(hmac::Context::with_key(&self.0));
        // Nothing that is written to it fails.
        let _written = write!(signed, "{track}\n{}", at.as_millisecond());
        let tag = signed.0.sign();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Uuid::new_v8(bytes)
    }
}

/// What is written to it is signed as it comes: it is kept nowhere.
struct Signed(hmac::Context);

impl fmt::Write for Signed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, VantageId};

    fn track(operation: &str, vantage: &str) -> TrackId {
        TrackId {
            check: CheckId {
                instance: InstanceId {
                    api: ApiId::parse("results").unwrap(),
                    environment: Environment::Production,
                },
                operation: OperationId::parse(operation).unwrap(),
            },
            vantage: VantageId::parse(vantage).unwrap(),
        }
    }

    #[test]
    fn it_never_changes_between_releases() {
        let at = Timestamp::from_millisecond(1_790_000_000_123).unwrap();
        let id = request_id(&[1; 32], &track("ping", "internet"), at);
        // HMAC-SHA256 by another program: printf 'results/production/ping from internet\n1790000000123' |
        // openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…01, with the version and variant bits set.
        assert_eq!(id.to_string(), "d4354030-b5b7-8519-abfe-70afbefff17f");
        assert_eq!(id.get_version_num(), 8);
    }

    #[test]
    fn key_check_vantage_and_time_each_make_another() {
        let at = Timestamp::from_millisecond(1_790_000_000_123).unwrap();
        let later = Timestamp::from_millisecond(1_790_000_000_124).unwrap();
        let ids = [
            request_id(&[1; 32], &track("ping", "internet"), at),
            request_id(&[2; 32], &track("ping", "internet"), at),
            request_id(&[1; 32], &track("status", "internet"), at),
            request_id(&[1; 32], &track("ping", "inside"), at),
            request_id(&[1; 32], &track("ping", "internet"), later),
        ];
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
    }
}
