//! The fault suite: named faults of every layer, each with the one verdict, layer and kind that it must have, and with the
//! phases that must have a time. Beside each of them, at the same time and by the same prober, a neighbour that is well is
//! probed, and must not be disturbed.

mod answers;
mod names;
mod own;
mod plain;
mod redirects;
mod secured;
mod table;
mod two;

use crate::{
    certificates::Authority,
    servers::{Server, head, ok},
    setting::{check, message, noon, request, settings, sound},
};
use domain::{Check, FailureKind, HttpRequest, Layer, Outcome, Verdict, judge};
use prober::Prober;
use std::{any::Any, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet, time::Instant};

/// One way that things go wrong, and what must be seen of it.
pub(crate) struct Fault {
    name: &'static str,
    check: Check,
    verdict: Verdict,
    /// What the failure may be: more than one only where the system decides which comes first.
    seen: Vec<(Layer, FailureKind)>,
    /// What is slow; else nothing is that ends in time.
    slow: Duration,
    /// The phases that must have a time, and no others.
    marks: &'static str,
    /// Who probes it, where it is not the one who probes all.
    prober: Option<Arc<Prober>>,
    /// Servers end when they are dropped.
    _servers: Vec<Box<dyn Any + Send>>,
}

impl Fault {
    /// At a server that is there for it alone.
    fn at(name: &'static str, url: &str, server: impl Any + Send) -> Self {
        Self {
            name,
            check: check(url),
            verdict: Verdict::Pass,
            seen: Vec::new(),
            slow: Duration::MAX,
            marks: "connect first_byte body",
            prober: None,
            _servers: vec![Box::new(server)],
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Check)) -> Self {
        change(&mut self.check);
        self
    }

    fn asks(self, change: impl FnOnce(&mut HttpRequest)) -> Self {
        self.with(|check| change(request(check)))
    }

    fn fails(self, layer: Layer, kind: FailureKind) -> Self {
        self.is(Verdict::Fail, layer, kind)
    }

    fn is(mut self, verdict: Verdict, layer: Layer, kind: FailureKind) -> Self {
        self.verdict = verdict;
        self.seen.push((layer, kind));
        self
    }

    fn or(mut self, layer: Layer, kind: FailureKind) -> Self {
        self.seen.push((layer, kind));
        self
    }

    fn marks(mut self, marks: &'static str) -> Self {
        self.marks = marks;
        self
    }

    /// It ends only with the probe's own time: long enough for all phases before on a busy machine.
    fn hangs(self) -> Self {
        self.with(|check| check.timeout = Duration::from_millis(1_500))
    }

    fn by(mut self, prober: Prober) -> Self {
        self.prober = Some(Arc::new(prober));
        self
    }
}

fn marks(outcome: &Outcome) -> String {
    let phases = &outcome.phases;
    let all = [
        ("dns", phases.dns),
        ("connect", phases.connect),
        ("tls", phases.tls),
        ("first_byte", phases.first_byte),
        ("body", phases.body),
    ];
    let marked = all.iter().filter(|(_, took)| took.is_some()).map(|(name, _)| *name);
    marked.collect::<Vec<_>>().join(" ")
}

/// How much longer a neighbour may take than one that was probed alone.
const DISTURBED: Duration = Duration::from_secs(1);

/// Probes a neighbour that is well; and how long that took from the outside, with all that it waited for.
async fn beside(prober: &Prober, neighbour: &Check) -> (Outcome, Duration) {
    let began = Instant::now();
    let outcome = prober.probe(neighbour, noon(), false).await;
    (outcome, began.elapsed())
}

/// What is wrong with what was seen of a fault; `None`: nothing.
fn wrong(
    fault: &Fault,
    outcome: &Outcome,
    (neighbour, took): &(Outcome, Duration),
    alone: Duration,
) -> Option<String> {
    sound(outcome);
    let verdict = judge(outcome, fault.slow);
    let seen = outcome.failure.as_ref().map(|failure| (failure.layer, failure.kind));
    let expected = if fault.seen.is_empty() {
        seen.is_none()
    } else {
        seen.is_some_and(|seen| fault.seen.contains(&seen))
    };
    let in_time = outcome.total < fault.check.timeout + Duration::from_secs(2);
    let undisturbed = neighbour.failure.is_none() && *took < alone + DISTURBED;
    let right =
        verdict == fault.verdict && expected && marks(outcome) == fault.marks && in_time && undisturbed;
    (!right).then(|| {
        format!(
            "{}: {verdict} {seen:?} with '{}' after {:?} ({}); expected {} {:?} with '{}'; neighbour: {:?} after {took:?}, alone {alone:?}",
            fault.name,
            marks(outcome),
            outcome.total,
            message(outcome),
            fault.verdict,
            fault.seen,
            fault.marks,
            neighbour.failure
        )
    })
}

/// All at once, each beside its neighbour.
async fn suffer(authority: &Authority, faults: Vec<Fault>) {
    let well = Server::start(|mut stream: TcpStream| async move {
        head(&mut stream).await;
        stream.write_all(ok("pong").as_bytes()).await.ok();
    })
    .await;
    let mut trusting = settings();
    trusting.roots = vec![authority.der.clone()];
    let prober = Arc::new(Prober::new(trusting).unwrap());
    // Patient: it must pass, however busy this machine is.
    let neighbour = Check { timeout: Duration::from_secs(9), ..check(&well.url()) };
    let (undisturbed, alone) = beside(&prober, &neighbour).await;
    assert_eq!(undisturbed.failure, None);
    let (mut flying, mut all) = (JoinSet::new(), Vec::new());
    for fault in faults {
        let prober = fault.prober.clone().unwrap_or_else(|| prober.clone());
        let neighbour = neighbour.clone();
        flying.spawn(async move {
            let (seen, beside) =
                tokio::join!(prober.probe(&fault.check, noon(), false), beside(&prober, &neighbour));
            let wrong = wrong(&fault, &seen, &beside, alone);
            (fault.name, wrong, beside.1)
        });
    }
    let (mut found, mut longest) = (Vec::new(), alone);
    while let Some(one) = flying.join_next().await {
        let (name, wrong, took) = one.unwrap();
        longest = longest.max(took);
        all.push(name);
        found.extend(wrong);
    }
    println!("{} faults; neighbours took {longest:?} at most, alone {alone:?}", all.len());
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), all.len(), found.join("\n"));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "each has a name of its own");
}

#[tokio::test]
async fn faults_of_names_and_connections() {
    suffer(&Authority::new(), names::all().await).await;
}

#[tokio::test]
async fn faults_of_http_1() {
    suffer(&Authority::new(), plain::all().await).await;
}

#[tokio::test]
async fn faults_of_answers() {
    suffer(&Authority::new(), answers::all().await).await;
}

#[tokio::test]
async fn faults_of_redirects() {
    let authority = Authority::new();
    suffer(&authority, redirects::all(&authority).await).await;
}

#[tokio::test]
async fn faults_of_tls() {
    let authority = Authority::new();
    suffer(&authority, secured::all(&authority).await).await;
}

#[tokio::test]
async fn faults_of_our_own_and_of_tokens() {
    let authority = Authority::new();
    suffer(&authority, own::all(&authority).await).await;
}

#[tokio::test]
async fn faults_of_http_2() {
    let authority = Authority::new();
    suffer(&authority, two::all(&authority).await).await;
}
