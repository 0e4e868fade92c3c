//! Who holds the lease: a machine and a process, written so that people can read it, and so that a program on the same
//! machine can tell for certain that the one before it is gone.

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};
use std::{fmt, fs, process};

/// A process, and where its number means anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The machine's name, for people.
    machine: String,
    process: u32,
    /// When it started, in ticks since the machine did: numbers are given again.
    started: u64,
    /// Where numbers of processes are given; containers have their own.
    space: String,
    /// The machine's own name for the time since it was switched on: no two are the same.
    boot: String,
}

impl Holder {
    /// This program. `None` where the system does not say so much of it.
    pub(crate) fn this() -> Option<Self> {
        let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let space = fs::read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned();
        Some(Self {
            machine: read("/proc/sys/kernel/hostname")?,
            process: process::id(),
            started: stat(&read("/proc/self/stat")?)?.1,
            space,
            boot: read("/proc/sys/kernel/random/boot_id")?,
        })
    }

    /// One that was written by [`fmt::Display`]; `None`: by another way of writing it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (who, rest) = text.split_once("; ")?;
        let (machine, process) = who.split_once(", process ")?;
        let [started, space, boot] = rest.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Self {
            machine: machine.to_owned(),
            process: process.parse().ok()?,
            started: started.parse().ok()?,
            space: space.to_owned(),
            boot: boot.to_owned(),
        })
    }

    /// Whether it has ended, for certain: it was a process of this machine, which has run since, and is none now. Of another
    /// machine's nothing is known.
    pub(crate) fn is_gone(&self) -> bool {
        let Some(here) = Self::this() else { return false };
        if here.boot != self.boot || here.space != self.space {
            return false;
        }
        let number = i32::try_from(self.process).ok().and_then(Pid::from_raw);
        // Asks whether there is such a process; a process of somebody else's answers "not permitted".
        if number.is_some_and(|number| test_kill_process(number) == Err(Errno::SRCH)) {
            return true;
        }
        let now = fs::read_to_string(format!("/proc/{}/stat", self.process)).ok();
        // Ended and not yet buried, or another one with the same number.
        now.and_then(|text| stat(&text))
            .is_some_and(|(state, started)| matches!(state, 'Z' | 'X') || started != self.started)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, process, started, space, boot } = self;
        write!(f, "{machine}, process {process}; {started} {space} {boot}")
    }
}

/// A holder as it was written, for people.
pub(crate) fn plain(written: &str) -> &str {
    written.split("; ").next().unwrap_or(written)
}

/// A process's state and when it started, from its `/proc/…/stat`: after the name, which may hold anything.
fn stat(text: &str) -> Option<(char, u64)> {
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn who_is_written_is_read_again_and_people_read_the_beginning() {
        let this = Holder::this().unwrap();
        assert_eq!(Holder::parse(&this.to_string()), Some(this.clone()));
        assert_eq!(plain(&this.to_string()), format!("{}, process {}", this.machine, process::id()));
        assert_eq!(Holder::parse("db.example (process 7)"), None);
    }

    #[test]
    fn only_a_process_of_this_machine_that_is_no_more_is_gone() {
        let this = Holder::this().unwrap();
        assert!(!this.is_gone(), "this one lives");
        assert!(Holder { started: this.started + 1, ..this.clone() }.is_gone(), "another had its number");
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let holder = Holder { process: child.id(), started: stat(&text).unwrap().1, ..this.clone() };
        assert!(!holder.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(holder.is_gone());
        for elsewhere in [
            Holder { boot: "another".to_owned(), ..holder.clone() },
            Holder { space: "pid:[1]".to_owned(), ..holder.clone() },
        ] {
            assert!(!elsewhere.is_gone(), "of {elsewhere} nothing is known");
        }
    }

    #[test]
    fn a_name_with_brackets_and_blanks_is_no_matter() {
        let text = "7 (a) R (b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1816050 2998272 414";
        assert_eq!(stat(text), Some(('S', 1_816_050)));
    }
}
