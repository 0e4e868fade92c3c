//! Incidents as feeds: Atom (RFC 4287), an entry an incident, and RSS 2.0, an item an update, so that readers tell each.

use crate::{
    IncidentView, Page, WordsError,
    document::{absolute, tag},
    incidents::updates,
    rfc3339,
    scope::Scope,
    wording::Wording,
    xml::escape,
};
use domain::Incident;
use jiff::{Timestamp, tz::TimeZone};
use std::fmt::Write as _;

/// Incidents that a feed holds, the newest first.
const ENTRIES: usize = 50;
/// Updates that an RSS feed holds, the newest first.
const ITEMS: usize = 100;

/// How a feed is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Atom,
    Rss,
}

impl Format {
    pub(crate) const ALL: [Self; 2] = [Self::Atom, Self::Rss];

    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Atom => "incidents.atom",
            Self::Rss => "incidents.rss",
        }
    }

    /// Its media type, as it is answered.
    pub(crate) const fn kind_of_text(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
        }
    }

    /// Its media type, as links name it.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml",
            Self::Rss => "application/rss+xml",
        }
    }
}

/// The feed at `path`.
pub(crate) fn feed(
    wording: &Wording<'_>,
    scope: &Scope,
    format: Format,
    path: &str,
) -> Result<String, WordsError> {
    let mut views: Vec<&IncidentView> =
        wording.snapshot.incidents.iter().filter(|view| scope.has_incident(view)).collect();
    views.sort_by_key(|view| std::cmp::Reverse((changed(&view.incident), view.incident.id)));
    views.truncate(ENTRIES);
    match format {
        Format::Atom => atom(wording, scope, path, &views),
        Format::Rss => rss(wording, scope, path, &views),
    }
}

/// When something was last said of it, or it was over.
pub(crate) fn changed(incident: &Incident) -> Timestamp {
    let said = incident.posts.last().map(|post| post.at);
    [said, incident.resolved_at].into_iter().flatten().fold(incident.opened_at, Timestamp::max)
}

fn title(wording: &Wording<'_>, scope: &Scope) -> Result<String, WordsError> {
    Ok(format!("{} – {}", scope.name(wording)?, wording.plain("incidents")?))
}

fn beside(wording: &Wording<'_>, scope: &Scope) -> String {
    let page = if *scope == Scope::All { Page::Incidents } else { scope.page() };
    absolute(wording, &wording.href(&page))
}

fn atom(
    wording: &Wording<'_>,
    scope: &Scope,
    path: &str,
    views: &[&IncidentView],
) -> Result<String, WordsError> {
    let newest = views.first().map_or(wording.snapshot.started_at, |view| changed(&view.incident));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n<author><name>{}</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n",
        wording.language.tag(),
        escape(&tag(wording, path.trim_start_matches('/'))),
        escape(&title(wording, scope)?),
        rfc3339(newest),
        escape(wording.text(&wording.snapshot.site.title)),
        escape(&absolute(wording, path)),
        escape(&beside(wording, scope)),
    );
    for view in views {
        let incident = &view.incident;
        let mut html = String::new();
        for (at, text) in updates(wording, view)? {
            // Writing to a String cannot fail.
            write!(html, "<p><b>{}</b> {}</p>", escape(&wording.times().full(at).words), escape(&text)).ok();
        }
        write!(
            xml,
            "<entry>\n<id>{}</id>\n<title>{}</title>\n<published>{}</published>\n<updated>{}</updated>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n<category term=\"{}\"/>\n\
             <content type=\"html\">{}</content>\n</entry>\n",
            escape(&tag_of(wording, incident)),
            escape(&wording.incident_title(view)?),
            rfc3339(incident.started_at),
            rfc3339(changed(incident)),
            escape(&address(wording, incident)),
            incident.status.word(),
            escape(&html),
        )
        .ok();
    }
    xml.push_str("</feed>\n");
    Ok(xml)
}

fn rss(
    wording: &Wording<'_>,
    scope: &Scope,
    path: &str,
    views: &[&IncidentView],
) -> Result<String, WordsError> {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n<title>{title}</title>\n\
         <link>{}</link>\n<description>{title}</description>\n<language>{}</language>\n\
         <atom:link rel=\"self\" type=\"application/rss+xml\" href=\"{}\"/>\n",
        escape(&beside(wording, scope)),
        wording.language.tag(),
        escape(&absolute(wording, path)),
        title = escape(&title(wording, scope)?),
    );
    let mut items = Vec::new();
    for view in views {
        let updates = updates(wording, view)?;
        let all = updates.len();
        // Counted from the first, so that an update keeps its id.
        let numbered = updates.into_iter().enumerate().map(|(n, (at, text))| (at, all - n, text, *view));
        items.extend(numbered);
    }
    items.sort_by_key(|(at, number, ..)| std::cmp::Reverse((*at, *number)));
    for (at, number, text, view) in items.into_iter().take(ITEMS) {
        write!(
            xml,
            "<item>\n<guid isPermaLink=\"false\">{}/{number}</guid>\n<title>{}</title>\n<link>{}</link>\n\
             <pubDate>{}</pubDate>\n<description>{}</description>\n</item>\n",
            escape(&tag_of(wording, &view.incident)),
            escape(&wording.incident_title(view)?),
            escape(&address(wording, &view.incident)),
            rfc2822(at),
            escape(&text),
        )
        .ok();
    }
    xml.push_str("</channel>\n</rss>\n");
    Ok(xml)
}

fn tag_of(wording: &Wording<'_>, incident: &Incident) -> String {
    tag(wording, &format!("{}/incident/{}", wording.language.tag(), incident.id))
}

fn address(wording: &Wording<'_>, incident: &Incident) -> String {
    absolute(wording, &wording.href(&Page::Incident(incident.id)))
}

fn rfc2822(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
