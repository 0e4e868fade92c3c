//! Chains of certificates, and which of them were found good: as long as all of one is in time, looking again would say the same.

use domain::Certificate;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName};
use std::{
    collections::HashMap,
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use x509_parser::{certificate::X509CertificateParser, nom::Parser as _};

/// Names whose good chains are kept, and chains of each: behind one name there may be several nodes.
const NAMES: usize = 512;
const CHAINS: usize = 4;
/// Bytes of a chain; most have about four thousand.
const LONGEST: usize = 16 * 1024;

/// From when until when a certificate is in time, both included, in seconds since the Unix epoch: one without an end names
/// the last of the year 9999, which a Timestamp cannot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    from: i64,
    until: i64,
}

impl Validity {
    /// `None`: it cannot be read.
    pub(super) fn of(der: &CertificateDer<'_>) -> Option<Self> {
        // Its extensions are not looked at: taking them apart would be most of the work.
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        let (_, certificate) = parser.parse(der).ok()?;
        let validity = certificate.validity();
        Some(Self { from: validity.not_before.timestamp(), until: validity.not_after.timestamp() })
    }

    /// `None`: never, as far as that can be said.
    pub(super) fn until(self) -> Option<Timestamp> {
        Timestamp::from_second(self.until).ok()
    }

    pub(super) fn covers(self, now: Timestamp) -> bool {
        (self.from..=self.until).contains(&now.as_second())
    }
}

/// What a peer sent to prove who it is, its own certificate first.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Of each.
    validities: Vec<Option<Validity>>,
}

impl Chain {
    pub(super) fn new(own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Self {
        let all = iter::once(own).chain(others);
        Self {
            validities: all.clone().map(Validity::of).collect(),
            certificates: all.map(|der| der.clone().into_owned()).collect(),
        }
    }

    /// The certificate that ends first; `judged` is when the chain was, and whether it was found good. One that is over while
    /// the chain is good is not needed, and says nothing; and where the peer's own is over, that is what has to be replaced.
    pub(super) fn first_to_end(&self, judged: Option<(Timestamp, bool)>) -> Option<Certificate> {
        let all = self.validities.iter().zip(&self.certificates);
        let mut all: Vec<_> =
            all.filter_map(|(validity, der)| Some((validity.as_ref()?.until()?, der))).collect();
        match judged {
            Some((at, true)) if all.iter().any(|(until, _)| *until > at) => {
                all.retain(|(until, _)| *until > at);
            }
            Some((at, false)) if all.first().is_some_and(|(until, _)| *until <= at) => all.truncate(1),
            Some(_) | None => {}
        }
        let (not_after, der) = all.into_iter().min_by_key(|(until, _)| *until)?;
        Some(Certificate { not_after, fingerprint: fingerprint(der) })
    }

    fn is(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> bool {
        self.certificates.split_first().is_some_and(|(first, rest)| first == own && rest == others)
    }

    fn is_in_time(&self, now: Timestamp) -> bool {
        self.validities.iter().all(|validity| validity.is_some_and(|validity| validity.covers(now)))
    }
}

/// Hex SHA-256.
pub(crate) fn fingerprint(der: &CertificateDer<'_>) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, der);
    hash.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(half.into(), 16).unwrap_or('0'));
        }
        text
    })
}

/// The chains that those whom probes trust were found to vouch for, by the name they are good for. Whether they do follows from
/// the chain, the name and the time alone, and to look is a sixth of what a probe over TLS costs.
#[derive(Debug, Default)]
pub(super) struct GoodChains(Mutex<HashMap<ServerName<'static>, Vec<Arc<Chain>>>>);

impl GoodChains {
    fn known(&self) -> MutexGuard<'_, HashMap<ServerName<'static>, Vec<Arc<Chain>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was sent, if it was found good for this name and all of it is in time.
    pub(super) fn good(
        &self,
        name: &ServerName<'_>,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Option<Arc<Chain>> {
        let known = self.known();
        let mut chains = known.get(name)?.iter();
        chains.find(|chain| chain.is(own, others) && chain.is_in_time(now)).cloned()
    }

    /// One was found good for this name.
    pub(super) fn keep(&self, name: &ServerName<'_>, chain: &Arc<Chain>, now: Timestamp) {
        let bytes: usize = chain.certificates.iter().map(|der| der.len()).sum();
        if bytes > LONGEST || !chain.is_in_time(now) {
            return;
        }
        let mut known = self.known();
        if known.len() >= NAMES && !known.contains_key(name) {
            // Of one and the same place in the map: of more names than that, most are still found when they come round.
            let first = known.keys().next().cloned();
            first.and_then(|first| known.remove(&first));
        }
        let chains = known.entry(name.to_owned()).or_default();
        if chains.iter().any(|known| known.certificates == chain.certificates) {
            // Another handshake was under way at the same time.
            return;
        }
        if chains.len() >= CHAINS {
            chains.remove(0);
        }
        chains.push(Arc::clone(chain));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn certificate(from: i32, to: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn name(name: &str) -> ServerName<'static> {
        ServerName::try_from(name.to_owned()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_chain_is_good_for_its_name_while_all_of_it_is_in_time() {
        let (own, other) = (certificate(2026, 2028), certificate(2025, 2027));
        let others = std::slice::from_ref(&other);
        let (good, here) = (GoodChains::default(), name("here"));
        let when = |time: &str| good.good(&here, &own, others, at(time)).is_some();
        assert!(!when("2026-06-01T00:00:00Z"), "not looked at yet");
        good.keep(&here, &Arc::new(Chain::new(&own, others)), at("2027-02-01T00:00:00Z"));
        assert!(!when("2026-06-01T00:00:00Z"), "not all of it was in time");
        good.keep(&here, &Arc::new(Chain::new(&own, others)), at("2026-06-01T00:00:00Z"));
        assert!(when("2026-01-01T00:00:00Z") && when("2027-01-01T00:00:00.9Z"));
        assert!(!when("2025-12-31T23:59:59Z") && !when("2027-01-01T00:00:01Z"));
        let noon = at("2026-06-01T12:00:00Z");
        assert!(good.good(&name("there"), &own, others, noon).is_none(), "another name");
        assert!(good.good(&here, &own, &[], noon).is_none(), "less was sent");
        assert!(good.good(&here, &own, &[other.clone(), own.clone()], noon).is_none(), "more was sent");
        assert!(good.good(&here, &other, others, noon).is_none(), "another certificate");
    }

    #[test]
    fn a_certificate_without_an_end_is_in_time() {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(9999, 12, 31);
        let own = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
        let validity = Validity::of(&own).unwrap();
        assert!(validity.covers(at("2026-06-01T12:00:00Z")) && !validity.covers(at("1960-01-01T00:00:00Z")));
        assert_eq!(validity.until(), None);
    }

    #[test]
    fn nodes_behind_a_name_and_names_are_kept_within_bounds() {
        let all: Vec<_> = (0..=CHAINS).map(|_| certificate(2026, 2028)).collect();
        let (good, here, noon) = (GoodChains::default(), name("here"), at("2026-06-01T12:00:00Z"));
        for own in &all {
            for _at_the_same_time in 0..CHAINS {
                good.keep(&here, &Arc::new(Chain::new(own, &[])), noon);
            }
        }
        let known = |own| good.good(&here, own, &[], noon).is_some();
        assert_eq!(all.iter().map(known).collect::<Vec<_>>(), [false, true, true, true, true]);
        let chain = Arc::new(Chain::new(&all[0], &[]));
        let host = |number| name(&format!("host-{number}"));
        let mut found = 0;
        for number in (0..2).flat_map(|_| 0..2 * NAMES) {
            found += usize::from(good.good(&host(number), &all[0], &[], noon).is_some());
            good.keep(&host(number), &chain, noon);
            assert!(good.known().len() <= NAMES);
        }
        assert!(found > NAMES / 2, "of twice as many as are kept: {found}");
    }

    #[test]
    fn one_that_cannot_be_read_is_never_kept() {
        let (good, here, own) = (GoodChains::default(), name("here"), CertificateDer::from(vec![1, 2, 3]));
        let noon = at("2026-06-01T12:00:00Z");
        good.keep(&here, &Arc::new(Chain::new(&own, &[])), noon);
        assert!(good.known().is_empty());
    }
}
