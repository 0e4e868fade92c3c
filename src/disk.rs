//! What a path is on: which file system, how much room, and whether locks on it can be trusted.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The kernel's list of what is mounted where, for this process (`proc_pid_mountinfo(5)`).
const MOUNTS: &str = "/proc/self/mountinfo";

/// File systems whose files another machine holds. Locks and shared memory cannot be trusted there, and SQLite needs
/// both (<https://www.sqlite.org/wal.html>, "all processes using a database must be on the same host").
const SHARES: [&str; 20] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb2",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "beegfs",
    "vboxsf",
    "fuse.sshfs",
    "fuse.ceph",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.vmhgfs-fuse",
    "fuse.davfs2",
];

/// Where a path is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Its file system's name: `ext4`, `nfs4`.
    pub(crate) kind: String,
    /// Where it is mounted.
    pub(crate) at: PathBuf,
    /// Nothing can be written there.
    pub(crate) read_only: bool,
}

impl Mount {
    /// What `path`, which is absolute and without links, is on; `None`: the system does not say.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        Self::among(&fs::read_to_string(MOUNTS).ok()?, path)
    }

    /// The longest mount point that holds `path`. A later line covers an earlier one of the same place. A bind mount has
    /// a line of its own, with the file system that is really there.
    fn among(mounts: &str, path: &Path) -> Option<Self> {
        mounts
            .lines()
            .filter_map(Self::parse)
            .filter(|mount| path.starts_with(&mount.at))
            .max_by_key(|mount| mount.at.components().count())
    }

    /// `36 35 98:0 /root /mount rw,noatime master:1 - ext4 /dev/sda1 rw`: the optional fields end with a dash.
    fn parse(line: &str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(4);
        let (at, options) = (mount.next()?, mount.next()?);
        let mut system = system.split(' ');
        let kind = system.next()?.to_owned();
        let whole = system.nth(1).unwrap_or_default();
        let read_only =
            [options, whole].iter().any(|options| options.split(',').any(|option| option == "ro"));
        Some(Self { kind, at: unescaped(at).into(), read_only })
    }

    /// Whether another machine holds the files.
    pub(crate) fn is_share(&self) -> bool {
        SHARES.contains(&self.kind.as_str())
    }
}

/// Blanks, tabs, line ends and backslashes are written as three octal digits.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}

/// Bytes that may still be written to the file system of `path`.
pub(crate) fn free(path: &Path) -> io::Result<u64> {
    let room = rustix::fs::statvfs(path)?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

/// Whether this process may write a file, or files into a directory.
pub(crate) fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:40 / /srv rw,relatime shared:5 master:1 - nfs4 filer:/export rw,vers=4.2
31 27 254:0 /var/local /srv/here rw,relatime - ext4 /dev/vda rw
32 27 0:40 /deep /var/lib/curiad rw,relatime shared:9 - nfs4 filer:/export rw
33 27 0:41 / /mnt/my\\040share rw - cifs //filer/x rw
34 27 254:1 / /backup ro,relatime - ext4 /dev/vdb rw
35 27 0:42 / /home/nia rw - fuse.sshfs nia@there: rw
36 27 0:43 / /home rw - btrfs /dev/vdc rw
37 27 0:44 / /srv rw - tmpfs none rw
";

    fn on(path: &str) -> (String, bool, bool) {
        let mount = Mount::among(SAMPLE, Path::new(path)).unwrap();
        (mount.kind.clone(), mount.is_share(), mount.read_only)
    }

    #[test]
    fn the_longest_mount_point_says_what_a_path_is_on() {
        assert_eq!(on("/var/lib/other/curiad.db"), ("ext4".to_owned(), false, false));
        assert_eq!(on("/var/lib/curiad/curiad.db"), ("nfs4".to_owned(), true, false), "a bind mount");
        assert_eq!(on("/var/lib/curiadic/x.db"), ("ext4".to_owned(), false, false), "a name, not a prefix");
        assert_eq!(on("/srv/here/curiad.db"), ("ext4".to_owned(), false, false), "a local place in a share");
        assert_eq!(on("/srv/x.db"), ("tmpfs".to_owned(), false, false), "mounted over");
        assert_eq!(on("/mnt/my share/x.db"), ("cifs".to_owned(), true, false));
        assert_eq!(on("/home/nia/x.db"), ("fuse.sshfs".to_owned(), true, false));
        assert_eq!(on("/home/tom/x.db"), ("btrfs".to_owned(), false, false));
        assert_eq!(on("/backup/x.db"), ("ext4".to_owned(), false, true), "read-only");
        assert_eq!(Mount::among("", Path::new("/x")), None);
    }

    #[test]
    fn this_machine_says_what_it_is_on() {
        let mount = Mount::of(&std::env::current_dir().unwrap());
        assert!(mount.is_some_and(|mount| !mount.is_share()), "the tests run on a local disk");
        assert!(free(Path::new(".")).unwrap() > 0);
    }
}
