//! The bare loop: the least that probing at an even pace can cost, to set Curiad's cost against (DESIGN §10).
//!
//! A fresh connection for each probe, its phases timed, on hyper's own connection API; the probes of one interval
//! spread evenly over it. It judges nothing, stores nothing and keeps no connection.

use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Uri, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::json;
use std::{
    error::Error,
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::{JoinSet, LocalSet},
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::TlsConnector;

type Failed = Box<dyn Error + Send + Sync>;

/// Linux counts processor time in hundredths of a second for programs that ask, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;
const LONGEST_PROBE: Duration = Duration::from_secs(5);

#[derive(Parser)]
#[command(about = "The least that probing at an even pace can cost; prints one line of JSON.")]
struct Arguments {
    /// How many checks there are.
    #[arg(long)]
    checks: u32,
    /// Each check's interval, like 10s.
    #[arg(long, value_parser = duration, default_value = "10s")]
    every: Duration,
    /// How long to measure, after one interval to warm up; a whole number of intervals.
    #[arg(long = "for", value_parser = duration, default_value = "40s")]
    measured: Duration,
    /// What to probe: an address and a port, since names are not looked up here.
    #[arg(long)]
    url: Uri,
    /// Wake up only at multiples of this, and start all that is due; 0ms for one wake-up a probe.
    #[arg(long, value_parser = duration, default_value = "10ms")]
    tick: Duration,
    /// Speak TLS, each time with a full handshake.
    #[arg(long, requires = "ca")]
    tls: bool,
    /// The certificate, as PEM, that the target's must hang on.
    #[arg(long)]
    ca: Option<PathBuf>,
}

/// Where every probe goes, worked out once.
struct Target {
    address: SocketAddr,
    path: Uri,
    host: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// What one probe took. The same phases as Curiad's, less the name, which is not looked up.
struct Phases {
    connect: Duration,
    tls: Duration,
    first_byte: Duration,
    body: Duration,
}

#[derive(Default)]
struct Sum {
    probes: u32,
    failed: u32,
    phases: [Duration; 4],
    why: Option<String>,
}

fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let line = LocalSet::new().block_on(&runtime, run(&arguments))?;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<serde_json::Value, Failed> {
    let target = Rc::new(target(arguments)?);
    let step = arguments.every / arguments.checks;
    let warm = arguments.checks;
    let rounds = u32::try_from(arguments.measured.as_millis() / arguments.every.as_millis())?;
    let last = warm + arguments.checks * rounds;

    let mut running: JoinSet<Result<Phases, Failed>> = JoinSet::new();
    let mut lags = Vec::new();
    let mut sum = Sum::default();
    let mut used = 0.0;
    let start = Instant::now();
    let mut next = 0;
    while next < last {
        let due = start + step * next;
        sleep_until(start + on_tick(due - start, arguments.tick)).await;
        let woken = Instant::now();
        while next < last && start + step * next <= woken {
            if next == warm {
                sum = Sum::default();
                used = processor_seconds()?;
            }
            let target = Rc::clone(&target);
            running.spawn_local(async move { timeout(LONGEST_PROBE, probe(&target)).await? });
            if next >= warm {
                lags.push(Instant::now() - (start + step * next));
            }
            next += 1;
        }
        while let Some(ended) = running.try_join_next() {
            sum.add(ended?);
        }
    }
    while let Some(ended) = running.join_next().await {
        sum.add(ended?);
    }
    let used = processor_seconds()? - used;
    let probes = f64::from(arguments.checks * rounds);
    let mean = |phase: Duration| phase.as_secs_f64() * 1e3 / f64::from(sum.probes.max(1));
    let [connect, tls, first_byte, body] = sum.phases.map(mean);
    Ok(json!({
        "cpu_s_per_1000": used / probes * 1e3,
        "cpu_s": used,
        "probes": arguments.checks * rounds,
        "failed": sum.failed,
        "why": sum.why,
        "lag_ms": benches::spread(lags.iter().map(|lag| lag.as_secs_f64() * 1e3).collect()),
        "phases_ms": { "connect": connect, "tls": tls, "first_byte": first_byte, "body": body },
        "rss_mib": resident_mib()?,
    }))
}

impl Sum {
    fn add(&mut self, ended: Result<Phases, Failed>) {
        match ended {
            Ok(Phases { connect, tls, first_byte, body }) => {
                self.probes += 1;
                for (whole, one) in self.phases.iter_mut().zip([connect, tls, first_byte, body]) {
                    *whole += one;
                }
            }
            Err(error) => {
                self.failed += 1;
                self.why.get_or_insert(error.to_string());
            }
        }
    }
}

async fn probe(target: &Target) -> Result<Phases, Failed> {
    let begin = Instant::now();
    let stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    let connect = begin.elapsed();
    match &target.tls {
        None => exchange(target, stream, connect, Duration::ZERO).await,
        Some((connector, name)) => {
            let begin = Instant::now();
            let stream = connector.connect(name.clone(), stream).await?;
            exchange(target, stream, connect, begin.elapsed()).await
        }
    }
}

async fn exchange<S>(target: &Target, stream: S, connect: Duration, tls: Duration) -> Result<Phases, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let begin = Instant::now();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(target.path.clone()).header(HOST, &target.host).body(Empty::<Bytes>::new())?;
    let talk = async {
        let response = sender.send_request(request).await?;
        let first = Instant::now();
        let good = response.status().is_success();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame?;
        }
        drop(sender);
        let (first_byte, body) = (first.duration_since(begin), first.elapsed());
        if good { Ok(Phases { connect, tls, first_byte, body }) } else { Err(Failed::from("not a 2xx")) }
    };
    let (phases, _closed) = tokio::join!(talk, connection);
    phases
}

fn target(arguments: &Arguments) -> Result<Target, Failed> {
    let host = arguments.url.authority().ok_or("--url needs an address and a port")?.to_string();
    let address: SocketAddr = host.parse().map_err(|_| format!("{host} is not an address and a port"))?;
    let path = arguments.url.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let tls = match &arguments.ca {
        Some(ca) if arguments.tls => Some((connector(ca)?, ServerName::from(address.ip()))),
        _ => None,
    };
    Ok(Target { address, path, host, tls })
}

fn connector(ca: &Path) -> Result<TlsConnector, Failed> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The first multiple of `tick` that is not before `offset`.
fn on_tick(offset: Duration, tick: Duration) -> Duration {
    if tick.is_zero() {
        return offset;
    }
    let ticks = offset.as_nanos().div_ceil(tick.as_nanos());
    u32::try_from(ticks).map_or(offset, |ticks| tick * ticks)
}

/// Seconds of processor that this program has used, its kernel's part included.
fn processor_seconds() -> Result<f64, Failed> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Fields are counted after the name, which may hold blanks: user and system time are the 12th and 13th.
    let after = stat.rsplit_once(") ").ok_or("unreadable /proc/self/stat")?.1;
    let mut ticks = 0.0;
    for field in after.split(' ').skip(11).take(2) {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks / TICKS_PER_SECOND)
}

fn resident_mib() -> Result<f64, Failed> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    Ok(line.trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| format!("{text} is not like 10s or 10ms"))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(60 * number)),
        _ => Err(format!("{text} is not like 10s or 10ms")),
    }
}
