//! How the site is found: by search engines, and by those who found a hole in it.

use crate::{
    estate,
    stage::{Stage, get},
};
use axum::http::StatusCode;

#[tokio::test]
async fn the_sitemap_names_every_public_page_in_both_languages_and_nothing_else() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = get(stage.public(), "/sitemap.xml").await;
    assert_eq!(answer.header("content-type"), "application/xml; charset=utf-8");
    let xml = answer.text();
    let locations: Vec<&str> =
        xml.split("<loc>").skip(1).filter_map(|rest| rest.split("</loc>").next()).collect();
    assert_eq!(locations.len(), 2 * (8 + 2 + 6 + 2));
    for location in &locations {
        let path = location
            .strip_prefix("https://status.example.wales")
            .or_else(|| location.strip_prefix("https://statws.example.cymru"))
            .unwrap_or_else(|| panic!("{location} is elsewhere"));
        assert_eq!(get(stage.public(), path).await.status, StatusCode::OK, "{location}");
    }
    assert!(xml.contains(
        "<loc>https://statws.example.cymru/cy/digwyddiadau/C-41</loc><lastmod>2026-11-18T03:38:09.120Z</lastmod>\
         <xhtml:link rel=\"alternate\" hreflang=\"en\" href=\"https://status.example.wales/en/incidents/C-41\"/>\
         <xhtml:link rel=\"alternate\" hreflang=\"cy\" href=\"https://statws.example.cymru/cy/digwyddiadau/C-41\"/></url>"
    ), "{xml}");
    for word in ["C-40", "/sit<", "/uat", "development"] {
        assert!(!xml.contains(word), "the sitemap holds {word}");
    }
}

#[tokio::test]
async fn robots_are_told_where_to_look_and_to_leave_the_internal_view_alone() {
    let stage = Stage::of(estate::trouble()).await;
    let public = get(stage.public(), "/robots.txt").await.text();
    assert!(public.contains("Sitemap: https://status.example.wales/sitemap.xml\n"));
    assert!(public.contains("Sitemap: https://statws.example.cymru/sitemap.xml\n"));
    assert!(!public.contains("Disallow: /\n"));
    assert_eq!(get(stage.internal(), "/robots.txt").await.text(), "User-agent: *\nDisallow: /\n");
}

#[tokio::test]
async fn who_finds_a_hole_finds_where_to_write() {
    let stage = Stage::of(estate::all_well()).await;
    let answer = get(stage.public(), "/.well-known/security.txt").await;
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(
        answer.text(),
        "Contact: mailto:security@example.wales\nExpires: 2027-05-20T00:00:00Z\nPreferred-Languages: en, cy\n\
         Canonical: https://status.example.wales/.well-known/security.txt\n\
         Canonical: https://statws.example.cymru/.well-known/security.txt\n"
    );
    let mut silent = estate::all_well();
    let mut configuration = domain::Configuration::clone(&silent.configuration);
    configuration.site.security = None;
    silent.configuration = configuration.into();
    let stage = Stage::of(silent).await;
    let missing = get(stage.public(), "/.well-known/anything").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(get(stage.public(), "/.well-known/security.txt").await, missing);
}
