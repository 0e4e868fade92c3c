//! The spool: a file in which outcomes wait while the store takes nothing (invariant 6).
//!
//! A head, then records one after the other; each has a checksum over the head's salt, its own place and its bytes. So
//! a tail that a crash tore is recognised and cut, and what an earlier outage left behind is never taken for a record:
//! once all has been taken out, the head gets another salt and the room is used again. Room is really allocated
//! beforehand, because the disk that is full is mostly the database's own.
//!
//! What is recorded twice is recorded once, so nothing notes how far it was emptied: after a crash it is read again.
//! Blocking: never called on a thread that probes.

mod aside;
mod record;

pub use aside::{count_set_aside, set_aside_in};
pub(crate) use record::{Late, Record};

use record::{Frame, HEAD, MAGIC};
use ring::rand::{SecureRandom, SystemRandom};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use store::crash_point;

/// Room that is kept at all times: about 25,000 outcomes, or four minutes at 100 a second.
pub(crate) const RESERVED: u64 = 4 << 20;
/// The spool grows no further: about 400,000 outcomes, or an hour at 100 a second.
pub(crate) const LARGEST: u64 = 64 << 20;
/// Written at a time while room is made.
const STRIDE: usize = 64 << 10;
/// Read at a time.
const WINDOW: usize = 1 << 20;

/// Why there is no spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Two programs cannot share one.
    #[error(
        "another curiad uses the spool {}\nstop it, or give this one a spool of its own: `spool: PATH`", .0.display()
    )]
    Taken(PathBuf),
    /// It is something else.
    #[error("{} is not a spool of curiad's\nmove it away, or name another file: `spool: PATH`", .0.display())]
    Foreign(PathBuf),
    /// It cannot be opened, read or written.
    #[error("the spool {} cannot be used: {source}", .path.display())]
    Io {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A file in which outcomes wait; the oldest are taken out first.
#[derive(Debug)]
pub struct Spool {
    file: File,
    path: PathBuf,
    salt: [u8; HEAD - MAGIC.len()],
    /// Of the next record to be taken out, and of the next to be put in; within the file.
    from: u64,
    to: u64,
    /// Bytes that are allocated.
    room: u64,
    reserved: u64,
    largest: u64,
    waiting: u64,
    /// When the last resort was last told, as a record of it says.
    told_at: Option<jiff::Timestamp>,
}

/// What was put in.
#[derive(Debug)]
pub(crate) struct Taken {
    /// So many of those that were given, from the first on.
    pub(crate) count: usize,
    /// Why not all: the spool is full (`Ok`), or the disk is, or broken.
    pub(crate) rest: Result<(), io::Error>,
}

impl Spool {
    /// Opens the spool at `path`, or makes it: readable by its owner alone, and locked as long as it is open.
    pub fn open(path: &Path) -> Result<Self, SpoolError> {
        Self::within(path, RESERVED, LARGEST)
    }

    /// With other bounds, in bytes.
    pub(crate) fn within(path: &Path, reserved: u64, largest: u64) -> Result<Self, SpoolError> {
        let trouble = |source| SpoolError::Io { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(trouble)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(trouble(source)),
        }
        let room = file.metadata().map_err(trouble)?.len();
        let mut spool = Self {
            file,
            path: path.to_owned(),
            salt: Default::default(),
            from: HEAD as u64,
            to: HEAD as u64,
            room,
            reserved,
            largest,
            waiting: 0,
            told_at: None,
        };
        let head = spool.read(0, HEAD).map_err(trouble)?;
        match head.strip_prefix(MAGIC) {
            Some(salt) if salt.len() == spool.salt.len() => spool.salt.copy_from_slice(salt),
            // Cut off while it was made: there was nothing in it.
            Some(_) => spool.renew().map_err(trouble)?,
            None if head.iter().all(|byte| *byte == 0) => spool.renew().map_err(trouble)?,
            None => return Err(SpoolError::Foreign(path.to_owned())),
        }
        spool.find_end().map_err(trouble)?;
        Ok(spool)
    }

    /// Allocates the room that is kept at all times.
    pub(crate) fn reserve(&mut self) -> io::Result<()> {
        let zeros = vec![0; STRIDE];
        while self.room < self.reserved {
            let stride = STRIDE.min(usize::try_from(self.reserved - self.room).unwrap_or(STRIDE));
            self.file.write_all_at(zeros.get(..stride).unwrap_or_default(), self.room)?;
            self.room += stride as u64;
        }
        self.file.sync_all()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that wait in it.
    pub const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// When the last resort was last told during the outage that it holds, as far as it knows.
    pub(crate) const fn told_at(&self) -> Option<jiff::Timestamp> {
        self.told_at
    }

    /// Puts records in, durably, as many as there is room for.
    pub(crate) fn append(&mut self, records: &[Record]) -> Taken {
        let mut bytes = Vec::new();
        // What fits into the room there is goes in whatever the disk says to more.
        let (mut within, mut within_bytes, mut count) = (0, 0, 0);
        for record in records {
            let at = self.to + bytes.len() as u64;
            let Some(frame) = Frame::seal(record, &self.salt, at) else {
                tracing::error!(?record, "an outcome is too long to be kept; it is left out");
                count += 1;
                continue;
            };
            if at + frame.len() as u64 > self.largest {
                break;
            }
            bytes.extend_from_slice(&frame);
            count += 1;
            if self.to + bytes.len() as u64 <= self.room {
                (within, within_bytes) = (count, bytes.len());
            }
        }
        let whole = self.write(&bytes);
        let (count, length, rest) = match whole {
            Ok(()) => (count, bytes.len(), Ok(())),
            Err(error) if within == 0 || within == count => (0, 0, Err(error)),
            Err(error) => match self.write(bytes.get(..within_bytes).unwrap_or_default()) {
                Ok(()) => (within, within_bytes, Err(error)),
                Err(error) => (0, 0, Err(error)),
            },
        };
        self.to += length as u64;
        self.room = self.room.max(self.to);
        self.waiting += count as u64;
        crash_point!("spool/put-in");
        Taken { count, rest }
    }

    /// The oldest records, at most `most`, and where they end; they stay in until they are [`Self::settled`].
    pub(crate) fn oldest(&self, most: usize) -> io::Result<(Vec<Record>, u64)> {
        let length = usize::try_from(self.to - self.from).unwrap_or(WINDOW).min(WINDOW);
        let bytes = self.read(self.from, length)?;
        let (mut records, mut at) = (Vec::new(), self.from);
        let mut rest = bytes.as_slice();
        while records.len() < most && at < self.to {
            let Some((record, length)) = Frame::open(rest, &self.salt, at) else { break };
            rest = rest.get(length..).unwrap_or_default();
            at += length as u64;
            records.push(record);
        }
        if records.is_empty() && at < self.to {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a record in it is damaged"));
        }
        Ok((records, at))
    }

    /// All up to `at`, `count` records, is recorded: with the last of them the room is free again.
    pub(crate) fn settled(&mut self, at: u64, count: usize) -> io::Result<()> {
        self.from = at;
        self.waiting = self.waiting.saturating_sub(count as u64);
        if self.from < self.to { Ok(()) } else { self.renew() }
    }

    /// Leaves aside what cannot be read: from the end it now has on, which is the answer, it is used again.
    pub(crate) fn give_up_rest(&mut self) -> u64 {
        (self.from, self.waiting) = (self.to, 0);
        if let Err(error) = self.renew() {
            tracing::warn!(%error, "the spool could not be begun anew");
        }
        self.from
    }

    /// Empty from now on, whatever stands in the file.
    fn renew(&mut self) -> io::Result<()> {
        let mut salt = self.salt;
        SystemRandom::new().fill(&mut salt).map_err(|_| io::Error::other("no random numbers"))?;
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&salt);
        self.file.write_all_at(&head, 0)?;
        crash_point!("spool/renewing");
        self.salt = salt;
        (self.from, self.to, self.waiting, self.told_at) = (HEAD as u64, HEAD as u64, 0, None);
        if self.room > self.reserved {
            self.file.set_len(self.reserved.max(HEAD as u64))?;
        }
        self.room = self.file.metadata()?.len();
        self.file.sync_all()
    }

    /// Reads all records once: what follows the last whole one was torn, and will be written over.
    fn find_end(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.read(self.to, WINDOW)?;
            let (mut rest, before) = (bytes.as_slice(), self.to);
            while let Some((record, length)) = Frame::open(rest, &self.salt, self.to) {
                rest = rest.get(length..).unwrap_or_default();
                self.to += length as u64;
                self.waiting += 1;
                if let Record::Told(at) = record {
                    self.told_at = Some(at);
                }
            }
            if self.to == before {
                return Ok(());
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.to)?;
        crash_point!("spool/written");
        self.file.sync_data()
    }

    /// As much of `length` bytes as there is.
    fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(free) = bytes.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.file.read_at(free, at + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
