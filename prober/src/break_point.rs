//! A place in a probe at which a test has it panic: no answer of a target is known that does.
//!
//! `CURIAD_PROBE_BREAKS=results/production/ping` breaks every probe of that check once its answer has come, with all it then
//! holds: a permit, memory, a connection. Builds without `debug_assertions`, and so every release, have no such place.

#[cfg(debug_assertions)]
pub use armed::arm;
#[cfg(debug_assertions)]
pub(crate) use armed::pass;

#[cfg(debug_assertions)]
mod armed {
    use domain::CheckId;
    use std::sync::OnceLock;

    static ARMED: OnceLock<String> = OnceLock::new();

    /// From now on every probe of this check breaks. A second call changes nothing.
    pub fn arm(check: Option<String>) {
        check.map(|check| ARMED.set(check));
    }

    pub(crate) fn pass(check: &CheckId) {
        let armed = ARMED.get().is_some_and(|armed| *armed == check.to_string());
        assert!(!armed, "a test breaks this probe; its answer may say 943 476 5919");
    }
}
