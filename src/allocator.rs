//! Memory for all threads from one place. By itself glibc opens up to eight arenas a core, and what one thread has given back
//! serves no other: of ten thousand checks that was a third of all that the program had.

use std::{env, os::unix::process::CommandExt as _, process::Command};

/// Read by glibc once, before the program begins; any other library leaves it alone.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Begins the program again in its own place (same process, same arguments) with one arena, unless somebody has said how many.
/// Where that fails it goes on as it is: it only takes more memory.
pub(crate) fn one() {
    let Ok(program) = env::current_exe() else { return };
    if cfg!(target_env = "gnu") && env::var_os(ARENAS).is_none() {
        let mut arguments = env::args_os();
        let mut again = Command::new(program);
        again.env(ARENAS, "1");
        if let Some(name) = arguments.next() {
            again.arg0(name);
        }
        // It comes back only if it fails.
        drop(again.args(arguments).exec());
    }
}
