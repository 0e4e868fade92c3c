//! Every parser that reads what a target sends, on random and mutated inputs: none panics, none takes long, and none repeats
//! an NHS number.
//!
//! `cargo test` does this for 20 s, all threads together, `tests/run` for a minute. For longer: `CURIAD_FUZZ_SECONDS=3600 cargo test --workspace --lib -- fuzz`.

use crate::{
    announced,
    answer::{self, Answer},
    capture::Captures,
    credential, dialect,
    expectation::Expectations,
    fault,
    fill::Values,
    health, mllp, multipart, proxy, redirect, smtp, tls, transcript,
    unpack::{self, Coding},
    xml::{self, XPath, Xml},
};
use domain::{Capture, Contract, Dialect, Expect, Journey, Matches, Promised, Redirects, Source};
use flate2::{Compression, read::GzEncoder};
use hyper::{
    HeaderMap,
    header::{self, HeaderName, HeaderValue},
};
use jiff::Timestamp;
use proptest::prelude::*;
use rustls::pki_types::CertificateDer;
use std::{
    io::Read as _,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const DIALECTS: [Dialect; 6] =
    [Dialect::Plain, Dialect::Health, Dialect::Fhir, Dialect::Capabilities, Dialect::Soap, Dialect::Graphql];

/// Longer than any input takes, also on a busy machine without optimisation.
const LONG: Duration = Duration::from_secs(5);

/// What inputs begin as.
const SEEDS: &[&str] = &[
    "",
    r#"{"status":"UP","dependencies":{"mpi":"DOWN"},"version":1}"#,
    r#"{"status":"fail","checks":{"spine:status":[{"status":"fail","timeout":"true"}]}}"#,
    r#"{"fault":{"faultstring":"x","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}"#,
    "<?xml version=\"1.0\"?><fault><detail><errorcode>oauth.v2.InvalidApiKey</errorcode></detail></fault>",
    r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"9434765919"}]}"#,
    r#"{"resourceType":"Bundle","entry":[{"response":{"outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"fatal"}]}}}]}"#,
    "<Bundle xmlns=\"http://hl7.org/fhir\"><entry><resource><OperationOutcome><issue><severity value=\"error\"/><code \
     value=\"9434765919\"/></issue></OperationOutcome></resource></entry></Bundle>",
    r#"{"resourceType":"CapabilityStatement","status":"active","fhirVersion":"4.0.1"}"#,
    r#"{"data":null,"errors":[{"message":"m","path":["a",0,"9434765919"],"extensions":{"code":"C"}}]}"#,
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Server.943 476 5919\
     </faultcode></s:Fault></s:Body></s:Envelope>",
    "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value>\
     </e:Code></e:Fault></e:Body></e:Envelope>",
    "<!DOCTYPE a [<!ENTITY b \"&c;&c;\">]><a x:y=\"&#x0;\"><![CDATA[]]>&b;<!-- - -->",
    "\u{b}MSH|^~\\&|HUB\rMSA|AE|id|9434765919\rERR||PID^1|207^x\r\u{1c}\r",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n",
    "250-mail.example\r\n250 STARTTLS\r\n",
    "https://a.example@b.example:443/x?9434765919",
    "//B.example/\\a.example",
];

/// Those, and what is no text: a body in gzip, one in brotli, a certificate.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = SEEDS.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    let mut packed = Vec::new();
    GzEncoder::new(SEEDS.concat().as_bytes(), Compression::best()).read_to_end(&mut packed).unwrap();
    seeds.push(packed);
    seeds.push(b"--b\r\nContent-ID: <r>\r\n\r\n<e/>\r\n--b--".to_vec());
    seeds.push(b"\x0b\x02\x80hello\x03".to_vec());
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "9434765919.example".to_owned()];
    seeds.push(rcgen::generate_simple_self_signed(names).unwrap().cert.der().to_vec());
    seeds
}

/// Pieces that parsers trip over.
const PIECES: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"/>",
    b"<a>",
    b"<a x='",
    b"\"",
    b"'",
    b"&",
    b"&#",
    b"&lt;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<!DOCTYPE",
    b"<?",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\\u",
    b"null",
    b"1e999",
    b"-",
    b"\0",
    b"\r",
    b"\n",
    b"\x0b",
    b"\x1c\r",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"9434765919",
    b"943 476 5919",
    b"\xc5\xb5",
    b"|",
    b"^",
    b"250-",
];

/// A small generator, so that a failure can be had again from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // xorshift64* (Vigna 2016).
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % limit.max(1)
    }

    fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(12) {
            let at = self.below(input.len() + 1);
            match self.below(6) {
                0 if at < input.len() => input[at] = u8::try_from(self.below(256)).unwrap(),
                1 => input.truncate(at),
                2 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    input.splice(at..at, piece.iter().copied());
                }
                3 => {
                    // Much of the same: what nests, and what is counted.
                    let piece = PIECES[self.below(PIECES.len())].repeat(1 << self.below(12));
                    input.splice(at..at, piece);
                }
                4 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len() + 1);
                    input.splice(at..at, other[from..].iter().copied());
                }
                _ => {
                    let to = at + self.below(input.len() + 1 - at);
                    let copied = input[at..to].to_vec();
                    input.splice(at..at, copied);
                }
            }
        }
        input
    }
}

/// A contract whose schema refers to itself in every way, so that each level of a body is looked at in many.
fn promised() -> Contract {
    let schema = r##"{"$ref":"#/$defs/any","$defs":{"any":{
        "anyOf":[{"$ref":"#/$defs/map"},{"type":"array","items":{"$ref":"#/$defs/any"},"uniqueItems":true},{"type":["string","null"]}]},
        "map":{"type":"object","minProperties":1,"unevaluatedProperties":false,"allOf":[
            {"patternProperties":{"^(a|[^<]+)*$":{"$ref":"#/$defs/any"}}},
            {"properties":{"issue":{"contains":{"$ref":"#/$defs/map"}},"code":{"pattern":"^([0-9 ]+)+x$"},
                "version":{"multipleOf":0.01,"exclusiveMaximum":1e300},"status":{"enum":["UP"]}}},
            {"additionalProperties":{"oneOf":[{"$ref":"#/$defs/map"},{"$ref":"#/$defs/any"},{"not":{"$ref":"#/$defs/any"}}]}}],
            "if":{"required":["data"]},"then":{"properties":{"data":{"$ref":"#/$defs/map"}}}}}}"##;
    Contract {
        request: "GET /".to_owned(),
        document: "openapi.json".to_owned(),
        answers: vec![Promised { status: None, bodies: vec![("*/*".to_owned(), Some(0))] }],
        schemas: vec![schema.into()],
    }
}

/// Expectations that look into everything.
fn curious() -> Expectations {
    let test = |path: &str| (path.to_owned(), Matches::Regex("^(a|[^<]+)*$".to_owned()));
    Expectations::new(&Expect {
        json: vec![
            test("$..code"),
            test("$.issue[?@.severity == 'error'].code"),
            test("$..[?@[?count(@.*) > 1 || @.a == @.b]]"),
        ],
        xpath: vec![test("//s:Fault//text()"), test("count(//*[@*])"), test("string(//*[last()])")],
        namespaces: vec![("s".to_owned(), "http://schemas.xmlsoap.org/soap/envelope/".to_owned())],
        text: vec![Matches::Contains("a".to_owned())],
        contract: Some(Arc::new(promised())),
        ..Expect::default()
    })
    .unwrap()
}

/// Captures that look for everything.
fn greedy() -> Captures {
    let capture =
        |name: &str, source| Capture { name: name.to_owned(), source, regex: Some("[^ ]+".to_owned()) };
    Captures::new(&[
        capture("json", Source::Json("$..*".to_owned())),
        capture("xpath", Source::XPath("//*[last()]".to_owned(), Vec::new())),
    ])
    .unwrap()
}

/// What is told: in one line, not long, and without a number that may be a patient's.
fn fit(told: &str) {
    assert!(told.len() < 2_000 && !told.contains('\n'), "{told:?}");
    assert_eq!(domain::scrubbed(told), told, "an NHS number is told");
}

/// Headers of an answer.
const HEADERS: [&str; 6] =
    ["retry-after", "deprecation", "sunset", "content-encoding", "server", "x-request-id"];

/// No body is unpacked to more.
const UNPACKED: usize = 64 * 1024;

/// What reads heads, packed bodies, certificates and tokens.
fn read_around_a_body(input: &[u8]) {
    let value: Vec<u8> = input.iter().copied().filter(|byte| !byte.is_ascii_control()).take(4_096).collect();
    let value = HeaderValue::from_bytes(&value).unwrap();
    let headers: HeaderMap =
        HEADERS.into_iter().map(|name| (HeaderName::from_static(name), value.clone())).collect();
    announced::retry_after(&headers, Timestamp::UNIX_EPOCH);
    announced::deprecation(&headers);
    unpack::coding(&headers).err().iter().for_each(|failure| fit(&failure.message));
    for (_, value) in transcript::headers(&headers) {
        fit(&value);
    }
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli] {
        match unpack::unpack(coding, input, UNPACKED) {
            Ok(unpacked) => assert!(unpacked.len() <= UNPACKED),
            Err(failure) => fit(&failure.message),
        }
    }
    let location = HeaderMap::from_iter([(header::LOCATION, value)]);
    let from = url::Url::parse("https://a.example/fhir/Patient").unwrap();
    let asked = redirect::Asked { from: &from, method: &hyper::Method::POST, has_body: true };
    let redirects = Redirects { at_most: 3, to: vec!["b.example".to_owned()] };
    for status in [302, 303, 308] {
        match redirect::leads(&redirects, &asked, (status, &location), 0) {
            Ok(led) => {
                let host = led.to.host_str();
                assert!(led.to.scheme() == "https" && (led.same || host == Some("b.example")), "{}", led.to);
                assert_eq!(led.same, host == from.host_str() && led.to.port_or_known_default() == Some(443));
            }
            Err(failure) => fit(&failure.message),
        }
    }
    let certificate = CertificateDer::from(input);
    tls::ends(&certificate);
    if let Some(seen) = transcript::certificate(&certificate) {
        [&seen.subject, &seen.issuer].into_iter().chain(&seen.names).for_each(|told| fit(told));
    }
    let _refused = credential::issued(answer::parsed(input).ok().as_ref());
}

/// All parsers on one input.
fn read_by_all(input: &[u8], expectations: &Expectations) {
    read_around_a_body(input);
    let mut values = Values::new("id");
    let taken = greedy().take(&HeaderMap::new(), input, &mut values);
    taken.err().iter().for_each(|failure| fit(&failure.message));
    for value in ["json", "xpath"].into_iter().filter_map(|name| values.get(name)) {
        assert!(value.len() <= Journey::LONGEST_VALUE && !value.contains(char::is_control), "{value:?}");
    }
    health::health_words(input);
    fit(&fault::of_answer(500, input).message);
    smtp::reply(input);
    proxy::read(input);
    if let Some(Ok(frame)) = mllp::frame(input) {
        mllp::acknowledgement(&frame).ok();
    }
    mllp::acknowledgement(input).err().iter().for_each(|why| fit(why));
    let related = header::HeaderValue::from_static("multipart/related; boundary=b; start=\"<r>\"");
    multipart::document(&HeaderMap::from_iter([(header::CONTENT_TYPE, related)]), input);
    let text = xml::text(input);
    let xml = Xml::parse(&text);
    xml.as_ref().err().into_iter().for_each(|why| fit(why));
    if let Ok(xml) = &xml {
        let xpath = XPath::new("//*[. = //*]/ancestor::*/following::node()", &[]).unwrap();
        xml.value(&xpath).err().iter().for_each(|why| fit(why));
    }
    for status in [200, 500] {
        for dialect in DIALECTS {
            let json = header::HeaderValue::from_static("application/json");
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
            let answer = Answer {
                status,
                headers: &headers,
                body: input,
                size: input.len() as u64,
                took: Duration::ZERO,
                broke_off: None,
                certificate: None,
                asked: true,
            };
            let reading = answer::read(expectations, dialect, answer, Timestamp::UNIX_EPOCH);
            reading.failure.iter().for_each(|failure| fit(&failure.message));
            reading.expectations.iter().for_each(|expectation| fit(&expectation.seen));
            let json = answer::parsed(input).ok();
            let complaint = dialect::complaint(dialect, json.as_ref(), Some(&xml), true);
            if let Some(complaint) = complaint {
                fit(&complaint.words);
            }
        }
    }
}

#[test]
fn no_input_breaks_a_parser_or_keeps_it_long() {
    #[expect(clippy::disallowed_methods, reason = "how long to go on is for whoever runs it to say")]
    let seconds = std::env::var("CURIAD_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let (expectations, seeds) = (curious(), seeds());
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let run = |first: u64| {
        let (began, limit) = (Instant::now(), Duration::from_secs(seconds) / u32::try_from(threads).unwrap());
        let (mut number, mut longest) = (first, Duration::ZERO);
        while began.elapsed() < limit {
            let input = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1).input(&seeds);
            let at = Instant::now();
            let broke = catch_unwind(AssertUnwindSafe(|| read_by_all(&input, &expectations))).is_err();
            assert!(!broke, "input {number}: {:?}", String::from_utf8_lossy(&input));
            longest = longest.max(at.elapsed());
            assert!(longest < LONG, "input {number} of {} bytes took {longest:?}", input.len());
            number += threads;
        }
        (number / threads, longest)
    };
    let ran: Vec<(u64, Duration)> = thread::scope(|scope| {
        let started: Vec<_> = (1..=threads).map(|first| scope.spawn(move || run(first))).collect();
        started.into_iter().map(|one| one.join().unwrap_or_else(|broke| resume_unwind(broke))).collect()
    });
    let (inputs, longest) =
        ran.into_iter().fold((0, Duration::ZERO), |all, one| (all.0 + one.0, all.1.max(one.1)));
    println!("{inputs} inputs in {seconds} s of {threads} threads together, the longest took {longest:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_read(input in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        read_by_all(&input, &curious());
    }

    #[test]
    fn any_text_is_read(input in "(\\PC|[<>&'\"{}\\[\\]:,|^\r\n]){0,400}") {
        read_by_all(input.as_bytes(), &curious());
    }
}
