//! The accessibility statement, in the form of the model that the law names (SI 2018/952, regulation 8).

use crate::wording::{Link, Wording};
use serde::Serialize;

/// What of it the configuration says.
#[derive(Debug, Serialize)]
pub(crate) struct Statement {
    /// The body that runs the site.
    run_by: Option<String>,
    /// Where those write who cannot use a page.
    contact: Option<Link>,
}

pub(crate) fn statement(wording: &Wording<'_>) -> Statement {
    let said = wording.snapshot.site.accessibility.as_ref();
    Statement {
        run_by: said.map(|said| wording.text(&said.run_by).to_owned()),
        contact: said.map(|said| Link {
            href: said.contact.clone(),
            text: said.contact.trim_start_matches("mailto:").to_owned(),
        }),
    }
}
