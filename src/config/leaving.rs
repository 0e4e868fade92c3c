//! An instance in production leaves only by `lifecycle: retired` (DESIGN §7): a file deleted by mistake must not end the
//! watch over what care depends on.

use super::problem::Problem;
use domain::{ApiId, Configuration};
use std::path::Path;

/// What to do with an API that left production.
const HINT: &str =
    "put it back; if it is gone for good, say 'lifecycle: retired' and 'environments: {}': its history stays";

/// A problem for each API that `had` an instance in production, has none now, and is not retired.
pub(crate) fn left_production<'a>(
    directory: &Path,
    had: impl Iterator<Item = &'a ApiId> + 'a,
    configuration: &'a Configuration,
) -> Vec<Problem> {
    let problem = |api: &ApiId| {
        let file = directory.join("apis").join(format!("{api}.yaml"));
        let what = if configuration.apis.contains_key(api) {
            "its instance in production is gone, and it was not retired"
        } else {
            "this API has an instance in production; its file is gone, and it was not retired"
        };
        Problem::unfit(&file, what, Some(HINT.to_owned()))
    };
    configuration.not_retired(had).map(problem).collect()
}
