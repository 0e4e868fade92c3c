//! The program under measurement: its files, its start, what it answers, its end.

use crate::Failed;
use simulator::File;
use std::{
    fs::{self, OpenOptions},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// One step takes longer only when something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// `curiad serve` in a directory of its own; killed when dropped.
#[derive(Debug)]
pub struct Program {
    curiad: PathBuf,
    directory: PathBuf,
    public: SocketAddr,
    internal: SocketAddr,
    client: reqwest::Client,
    child: Option<Child>,
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself: then there is nothing to kill.
            let _gone = child.kill();
            let _ended = child.wait();
        }
    }
}

impl Program {
    /// Writes the files that `configuration` gives for the public page's URL below `directory`; starts nothing.
    pub fn new(
        curiad: &Path,
        directory: PathBuf,
        configuration: impl FnOnce(&str) -> Result<Vec<File>, Failed>,
    ) -> Result<Self, Failed> {
        let (public, internal) = (free_address()?, free_address()?);
        for file in configuration(&format!("http://{public}"))? {
            let path = directory.join("config").join(file.path);
            fs::create_dir_all(path.parent().unwrap_or(&directory))?;
            fs::write(path, file.text)?;
        }
        let curiad = fs::canonicalize(curiad).map_err(|error| format!("{}: {error}", curiad.display()))?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
        Ok(Self { curiad, directory, public, internal, client, child: None })
    }

    /// Starts it. What it says goes to [`Program::log`].
    pub fn start(&mut self) -> Result<(), Failed> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let child = Command::new(&self.curiad)
            .current_dir(&self.directory)
            .arg("--config")
            .arg(self.directory.join("config"))
            .args(["serve", "--listen", &self.public.to_string()])
            .args(["--listen-internal", &self.internal.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", self.curiad.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// What the internal listener answers at `path`.
    pub async fn ask(&self, path: &str) -> Result<String, Failed> {
        let url = format!("http://{}/{path}", self.internal);
        Ok(self.client.get(url).send().await?.text().await?)
    }

    /// Waits until what `paths` answer `holds`, looking so often; an error when it ends before, or that takes too long.
    pub async fn until<const N: usize>(
        &mut self,
        paths: [&str; N],
        holds: impl Fn([&str; N]) -> bool,
        (what, look_again): (&str, Duration),
    ) -> Result<(), Failed> {
        let limit = Instant::now() + PATIENCE;
        loop {
            let mut answers = Vec::new();
            for path in paths {
                // Before it listens, it cannot be asked.
                answers.extend(self.ask(path).await.ok());
            }
            let answered = <[String; N]>::try_from(answers).ok();
            if answered.is_some_and(|answers| holds(answers.each_ref().map(String::as_str))) {
                return Ok(());
            }
            if let Some(ended) = self.ended()? {
                return Err(format!("curiad ended with {ended}; see {}", self.log().display()).into());
            }
            if Instant::now() >= limit {
                return Err(format!("no {what} within {PATIENCE:?}; see {}", self.log().display()).into());
            }
            sleep(look_again).await;
        }
    }

    /// Sends it a signal: `KILL`, `STOP`…
    pub fn signal(&self, name: &str) -> Result<(), Failed> {
        let id = self.child.as_ref().map(Child::id).ok_or("it does not run")?;
        let sent = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status()?;
        if sent.success() { Ok(()) } else { Err(format!("kill -{name} {id}: {sent}").into()) }
    }

    /// Waits until it has ended.
    pub async fn end(&mut self, look_again: Duration) -> Result<(), Failed> {
        let limit = Instant::now() + PATIENCE;
        while self.child.is_some() && self.ended()?.is_none() {
            if Instant::now() >= limit {
                let log = self.log();
                return Err(format!("it does not end within {PATIENCE:?}; see {}", log.display()).into());
            }
            sleep(look_again).await;
        }
        self.child = None;
        Ok(())
    }

    /// Where its log is.
    pub fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Failed> {
        Ok(self.child.as_mut().map(Child::try_wait).transpose()?.flatten())
    }
}

/// An address that was free a moment ago. Another program may take it; the start then fails and says so.
fn free_address() -> Result<SocketAddr, Failed> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
