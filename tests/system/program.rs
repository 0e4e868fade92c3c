//! The real program as a child process, with a configuration of its own, and a world to run against.

use crate::database::{Fresh, On};
use serde_json::Value;
use simulator::{Ports, World, WorldOptions};
use std::{
    ffi::OsStr,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::sleep;

/// Longer than anything a test waits for takes on a busy machine; reached only when it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program's file.
pub(crate) const CURIAD: &str = env!("CARGO_BIN_EXE_curiad");

/// Where another test may have the usual ports, which are taken before anything is opened.
pub(crate) const SERVE: &[&str] = &["serve", "--listen", "127.0.0.1:0", "--listen-internal", "127.0.0.1:0"];

/// A directory with a configuration for `curiad serve`, and the ports it will listen on.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
    /// The database's URL.
    pub(crate) url: String,
    pub(crate) public: u16,
    pub(crate) internal: u16,
    /// Where it is one of a server.
    fresh: Option<Fresh>,
}

/// Two ports that were free a moment ago, below those that the system gives away by itself: they stay free for a program that
/// dies and is started again. Another may take one all the same; the start then fails and says so.
pub(crate) fn free_ports() -> [u16; 2] {
    const PORTS: u32 = 8_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Tests that run at the same time begin at different places.
    let mine = std::process::id().wrapping_mul(1_009);
    [(); 2].map(|()| {
        loop {
            let place = mine.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS;
            let port = 12_000 + u16::try_from(place).expect("a small number");
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return port;
            }
        }
    })
}

/// A world of the demo's estate, without waiting.
pub(crate) async fn world() -> World {
    world_with(|_| {}).await
}

pub(crate) async fn world_with(change: impl FnOnce(&mut WorldOptions)) -> World {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut options = WorldOptions::new(Arc::new(now));
    options.ports = Ports::default();
    change(&mut options);
    World::start(options).await.expect("a world")
}

#[expect(clippy::disallowed_methods, reason = "the world of a test runs on real time, as the program does")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// In which the program rolls days up: whoever asks by the days of another would have the hours about midnight twice.
pub(crate) fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Europe/London").expect("a zone")
}

impl Place {
    /// A place with these files, `{{public}}` and `{{internal}}` filled in.
    pub(crate) fn new(files: &[(&str, String)]) -> Self {
        Self::on(On::Sqlite, files)
    }

    /// The same on either database.
    pub(crate) fn on(on: On, files: &[(&str, String)]) -> Self {
        let directory = TempDir::new().expect("a directory");
        let [public, internal] = free_ports();
        let fresh = (on == On::Postgres).then(Fresh::new);
        let file = format!("sqlite://{}", directory.path().join("curiad.db").display());
        let place = Self {
            url: fresh.as_ref().map_or(file, |fresh| fresh.url.clone()),
            directory,
            public,
            internal,
            fresh,
        };
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    /// Writes a file below `config/`.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.config().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        let text = text
            .replace("{{public}}", &format!("http://127.0.0.1:{}", self.public))
            .replace("{{database}}", &self.url);
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("config")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.path().join("curiad.db")
    }

    /// All that is in the database, while no program has it: SQLite's files as they are, or a dump.
    pub(crate) fn stored(&self) -> String {
        if let Some(fresh) = &self.fresh {
            return fresh.dump();
        }
        let files = ["curiad.db", "curiad.db-wal"].map(|name| fs::read(self.directory.path().join(name)));
        let files: Vec<u8> = files.into_iter().flatten().flatten().collect();
        String::from_utf8_lossy(&files).into_owned()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// The program with arguments, on this configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CURIAD);
        // Where the database is on a server, the spool is where the program runs.
        command.current_dir(self.directory.path());
        command.arg("--config").arg(self.config()).args(arguments).env("USER", "tester").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let output =
            tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("run");
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts `curiad serve`.
    pub(crate) fn serve(&self) -> Program {
        self.serve_with(&[])
    }

    /// The same with these in its environment.
    pub(crate) fn serve_with(&self, environment: &[(&str, &OsStr)]) -> Program {
        self.serve_as(&[], environment)
    }

    /// The same with more flags too.
    pub(crate) fn serve_as(&self, more: &[&str], environment: &[(&str, &OsStr)]) -> Program {
        let mut serve = self.serving();
        serve.args(more).envs(environment.iter().copied());
        self.start(serve)
    }

    /// `curiad serve` on this place's ports, not started.
    pub(crate) fn serving(&self) -> Command {
        let listen = format!("127.0.0.1:{}", self.public);
        let internal = format!("127.0.0.1:{}", self.internal);
        self.command(&["serve", "--listen", &listen, "--listen-internal", &internal])
    }

    /// Starts a command that runs `curiad serve` on this place's ports, or on others.
    pub(crate) fn start(&self, serve: Command) -> Program {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("a log");
        self.start_into(serve, log.try_clone().expect("a log").into(), log.into())
    }

    /// The same with what it says going elsewhere.
    pub(crate) fn start_into(&self, mut serve: Command, out: Stdio, errors: Stdio) -> Program {
        let child = serve
            .env("CURIAD_LOG", "info")
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .expect("the program starts");
        Program { child: Some(child), public: self.public, internal: self.internal, log: self.log() }
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// A running `curiad serve`; killed when dropped.
pub(crate) struct Program {
    child: Option<Child>,
    public: u16,
    internal: u16,
    log: PathBuf,
}

impl Program {
    pub(crate) fn public(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.public)
    }

    pub(crate) fn internal(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.internal)
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self) {
        let url = self.internal("/readyz");
        self.wait(|| async { status(&url).await == Some(200) }, "ready").await;
    }

    /// Waits until a condition holds; fails with the end of the log when it does not.
    pub(crate) async fn wait<F: Future<Output = bool>>(&mut self, holds: impl FnMut() -> F, what: &str) {
        self.wait_within(PATIENCE, holds, what).await;
    }

    /// The same for what takes its time by a rule.
    pub(crate) async fn wait_within<F: Future<Output = bool>>(
        &mut self,
        patience: Duration,
        mut holds: impl FnMut() -> F,
        what: &str,
    ) {
        let limit = Instant::now() + patience;
        while !holds().await {
            if let Some(ended) = self.ended() {
                panic!("waiting for {what}: the program ended with {ended}\n{}", tail(&self.log));
            }
            assert!(Instant::now() < limit, "waiting for {what}\n{}", tail(&self.log));
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().expect("a status"))
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
    }

    /// Sends it a signal: `HUP`, `STOP`…
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(id).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits until it ends by itself.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let limit = Instant::now() + PATIENCE;
        loop {
            if let Some(ended) = self.ended() {
                return ended;
            }
            assert!(Instant::now() < limit, "it does not end\n{}", tail(&self.log));
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().expect("running").id()
    }

    /// SIGTERM, and how it ended.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        self.stop().await
    }

    /// The same, where another is to take its place.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        loop {
            if let Some(ended) = self.ended() {
                self.child = None;
                return ended;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _ended = child.wait();
        }
    }
}

/// The end of a file, for a failing test.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(60)).copied().collect::<Vec<_>>().join("\n")
}

pub(crate) async fn status(url: &str) -> Option<u16> {
    Some(client().get(url).send().await.ok()?.status().as_u16())
}

pub(crate) async fn text(url: &str) -> String {
    let answer = client().get(url).send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
    answer.text().await.expect("a body")
}

pub(crate) async fn json(url: &str) -> Value {
    serde_json::from_str(&text(url).await).unwrap_or_else(|error| panic!("{url}: {error}"))
}

pub(crate) fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    // Nothing here is https, and reading all of the system's certificates for each request was a tenth of what the stories compute.
    let none: [reqwest::Certificate; 0] = [];
    let builder = reqwest::Client::builder().tls_certs_only(none);
    builder.timeout(Duration::from_secs(10)).build().expect("a client")
}
