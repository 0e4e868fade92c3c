//! What programs read beside the API: feeds, calendars. Each is made once from a Snapshot and kept like a page.

use crate::{
    Page, RenderError, Renderer, Snapshot,
    body::Body,
    calendar,
    feed::{self, Format},
    router::{Shown, broken, cache, missing, not_allowed, open_to_all},
    scope::Scope,
    wording::Wording,
};
use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, Method, Response, StatusCode, Uri},
};
use domain::Language;

/// A document for programs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Document {
    /// Incidents.
    Feed(Language, Scope, Format),
    /// Planned work.
    Calendar(Language, Scope),
}

const FEEDS: &str = "/feeds";

impl Document {
    /// The document that a path names, whether or not there is such an API.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let (page, file) = path.strip_prefix(FEEDS)?.rsplit_once('/')?;
        let (language, page) = Page::parse(page)?;
        let scope = Scope::of(page)?;
        if file == calendar::FILE {
            return Some(Self::Calendar(language, scope));
        }
        let format = Format::ALL.into_iter().find(|format| format.file() == file)?;
        Some(Self::Feed(language, scope, format))
    }

    /// Its path: the only one.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Feed(language, scope, format) => {
                format!("{FEEDS}{}/{}", scope.page().path(*language), format.file())
            }
            Self::Calendar(language, scope) => {
                format!("{FEEDS}{}/{}", scope.page().path(*language), calendar::FILE)
            }
        }
    }

    /// Made from `snapshot`; `None`: its audience has no such document.
    pub(crate) fn make(&self, renderer: &Renderer, snapshot: &Snapshot) -> Result<Option<Body>, RenderError> {
        let (kind, text) = match self {
            Self::Feed(_, scope, _) | Self::Calendar(_, scope) if !scope.is_in(snapshot) => return Ok(None),
            Self::Feed(language, scope, format) => {
                let wording = renderer.wording(snapshot, *language);
                let kind = match format {
                    Format::Atom => "application/atom+xml; charset=utf-8",
                    Format::Rss => "application/rss+xml; charset=utf-8",
                };
                (kind, feed::feed(&wording, scope, *format, &self.path())?)
            }
            Self::Calendar(language, scope) => {
                let wording = renderer.wording(snapshot, *language);
                ("text/calendar; charset=utf-8", calendar::calendar(&wording, scope)?)
            }
        };
        Ok(Some(Body::new(kind, text.into_bytes())))
    }
}

/// The answer to a request for `document`: where there is none for this audience, that of any path that is not there.
pub(crate) fn answer(
    shown: &Shown,
    document: Document,
    (method, headers, uri): (&Method, &HeaderMap, &Uri),
) -> Response<HttpBody> {
    match shown.site.view(shown.audience).document(&shown.site.0.renderer, document) {
        Ok(Some(_)) if method != Method::GET && method != Method::HEAD => not_allowed(),
        Ok(Some(body)) => {
            open_to_all(body.answer(method, headers, StatusCode::OK, cache(shown.audience)), shown.audience)
        }
        Ok(None) => missing(shown, method, headers, uri),
        Err(error) => broken(&error),
    }
}

/// The whole address of one of our paths, in the wording's language.
pub(crate) fn absolute(wording: &Wording<'_>, path: &str) -> String {
    format!("{}{path}", wording.text(&wording.snapshot.url).trim_end_matches('/'))
}

/// The host of the site, in the wording's language.
pub(crate) fn host<'a>(wording: &Wording<'a>) -> &'a str {
    let url = wording.snapshot.url.get(wording.language);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?']).next().unwrap_or(rest)
}

/// A name of ours that stays (RFC 4151).
pub(crate) fn tag(wording: &Wording<'_>, name: &str) -> String {
    format!("tag:{},2026:{name}", host(wording))
}
