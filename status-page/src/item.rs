//! What may be chosen in a form.

use crate::{WordsError, wording::Wording};
use domain::{ApiId, Environment};
use serde::Serialize;

/// One choice.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    pub(crate) value: String,
    text: String,
    pub(crate) chosen: bool,
}

impl Item {
    pub(crate) fn new(value: impl Into<String>, text: impl Into<String>, chosen: bool) -> Self {
        Self { value: value.into(), text: text.into(), chosen }
    }

    /// The APIs that the audience sees, by name.
    pub(crate) fn apis(wording: &Wording<'_>, chosen: Option<&ApiId>) -> Vec<Self> {
        let apis = wording.snapshot.apis.iter().map(|view| {
            let id = &view.api.id;
            Self::new(id.as_str(), wording.text(&view.api.name), chosen == Some(id))
        });
        let mut apis: Vec<Self> = apis.collect();
        apis.sort_by(|a, b| a.text.cmp(&b.text));
        apis
    }

    /// The environments that it sees.
    pub(crate) fn environments(
        wording: &Wording<'_>,
        chosen: Option<Environment>,
    ) -> Result<Vec<Self>, WordsError> {
        let one =
            |one: &Environment| Ok(Self::new(one.word(), wording.environment(*one)?, chosen == Some(*one)));
        wording.snapshot.environments.iter().map(one).collect()
    }
}
