//! Of what is not public the public page has the portal's own words on how to come by it, and nothing else.

use crate::{estate, stage::*};
use domain::Configuration;

const EN: &str = r#"<p>Ask the portal for access. <a href="https://portal.example.wales/access">"#;
const CY: &str = r#"<p>Gofynnwch i’r porth am fynediad. <a href="https://porth.example.cymru/mynediad">"#;

#[tokio::test]
async fn every_api_and_whatever_is_not_found_says_how_to_ask_for_access() {
    let stage = Stage::of(estate::all_well()).await;
    for (path, words) in [
        ("/en/apis/results", EN),
        ("/en/apis/reference-data", EN),
        ("/cy/apis/results", CY),
        ("/en/environments/sit", EN),
        ("/cy/nid-oes-dim-yma", CY),
    ] {
        let page = get(stage.public(), path).await.text();
        assert!(page.contains(words), "{path}: {page}");
        let within = get(stage.internal(), path).await.text();
        assert!(!within.contains(words), "who sees all has no need of it: {path}");
    }
}

#[tokio::test]
async fn where_the_portal_says_nothing_the_page_is_silent() {
    let mut situation = estate::all_well();
    let mut configuration = Configuration::clone(&situation.configuration);
    configuration.site.access = None;
    situation.configuration = configuration.into();
    let stage = Stage::of(situation).await;
    let page = get(stage.public(), "/en/apis/results").await.text();
    assert!(page.contains("Results") && !page.contains("not public"), "{page}");
}
