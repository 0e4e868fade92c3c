//! An instance in production leaves only by a word of its own: `lifecycle: retired` (DESIGN §7).

use domain::{ApiId, Configuration, Environment, Lifecycle};

/// The APIs whose instance in production is in `old`, is not in `new`, and that do not say there that they retired.
///
/// A file that was lost, renamed or cut short would otherwise look like an API that nobody wants watched any more.
pub(crate) fn leaving_unsaid(old: &Configuration, new: &Configuration) -> Vec<ApiId> {
    let stays_or_retires = |id: &ApiId| {
        new.apis.get(id).is_some_and(|api| {
            api.instances.contains_key(&Environment::Production) || api.lifecycle == Lifecycle::Retired
        })
    };
    old.apis
        .values()
        .filter(|api| api.instances.contains_key(&Environment::Production))
        .map(|api| api.id.clone())
        .filter(|id| !stays_or_retires(id))
        .collect()
}

/// What to say of such an API, and what to do.
pub(crate) fn leaving_words(api: &ApiId) -> (String, String) {
    (
        format!("'{api}' would leave production without a word"),
        format!("say 'lifecycle: retired' in apis/{api}.yaml if it is gone; its history stays"),
    )
}
