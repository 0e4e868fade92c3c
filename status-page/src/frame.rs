//! What stands around every page: its links, its language's twin, its feeds, and of which time it is.

use crate::{
    Audience, Page, RenderError, WordsError, assets, calendar,
    document::feed_path,
    feed::Format,
    notice::{Notice, notices},
    scope::Scope,
    subscribe_page,
    when::When,
    wording::{Link, Wording},
};
use domain::Language;
use jiff::Timestamp;
use serde::Serialize;

/// Where a page stands, for its links.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    /// One of the pages.
    Page(&'a Page),
    /// One of the pages, with what was asked of it: a query that is the same in both languages.
    Asked(&'a Page, String),
    /// Nowhere: what was asked for is not there.
    Nowhere,
    /// Behind a called person's reference: its path and query, up to where the language stands.
    Ack(&'a str),
    /// Behind a link of an e-mail: its path.
    Letter(&'a str),
}

/// What stands around every page.
#[derive(Debug, Serialize)]
pub(crate) struct Frame {
    lang: &'static str,
    other: &'static str,
    /// The same page in the other language.
    other_href: String,
    /// Absolute, for `hreflang`.
    hrefs: Vec<(&'static str, String)>,
    /// Feeds of what the page is about.
    feeds: Vec<FeedLink>,
    here: String,
    /// The same without what was asked.
    path: String,
    home: Link,
    site: String,
    title: String,
    /// Pages that are asked for often.
    nav: Vec<Link>,
    accessibility: String,
    /// For the public: how to come by environments that are not, in the portal's words.
    access: Option<Link>,
    /// To be told by e-mail, of what the page is about.
    subscribe: Option<Link>,
    wall: Link,
    /// What programs can ask here, described.
    api: Option<&'static str>,
    css: String,
    icon: String,
    internal: bool,
    as_of: Option<When>,
    stale_since: Option<When>,
    unrecorded_since: Option<When>,
    notices: Vec<Notice>,
}

/// A feed, for `rel=alternate`.
#[derive(Debug, Serialize)]
struct FeedLink {
    kind: &'static str,
    link: Link,
}

pub(crate) fn frame(wording: &Wording<'_>, place: &Place<'_>, title: &str) -> Result<Frame, RenderError> {
    let snapshot = wording.snapshot;
    let language = wording.language;
    let page = match place {
        Place::Page(page) | Place::Asked(page, _) => Some(*page),
        Place::Nowhere | Place::Ack(_) | Place::Letter(_) => None,
    };
    let here = |language: Language| match place {
        Place::Page(page) => page.path(language),
        Place::Asked(page, query) if query.is_empty() => page.path(language),
        Place::Asked(page, query) => format!("{}?{query}", page.path(language)),
        Place::Nowhere => Page::Front.path(language),
        Place::Ack(path) => format!("{path}lang={language}"),
        Place::Letter(path) => format!("{path}?lang={language}"),
    };
    let link = |page: &Page, key: &str| -> Result<Link, WordsError> {
        Ok(Link { href: wording.href(page), text: wording.plain(key)? })
    };
    let base = |language: Language| snapshot.site.url.get(language).trim_end_matches('/').to_owned();
    Ok(Frame {
        lang: language.tag(),
        other: language.other().tag(),
        other_href: here(language.other()),
        hrefs: match page {
            None => Vec::new(),
            Some(page) => Language::ALL
                .map(|language| (language.tag(), format!("{}{}", base(language), page.path(language))))
                .to_vec(),
        },
        feeds: page.map(|page| feed_links(wording, page)).transpose()?.unwrap_or_default(),
        here: here(language),
        path: page.map_or_else(|| here(language), |page| page.path(language)),
        home: link(&Page::Front, "home")?,
        site: wording.text(&snapshot.site.title).to_owned(),
        title: title.to_owned(),
        nav: vec![
            link(&Page::Front, "nav-now")?,
            link(&Page::Incidents, "incidents")?,
            link(&Page::Maintenance, "maintenance")?,
            link(&Page::IsItMe, "me-title")?,
            link(&Page::Measuring, "measuring")?,
        ],
        accessibility: wording.href(&Page::Accessibility),
        access: snapshot.site.access.as_ref().filter(|_| snapshot.audience == Audience::Public).map(
            |access| {
                let [href, text] = [&access.url, &access.words].map(|both| wording.text(both).to_owned());
                Link { href, text }
            },
        ),
        subscribe: page
            .filter(|_| snapshot.takes_subscriptions())
            .map(|page| subscribe_page::link(wording, page))
            .transpose()?,
        wall: link(&Page::Wall, "wall")?,
        api: (!snapshot.as_files).then_some("/api/v1/openapi.json"),
        css: assets::css().path.clone(),
        icon: assets::icon().path.clone(),
        internal: snapshot.audience == Audience::Internal && page.is_some(),
        as_of: page.map(|page| as_of(wording, page)),
        stale_since: snapshot
            .heard_at
            .filter(|_| snapshot.stale && page.is_some())
            .map(|at| wording.times().full(at)),
        unrecorded_since: snapshot
            .unrecorded_since
            .filter(|_| page.is_some())
            .map(|at| wording.times().full(at)),
        notices: notices(snapshot, wording)?,
    })
}

/// To the second where results stand by the second. Else to the minute, so that what a browser has of a page stays the same as
/// long as nothing else on it changes.
fn as_of(wording: &Wording<'_>, page: &Page) -> When {
    let at = wording.snapshot.as_of;
    match page {
        Page::Front | Page::Api(_) | Page::Environment(_) | Page::Wall => wording.times().exact(at),
        Page::Incidents
        | Page::Month(_)
        | Page::Incident(_)
        | Page::Maintenance
        | Page::Measuring
        | Page::IsItMe
        | Page::Subscribe
        | Page::Accessibility => {
            let minute = Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap_or(at);
            wording.times().full(minute)
        }
    }
}

fn feed_links(wording: &Wording<'_>, page: &Page) -> Result<Vec<FeedLink>, WordsError> {
    let scope = Scope::of(page).unwrap_or(Scope::All);
    let name = scope.name(wording)?;
    let link = |file, kind, key: &str| {
        let text = format!("{name} – {}", wording.plain(key)?);
        Ok(FeedLink { kind, link: Link { href: feed_path(wording.language, &scope, file), text } })
    };
    let [atom, rss] = Format::ALL.map(|format| link(format.file(), format.kind(), "incidents"));
    Ok(vec![atom?, rss?, link(calendar::FILE, "text/calendar", "maintenance")?])
}
