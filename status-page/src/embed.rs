//! One API's status for a frame on somebody else's page.

use crate::{
    ApiView, InstanceView, Page, RenderError, Renderer, WordsError,
    frame::Place,
    front::{since, under, until},
    incidents::{Block, block},
    when::When,
    wording::{Link, Shape, Wording},
};
use domain::{ApiId, Language};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Embed {
    name: Link,
    rows: Vec<Row>,
    open: Vec<Block>,
}

#[derive(Debug, Serialize)]
struct Row {
    environment: String,
    shape: Shape,
    under: Option<String>,
    since: Option<When>,
    until: Option<When>,
}

const fn word(language: Language) -> &'static str {
    match language {
        Language::En => "embed",
        Language::Cy => "mewnblannu",
    }
}

/// Its path.
pub(crate) fn path(language: Language, api: &ApiId) -> String {
    format!("/{}/{}/{api}", language.tag(), word(language))
}

/// The API whose view `path` names, whether or not there is such an API.
pub(crate) fn parse(path: &str) -> Option<(Language, ApiId)> {
    Language::ALL.into_iter().find_map(|language| {
        let rest = path.strip_prefix('/')?.strip_prefix(language.tag())?.strip_prefix('/')?;
        let api = rest.strip_prefix(word(language))?.strip_prefix('/')?;
        Some((language, ApiId::parse(api).ok()?))
    })
}

/// The view as HTML; `None`: the audience sees no such API.
pub(crate) fn embed(
    renderer: &Renderer,
    wording: &Wording<'_>,
    api: &ApiId,
) -> Result<Option<String>, RenderError> {
    let Some(view) = wording.snapshot.api(api) else {
        return Ok(None);
    };
    let title = wording.text(&view.api.name);
    let page = Page::Api(api.clone());
    renderer.html("embed.html", wording, &Place::Page(&page), title, &seen(wording, view)?).map(Some)
}

fn seen(wording: &Wording<'_>, view: &ApiView) -> Result<Embed, WordsError> {
    let row = |instance: &InstanceView| {
        Ok(Row {
            environment: wording.environment(instance.id.environment)?,
            shape: wording.shape(instance.shown)?,
            under: under(wording, instance)?,
            since: since(wording, instance),
            until: until(wording, instance),
        })
    };
    let troubled = wording
        .snapshot
        .open_incidents()
        .filter(|incident| incident.affects.iter().any(|id| id.api == view.api.id));
    Ok(Embed {
        name: Link {
            href: wording.href(&Page::Api(view.api.id.clone())),
            text: wording.text(&view.api.name).to_owned(),
        },
        rows: view.instances.iter().map(|one| row(one)).collect::<Result<_, WordsError>>()?,
        open: troubled.map(|incident| block(wording, incident)).collect::<Result<_, _>>()?,
    })
}
