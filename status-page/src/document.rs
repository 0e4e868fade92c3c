//! What programs and other people's pages read beside the API: feeds, calendars, badges, frames. Each is made once from a Snapshot and kept like a page.

use crate::{
    Audience, Page, RenderError, Renderer, Snapshot,
    badge::Badge,
    body::Body,
    calendar, embed,
    feed::{self, Format},
    router::{Framed, Shown, broken, cache, in_language, missing, not_allowed, open_to_all},
    scope::Scope,
    security, sitemap,
    statuspage::{self, Both, Part},
    view::HTML,
    wording::Wording,
};
use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, Method, Response, StatusCode, Uri},
};
use domain::{ApiId, Language};

/// A document for programs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Document {
    /// Incidents.
    Feed(Language, Scope, Format),
    /// Planned work.
    Calendar(Language, Scope),
    /// A figure of an instance.
    Badge(Badge),
    /// An API, for a frame on another page.
    Embed(Language, ApiId),
    /// What readers of a Statuspage ask for.
    Statuspage(Part),
    /// Which pages there are.
    Sitemap,
    /// What search engines may look at.
    Robots,
    /// Where those write who find a hole.
    Security,
}

const TEXT: &str = "text/plain; charset=utf-8";
const FEEDS: &str = "/feeds";

impl Document {
    /// The document that a path and a query name, whether or not there is such an API.
    pub(crate) fn parse(path: &str, query: &str) -> Option<Self> {
        let badge = || Badge::parse(path, query).map(Self::Badge);
        let embed = || embed::parse(path).map(|(language, api)| Self::Embed(language, api));
        let statuspage = || Part::parse(path).map(Self::Statuspage);
        match path {
            sitemap::SITEMAP => return Some(Self::Sitemap),
            sitemap::ROBOTS => return Some(Self::Robots),
            security::PATH => return Some(Self::Security),
            _ => {}
        }
        Self::parse_feed(path).or_else(badge).or_else(embed).or_else(statuspage)
    }

    fn parse_feed(path: &str) -> Option<Self> {
        let (page, file) = path.strip_prefix(FEEDS)?.rsplit_once('/')?;
        let (language, page) = Page::parse(page)?;
        let scope = Scope::of(&page)?;
        if file == calendar::FILE {
            return Some(Self::Calendar(language, scope));
        }
        let format = Format::ALL.into_iter().find(|format| format.file() == file)?;
        Some(Self::Feed(language, scope, format))
    }

    /// Its language; `None`: it has none, or both.
    pub(crate) const fn language(&self) -> Option<Language> {
        match self {
            Self::Feed(language, ..) | Self::Calendar(language, _) | Self::Embed(language, _) => {
                Some(*language)
            }
            Self::Badge(badge) => Some(badge.language),
            Self::Statuspage(_) | Self::Sitemap | Self::Robots | Self::Security => None,
        }
    }

    /// Its path, without what the query adds.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Feed(language, scope, format) => feed_path(*language, scope, format.file()),
            Self::Calendar(language, scope) => feed_path(*language, scope, calendar::FILE),
            Self::Badge(badge) => badge.path(),
            Self::Embed(language, api) => embed::path(*language, api),
            Self::Statuspage(part) => part.path(),
            Self::Sitemap => sitemap::SITEMAP.to_owned(),
            Self::Robots => sitemap::ROBOTS.to_owned(),
            Self::Security => security::PATH.to_owned(),
        }
    }

    /// Made from `snapshot`; `None`: its audience has no such document.
    pub(crate) fn make(&self, renderer: &Renderer, snapshot: &Snapshot) -> Result<Option<Body>, RenderError> {
        let made = self.text(renderer, snapshot)?;
        Ok(made.map(|(kind, text)| Body::new(kind, text.into_bytes())))
    }

    /// The same as text, with its media type.
    pub(crate) fn text(
        &self,
        renderer: &Renderer,
        snapshot: &Snapshot,
    ) -> Result<Option<(&'static str, String)>, RenderError> {
        let wording = renderer.wording(snapshot, self.language().unwrap_or(Language::En));
        Ok(match self {
            Self::Feed(_, scope, _) | Self::Calendar(_, scope) if !scope.is_in(snapshot) => None,
            Self::Feed(language, scope, format) => {
                let path = feed_path(*language, scope, format.file());
                Some((format.kind_of_text(), feed::feed(&wording, scope, *format, &path)?))
            }
            Self::Calendar(_, scope) => {
                Some(("text/calendar; charset=utf-8", calendar::calendar(&wording, scope)?))
            }
            Self::Badge(badge) => badge.draw(&wording)?.map(|svg| ("image/svg+xml; charset=utf-8", svg)),
            Self::Embed(_, api) => embed::embed(renderer, &wording, api)?.map(|html| (HTML, html)),
            Self::Statuspage(part) => {
                let cy = &renderer.wording(snapshot, Language::Cy);
                let contents = statuspage::document(*part, Both { en: &wording, cy })?;
                let text = serde_json::to_string(&contents);
                Some(("application/json", text.map_err(|error| RenderError::View(error.to_string()))?))
            }
            Self::Sitemap => Some(("application/xml; charset=utf-8", sitemap::sitemap(snapshot))),
            Self::Robots => Some((TEXT, sitemap::robots(snapshot))),
            Self::Security => security::security(snapshot).map(|text| (TEXT, text)),
        })
    }
}

/// The path of a feed or a calendar.
pub(crate) fn feed_path(language: Language, scope: &Scope, file: &str) -> String {
    format!("{FEEDS}{}/{file}", scope.page().path(language))
}

/// The answer to a request for `document`: where there is none for this audience, that of any path that is not there.
pub(crate) fn answer(
    shown: &Shown,
    document: &Document,
    (method, headers, uri): (&Method, &HeaderMap, &Uri),
) -> Response<HttpBody> {
    let language = document.language();
    // What only the trusted network sees is in nobody's frame.
    let framed = matches!(document, Document::Embed(..)) && shown.audience == Audience::Public;
    match shown.site.view(shown.audience).document(&shown.site.0.renderer, document) {
        Ok(Some(_)) if method != Method::GET && method != Method::HEAD => not_allowed(),
        Ok(Some(body)) => {
            let answer = body.answer(method, headers, StatusCode::OK, cache(shown.audience));
            let answer = match language {
                Some(language) => in_language(answer, language),
                None => answer,
            };
            let mut answer = open_to_all(answer, shown.audience);
            if framed {
                answer.extensions_mut().insert(Framed);
            }
            answer
        }
        Ok(None) => missing(shown, method, headers, uri),
        Err(error) => broken(&error),
    }
}

/// The whole address of one of our paths, in the wording's language.
pub(crate) fn absolute(wording: &Wording<'_>, path: &str) -> String {
    format!("{}{path}", wording.text(&wording.snapshot.site.url).trim_end_matches('/'))
}

/// The host of the site, in the wording's language.
pub(crate) fn host<'a>(wording: &Wording<'a>) -> &'a str {
    let url = wording.snapshot.site.url.get(wording.language);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?']).next().unwrap_or(rest)
}

/// A name of ours that stays (RFC 4151).
pub(crate) fn tag(wording: &Wording<'_>, name: &str) -> String {
    format!("tag:{},2026:{name}", host(wording))
}
