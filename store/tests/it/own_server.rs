//! A server of a test's own, for what would disturb the others.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

/// A server of its own, which can be stopped.
pub(crate) struct Server {
    script: Child,
    pub(crate) url: String,
    control: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/postgres");
        let mut script = std::process::Command::new(script)
            .args(["bash", "-c"])
            .arg(r#"echo "$CURIAD_TEST_POSTGRES"; echo "$CURIAD_TEST_POSTGRES_CONTROL"; read -r _"#)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/postgres runs");
        let mut lines = BufReader::new(script.stdout.take().expect("it is piped")).lines();
        let mut line = || lines.next().expect("it starts").expect("it is text");
        Self { url: line(), control: line(), script }
    }

    pub(crate) fn control(&self, what: &str) {
        let mut words = self.control.split(' ');
        let done = std::process::Command::new(words.next().expect("a command"))
            .args(words)
            .args(what.split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .expect("it runs");
        assert!(done.success(), "{what}: {done}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The script's command reads to the end, and then all of it is gone.
        drop(self.script.stdin.take());
        self.script.wait().ok();
    }
}
