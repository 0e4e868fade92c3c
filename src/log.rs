//! The log on standard error, written by a thread of its own. A pipe that nobody reads holds up that thread and no other:
//! lines that find no room are dropped, counted, and spoken of when it is read again.

use crate::exit::{Failed, SOFTWARE};
use std::{
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// What waits to be written, in bytes: over a thousand lines.
const WAITS: usize = 256 * 1024;
/// What may wait beyond that of errors, a panic's words among them, and of the reason why the program ends.
const OF_ERRORS: usize = 64 * 1024;
/// At the end what waits has so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// The log. Dropped, it waits a little for what is not written yet.
#[derive(Debug)]
pub(crate) struct Log(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits.
    come: Condvar,
    /// All that came is written.
    written: Condvar,
    lost: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// Lines that found no room since the last that did.
    lost: u64,
    writes: bool,
}

impl Log {
    /// Starts its thread.
    pub(crate) fn start() -> Result<Self, Failed> {
        Self::to(io::stderr())
            .map_err(|error| Failed::new(SOFTWARE, format!("cannot start threads: {error}")))
    }

    fn to(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let writer = Arc::clone(&queue);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.write_to(sink))?;
        Ok(Self(queue))
    }

    /// Where lines are put; each is one write.
    pub(crate) fn lines(&self) -> Lines {
        Lines(Arc::clone(&self.0))
    }

    /// Says why the program ends.
    pub(crate) fn last_word(&self, text: &str) {
        self.0.add(format!("{text}\n").as_bytes(), OF_ERRORS);
    }

    /// How many lines found no room.
    pub(crate) fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.0.lost)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let unwritten = |waiting: &mut Waiting| waiting.writes || !waiting.text.is_empty();
        // Who does not read by now must not keep us from ending.
        drop(self.0.written.wait_timeout_while(waiting, PATIENCE, unwritten));
    }
}

impl Queue {
    fn add(&self, line: &[u8], beyond: usize) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.text.len() + line.len() > WAITS + beyond {
            waiting.lost += 1;
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.text.extend_from_slice(line);
        self.come.notify_one();
    }

    fn write_to(&self, mut sink: impl Write) {
        loop {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.writes = false;
            if waiting.text.is_empty() {
                self.written.notify_all();
                waiting = self
                    .come
                    .wait_while(waiting, |waiting| waiting.text.is_empty())
                    .unwrap_or_else(PoisonError::into_inner);
            }
            waiting.writes = true;
            let (text, lost) = (std::mem::take(&mut waiting.text), std::mem::take(&mut waiting.lost));
            drop(waiting);
            // A log that cannot be written, on a full disk, is no reason to end: to complain of it on the same disk would be.
            let _full = sink.write_all(&text);
            if lost > 0 {
                tracing::warn!("{lost} lines of the log are lost here: what reads it did not keep up");
            }
        }
    }
}

/// Where the lines of the log go.
#[derive(Debug)]
pub(crate) struct Lines(Arc<Queue>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { queue: &self.0, beyond: 0 }
    }

    fn make_writer_for(&'a self, line: &Metadata<'_>) -> Line<'a> {
        let beyond = if *line.level() == Level::ERROR { OF_ERRORS } else { 0 };
        Line { queue: &self.0, beyond }
    }
}

/// A line on its way into the log.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    queue: &'a Queue,
    /// How far it may go beyond what else may wait.
    beyond: usize,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.queue.add(line, self.beyond);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, time::Instant};

    #[test]
    fn a_pipe_that_nobody_reads_holds_up_nobody_and_is_told_what_it_missed() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let log = Log::to(writer).expect("a log");
        let (lines, line) = (log.lines(), format!("{}\n", "x".repeat(999)));
        for _ in 0..2_000 {
            lines.make_writer().write_all(line.as_bytes()).expect("it is taken, or dropped");
        }
        let missed = log.lost().load(Ordering::Relaxed);
        assert!((1..2_000).contains(&missed), "{missed}");
        log.last_word("curiad: why it ends");
        let began = Instant::now();
        drop(log);
        assert!(began.elapsed() >= PATIENCE, "who reads late has had a chance");
        let mut read = vec![0; (2_000 - usize::try_from(missed).expect("few")) * 1_000];
        reader.read_exact(&mut read).expect("all that found room");
        let mut last = [0; 20];
        reader.read_exact(&mut last).expect("the last word");
        assert_eq!(&last, b"curiad: why it ends\n");
    }

    #[test]
    fn what_was_said_is_written_before_the_end() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let log = Log::to(writer).expect("a log");
        log.lines().make_writer().write_all(b"a line\n").expect("taken");
        log.last_word("curiad: why it ends");
        drop(log);
        let mut all = [0; 27];
        reader.read_exact(&mut all).expect("written");
        assert_eq!(&all, b"a line\ncuriad: why it ends\n");
    }
}
