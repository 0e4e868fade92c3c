//! DNS: one question to a resolver, asked afresh each time, and whether it is answered as expected.

use crate::{
    NameServers,
    permits::{self, Permits},
    resolve::Resolve,
    scrub::scrubbed,
};
use domain::{
    Check, DnsRequest, Expectation, Failure, FailureKind, Layer, Outcome, PrivateAddresses, undialled,
};
use hickory_resolver::proto::rr::{Name, RecordType};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A DNS check made ready.
pub(crate) struct Dns {
    pub(crate) places: Arc<permits::Host>,
    name: Name,
    /// As it was written.
    word: String,
    record: RecordType,
    answers: Vec<String>,
    /// Its own, which remembers nothing.
    resolve: Resolve,
    /// A resolver was named: then it is what is exercised.
    named: Option<String>,
}

impl Dns {
    pub(crate) fn new(
        check: &Check,
        request: &DnsRequest,
        resolve: &Resolve,
        permits: &Permits,
    ) -> Result<Self, String> {
        let word = request.name.as_deref().unwrap_or_else(|| check.host()).to_owned();
        let mut name = Name::from_utf8(&word).map_err(|error| format!("'{word}' is not a name: {error}"))?;
        // So that no search domain is put behind it.
        name.set_fqdn(true);
        let asked = request.resolver.map(|address| address.ip());
        if let Some(what) = asked.and_then(|ip| undialled(ip, true, PrivateAddresses::Allowed)) {
            return Err(format!("its resolver is {what}, and no probe is ever sent there"));
        }
        let resolve = match request.resolver {
            Some(address) => Resolve::only_asking(&NameServers::These(vec![address])),
            None => resolve.afresh(),
        };
        let named = request.resolver.map(|address| address.to_string());
        let record = record_type(request.record);
        let answers = plain(record, request.answers.clone());
        Ok(Self {
            places: permits.at(named.as_deref().unwrap_or(&word)),
            name,
            word,
            record,
            answers,
            resolve,
            named,
        })
    }

    /// Asks, and judges the answers.
    pub(crate) async fn ask(&self, deadline: Instant, outcome: &mut Outcome) -> Result<(), Failure> {
        let began = Instant::now();
        // What is left goes into finding out whose trouble it is, where that can be the resolver's of all.
        let share = if self.named.is_some() { Duration::ZERO } else { (deadline - began) / 4 };
        let found = self.look_up(deadline - share, deadline).await;
        outcome.phases.dns = Some(began.elapsed());
        let (expectation, failure) = judged(&self.answers, &self.word, &plain(self.record, found?));
        outcome.expectations.push(expectation);
        failure.map_or(Ok(()), Err)
    }

    async fn look_up(&self, limit: Instant, deadline: Instant) -> Result<Vec<String>, Failure> {
        let Some(named) = &self.named else {
            return self.resolve.records(&self.name, &self.word, self.record, (limit, deadline)).await;
        };
        let asked = self.resolve.records_of_it((&self.name, &self.word), self.record, limit).await;
        asked.map_err(|failure| Failure { message: format!("{named}: {}", failure.message), ..failure })
    }
}

const fn record_type(record: domain::RecordType) -> RecordType {
    match record {
        domain::RecordType::A => RecordType::A,
        domain::RecordType::Aaaa => RecordType::AAAA,
        domain::RecordType::Cname => RecordType::CNAME,
        domain::RecordType::Mx => RecordType::MX,
        domain::RecordType::Ns => RecordType::NS,
        domain::RecordType::Ptr => RecordType::PTR,
        domain::RecordType::Srv => RecordType::SRV,
        domain::RecordType::Txt => RecordType::TXT,
    }
}

/// Answers in the form in which two lists are compared: in order, and names in lower case, without the dot at their end.
fn plain(record: RecordType, answers: Vec<String>) -> Vec<String> {
    let one = |answer: String| {
        if record == RecordType::TXT { answer } else { answer.trim_end_matches('.').to_lowercase() }
    };
    let mut all: Vec<String> = answers.into_iter().map(one).collect();
    all.sort();
    all.dedup();
    all
}

fn judged(expected: &[String], name: &str, found: &[String]) -> (Expectation, Option<Failure>) {
    let ok = if expected.is_empty() { !found.is_empty() } else { found == expected };
    let listed = |answers: &[String]| match answers {
        [] => "nothing".to_owned(),
        answers => answers.join(", "),
    };
    let expectation = Expectation {
        what: "answers".to_owned(),
        expected: if expected.is_empty() { "any".to_owned() } else { listed(expected) },
        seen: scrubbed(&listed(found)),
        ok,
    };
    let failure = (!ok).then(|| {
        let Expectation { expected, seen, .. } = &expectation;
        if found.is_empty() {
            let message = format!("the name '{name}' exists but has no such record");
            return Failure { layer: Layer::Dns, kind: FailureKind::NameNotFound, message };
        }
        let message = format!("answers: expected {expected}, saw {seen}");
        Failure { layer: Layer::Contract, kind: FailureKind::ExpectationFailed, message }
    });
    (expectation, failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_these_and_no_others_in_any_order() {
        let check = |expected: &[&str], found: &[&str], ok: bool| {
            let plain = |answers: &[&str]| {
                plain(RecordType::MX, answers.iter().map(|answer| (*answer).to_owned()).collect())
            };
            let (expectation, failure) = judged(&plain(expected), "x.example", &plain(found));
            assert_eq!((expectation.ok, failure.is_none()), (ok, ok), "{expectation:?}");
        };
        check(&["10.0.0.2", "10.0.0.1"], &["10.0.0.1", "10.0.0.2"], true);
        check(&["10 Mail.Example"], &["10 mail.example."], true);
        check(&["10.0.0.1"], &["10.0.0.1", "10.0.0.9"], false);
        check(&["10.0.0.1", "10.0.0.2"], &["10.0.0.1"], false);
        check(&[], &["10.0.0.1"], true);
        check(&[], &[], false);
    }
}
