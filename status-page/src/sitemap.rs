//! For search engines: which pages there are, in both languages, and what is not to be looked at.

use crate::{Audience, IncidentView, Month, Page, Snapshot, feed::changed, rfc3339, xml::escape};
use domain::Language;
use jiff::Timestamp;
use std::fmt::Write as _;

/// Where each of them is.
pub(crate) const SITEMAP: &str = "/sitemap.xml";
pub(crate) const ROBOTS: &str = "/robots.txt";

/// Every page there is in a snapshot.
pub(crate) fn pages(snapshot: &Snapshot) -> Vec<Page> {
    let mut pages = vec![
        Page::Front,
        Page::Incidents,
        Page::Maintenance,
        Page::Measuring,
        Page::IsItMe,
        Page::Wall,
        Page::Accessibility,
    ];
    pages.extend(snapshot.takes_subscriptions().then_some(Page::Subscribe));
    let last = Month::of(snapshot.as_of, &snapshot.site.time_zone);
    let first = snapshot.first_incident_at.map_or(last, |at| Month::of(at, &snapshot.site.time_zone));
    let months = std::iter::successors(Some(last), |month| Some(month.before()));
    let kept = |month: &Month| *month >= first && snapshot.holds(&Page::Month(*month));
    pages.extend(months.take_while(kept).map(Page::Month));
    pages.extend(snapshot.environments.iter().map(|environment| Page::Environment(*environment)));
    pages.extend(snapshot.apis.iter().map(|view| Page::Api(view.api.id.clone())));
    pages.extend(snapshot.incidents.iter().map(|view| Page::Incident(view.incident.id)));
    pages
}

fn address(snapshot: &Snapshot, language: Language, path: &str) -> String {
    format!("{}{path}", snapshot.site.url.get(language).trim_end_matches('/'))
}

/// The site map (sitemaps.org), each page with its twin in the other language.
pub(crate) fn sitemap(snapshot: &Snapshot) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:xhtml=\"http://www.w3.org/1999/xhtml\">\n",
    );
    for page in pages(snapshot) {
        let at = |language| address(snapshot, language, &page.path(language));
        let mut twins = String::new();
        for language in Language::ALL {
            let href = at(language);
            // Writing to a String cannot fail.
            write!(
                twins,
                "<xhtml:link rel=\"alternate\" hreflang=\"{}\" href=\"{}\"/>",
                language.tag(),
                escape(&href)
            )
            .ok();
        }
        let newest = if let Page::Incident(id) = &page {
            snapshot.incidents.iter().find(|view| view.incident.id == *id).map(of)
        } else {
            snapshot.incidents.iter().map(of).max().filter(|_| page == Page::Incidents)
        };
        let newest = newest.map_or_else(String::new, |at| format!("<lastmod>{}</lastmod>", rfc3339(at)));
        for language in Language::ALL {
            writeln!(xml, "<url><loc>{}</loc>{newest}{twins}</url>", escape(&at(language))).ok();
        }
    }
    xml.push_str("</urlset>\n");
    xml
}

fn of(view: &IncidentView) -> Timestamp {
    changed(&view.incident)
}

/// `robots.txt` (RFC 9309): what only the trusted network sees is nothing for anybody's index.
pub(crate) fn robots(snapshot: &Snapshot) -> String {
    if snapshot.audience == Audience::Internal {
        return "User-agent: *\nDisallow: /\n".to_owned();
    }
    let mut maps = Language::ALL.map(|language| address(snapshot, language, SITEMAP)).to_vec();
    maps.dedup();
    // A front page for each word that somebody looked for is no page of its own, nor is what programs read.
    format!(
        "User-agent: *\nDisallow: /*?\nDisallow: /api/\nDisallow: /ack/\nDisallow: /subscriptions/\n\nSitemap: {}\n",
        maps.join("\nSitemap: ")
    )
}
