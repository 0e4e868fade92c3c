//! How memory is asked of the system. What glibc does by itself was more than a third of what ten thousand checks took: up to eight arenas
//! a core, where what one thread has given back serves no other; and once something large was given back, everything as large
//! comes from among the small, from where nothing goes back to the system.

use std::{env, os::unix::process::CommandExt as _, process::Command};

/// Read by glibc once, before the program begins; any other library leaves them alone: one arena, and what is as large as
/// this comes from the system and goes back to it.
const SETTINGS: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "65536")];

/// Says that it was begun again: where a program has more rights than who starts it, glibc hides its settings from it.
const AGAIN: &str = "CURIAD_BEGUN_AGAIN";

/// Begins the program again in its own place (same process, same arguments) with these settings; what somebody has said
/// stays. Where that fails it goes on as it is: it only takes more memory.
pub(crate) fn set() {
    let Ok(program) = env::current_exe() else { return };
    let unsaid: Vec<_> = SETTINGS.into_iter().filter(|(name, _)| env::var_os(name).is_none()).collect();
    if cfg!(target_env = "gnu") && !unsaid.is_empty() && env::var_os(AGAIN).is_none() {
        let mut arguments = env::args_os();
        let mut again = Command::new(program);
        again.envs(unsaid).env(AGAIN, "1");
        if let Some(name) = arguments.next() {
            again.arg0(name);
        }
        // It comes back only if it fails.
        drop(again.args(arguments).exec());
    }
}
