//! All that the public may read, as text with its path: for a copy on the disk, and for a second host.

use crate::{
    Audience, History, RenderError, Renderer, Snapshot, assets, badge::Badge, document::Document,
    feed::Format, gather::gather, json, scope::Scope, sitemap::pages, statuspage::Part, view::HTML,
};
use domain::{Language, Situation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use store::Store;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicFile {
    /// Where it is: as in a URL, with a leading slash.
    pub path: String,
    /// Its media type.
    pub kind: Cow<'static, str>,
    /// Its language, if it has one alone.
    pub language: Option<Language>,
    /// It may stand in a frame of any page.
    pub framed: bool,
    /// What it says.
    pub text: String,
}

impl PublicFile {
    pub(crate) fn new(
        path: impl Into<String>,
        kind: &'static str,
        language: Option<Language>,
        text: String,
    ) -> Self {
        Self { path: path.into(), kind: Cow::Borrowed(kind), language, framed: false, text }
    }
}

/// Everything made from `snapshot`: pages in both languages, and what programs read. What is asked of the store or of one
/// moment (history, gates) is not in it. One after the other: of a thousand APIs they are tens of megabytes.
pub(crate) fn all<'a>(
    renderer: &'a Renderer,
    snapshot: &'a Snapshot,
    situation: &'a Situation,
) -> impl Iterator<Item = Result<PublicFile, RenderError>> + use<'a> {
    let pages =
        pages(snapshot).into_iter().flat_map(|page| Language::ALL.map(|language| (page.clone(), language)));
    let pages = pages.filter_map(move |(page, language)| {
        let file = |html| PublicFile::new(page.path(language), HTML, Some(language), html);
        renderer.page(snapshot, language, &page).map(|html| html.map(file)).transpose()
    });
    let documents = documents(snapshot).into_iter().filter_map(move |document| {
        let file = |(kind, text)| PublicFile {
            framed: matches!(document, Document::Embed(..)),
            ..PublicFile::new(document.path(), kind, document.language(), text)
        };
        document.text(renderer, snapshot).map(|made| made.map(file)).transpose()
    });
    let json = json::documents(snapshot, situation);
    let json = json.map(|(path, text)| Ok(PublicFile::new(path, "application/json", None, text)));
    pages.chain(documents).chain(json)
}

/// All that the public can read at `now` of what the store has, for a host that has files only.
pub async fn public_files(
    store: &Store,
    situation: &Situation,
    now: Timestamp,
) -> Result<Vec<PublicFile>, FilesError> {
    let history = gather(store, situation, now, &History::default()).await?;
    let renderer = Renderer::load()?;
    let snapshot = Snapshot::of(situation, &history, Audience::Public, now, now);
    let snapshot = Snapshot { as_files: true, ..snapshot };
    let mut files = all(&renderer, &snapshot, situation).collect::<Result<Vec<_>, _>>()?;
    let asset = |(path, kind, text): (&str, _, &str)| PublicFile::new(path, kind, None, text.to_owned());
    files.extend(assets::all().map(asset));
    let missing = renderer.not_found(&snapshot, Language::En)?;
    files.push(PublicFile::new("/404.html", HTML, Some(Language::En), missing));
    Ok(files)
}

/// Why the files cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// What they are made of cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A page cannot be made of it.
    #[error(transparent)]
    Render(#[from] RenderError),
}

fn documents(snapshot: &Snapshot) -> Vec<Document> {
    let mut documents: Vec<Document> = Part::ALL.map(Document::Statuspage).to_vec();
    documents.extend([Document::Sitemap, Document::Robots, Document::Security]);
    let environments = snapshot.environments.iter().map(|environment| Scope::Environment(*environment));
    let apis = snapshot.apis.iter().map(|view| Scope::Api(view.api.id.clone()));
    let scopes: Vec<Scope> = std::iter::once(Scope::All).chain(environments).chain(apis).collect();
    for language in Language::ALL {
        for scope in &scopes {
            documents.extend(Format::ALL.map(|format| Document::Feed(language, scope.clone(), format)));
            documents.push(Document::Calendar(language, scope.clone()));
        }
        documents.extend(snapshot.apis.iter().map(|view| Document::Embed(language, view.api.id.clone())));
    }
    documents.extend(snapshot.instances().map(|instance| Document::Badge(Badge::of(instance.id.clone()))));
    documents
}
