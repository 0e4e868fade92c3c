//! What a probe says of what it saw: the first row that fits. Each row names faults of the suite, which hold it.

use super::{Fault, answers, names, own, plain, redirects, secured, two};
use crate::certificates::Authority;
use domain::{
    Layer::{self, *},
    Verdict::{self, *},
};
use std::collections::BTreeMap;

/// What is seen; the verdict and the layer; faults that show it.
type Row = (&'static str, Verdict, Option<Layer>, &'static [&'static str]);

const TABLE: [Row; 20] = [
    (
        "our network, resolver, disk, permit, clock, configuration",
        Inconclusive,
        Some(Ours),
        &[
            "a resolver that says nothing",
            "a resolver that fails for all",
            "the address of a cloud's metadata",
            "no place among the probes in flight",
            "a certificate that is over by our own clock alone",
            "a check that cannot be sent",
        ],
    ),
    (
        "the token endpoint refuses our credential",
        Inconclusive,
        Some(Ours),
        &["a token endpoint that refuses our credential"],
    ),
    (
        "the token endpoint is down or broken",
        Fail,
        Some(Token),
        &["a token endpoint that is down", "a token endpoint without tokens"],
    ),
    (
        "our own client certificate is missing, expired or refused",
        Inconclusive,
        Some(Ours),
        &[
            "a certificate of ours is wanted, over TLS 1.2",
            "a certificate of ours is wanted, over TLS 1.3",
            "a certificate of ours is wanted, over HTTP/2 and TLS 1.3",
            "nginx wants a certificate of ours",
            "nginx refuses a certificate of ours",
        ],
    ),
    (
        "name not found, or the resolver fails for this name only",
        Fail,
        Some(Dns),
        &["a name that does not exist", "a name that the resolver fails for"],
    ),
    (
        "every address refused, reset, unreachable or timed out before a connection stood",
        Fail,
        Some(Connect),
        &["nothing listens at any of its addresses", "packets are swallowed"],
    ),
    (
        "handshake failed or timed out, certificate expired, not yet valid, wrong name, untrusted",
        Fail,
        Some(Tls),
        &[
            "cut in the handshake",
            "no handshake",
            "a certificate that is over",
            "a certificate that is too early",
            "a certificate for another name",
            "a certificate of a stranger",
        ],
    ),
    (
        "connected, then silence until the limit, reset, truncated, or not HTTP",
        Fail,
        Some(Backend),
        &[
            "silence",
            "cut without a word",
            "shorter than announced",
            "SSH",
            "a chunk whose length is no number",
            "a handshake, then silence",
            "HTTP/2: the stream is cancelled",
        ],
    ),
    (
        "a health body that can be parsed: fail or down",
        Fail,
        Some(Backend),
        &["200 that says that it is down", "503 that says that it is down"],
    ),
    (
        "a health body that can be parsed: degraded or warn",
        Slow,
        Some(Backend),
        &["200 that says that it is degraded"],
    ),
    ("a health body that can be parsed: well", Pass, None, &["503 that says that it is well"]),
    ("401, 403, 429", Inconclusive, Some(Gateway), &["401", "403", "429"]),
    (
        "a gateway fault body: target unavailable or timed out",
        Fail,
        Some(Backend),
        &["a gateway that cannot reach its target"],
    ),
    (
        "a gateway fault body: quota, spike arrest",
        Inconclusive,
        Some(Gateway),
        &["a gateway that arrests a spike"],
    ),
    ("other 502, 503, 504", Fail, Some(Gateway), &["502", "503", "504"]),
    ("other 5xx", Fail, Some(Backend), &["500", "a bad status whose body breaks off"]),
    (
        "another status than expected, a redirect not asked for, an expectation not met",
        Fail,
        Some(Contract),
        &[
            "404",
            "a good status that is not the one agreed",
            "a redirect that nobody asked for",
            "redirects without end",
            "text that is not there",
            "a header that is not there",
            "a body that is too small",
            "an answer later than agreed",
            "JSON without what is looked for",
            "a certificate that ends sooner than agreed",
        ],
    ),
    (
        "too large, too deep, not decodable",
        Fail,
        Some(Contract),
        &[
            "a body without end",
            "a head of ten megabytes",
            "JSON a hundred thousand levels deep",
            "JSON that is not UTF-8",
            "a gzip bomb",
            "gzip with a wrong checksum",
        ],
    ),
    ("all met, slower than slow", Slow, None, &["well, and slow"]),
    ("all met", Pass, None, &["well over TLS", "longer than announced"]),
];

#[tokio::test]
async fn what_a_probe_says_is_the_first_row_that_fits() {
    let authority = Authority::new();
    let mut all: Vec<Fault> = names::all().await;
    all.extend(plain::all().await);
    all.extend(answers::all().await);
    all.extend(redirects::all(&authority).await);
    all.extend(secured::all(&authority).await);
    all.extend(two::all(&authority).await);
    all.extend(own::all(&authority).await);
    assert!(all.len() >= 60, "{} named faults", all.len());
    let by_name: BTreeMap<&str, &Fault> = all.iter().map(|fault| (fault.name, fault)).collect();
    assert_eq!(by_name.len(), all.len(), "each has a name of its own");
    for (row, verdict, layer, examples) in TABLE {
        for example in examples {
            let fault = by_name.get(example).unwrap_or_else(|| panic!("no fault is called '{example}'"));
            let layers: Vec<Layer> = fault.seen.iter().map(|(layer, _)| *layer).collect();
            assert_eq!(fault.verdict, verdict, "{row}: {example}");
            assert!(layers.iter().all(|seen| Some(*seen) == layer), "{row}: {example}: {layers:?}");
            assert_eq!(layers.is_empty(), layer.is_none(), "{row}: {example}");
        }
    }
}
