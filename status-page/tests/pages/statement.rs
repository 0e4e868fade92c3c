//! The accessibility statement has what the law asks for, in both languages.

use crate::{estate, stage::*};
use domain::{Configuration, Situation};

const PATHS: [&str; 2] = ["/en/accessibility-statement", "/cy/datganiad-hygyrchedd"];

async fn statements(situation: Situation) -> [String; 2] {
    let stage = Stage::of(situation).await;
    let [en, cy] = PATHS;
    [get(stage.public(), en).await.text(), get(stage.public(), cy).await.text()]
}

#[tokio::test]
async fn the_statement_names_who_runs_the_site_and_where_to_write() {
    let [en, cy] = statements(estate::all_well()).await;
    for (page, said) in [
        (&en, "This website is run by Digital Health and Care Wales."),
        (
            &en,
            "Digital Health and Care Wales is committed to making its website accessible, in accordance with",
        ),
        (&cy, "Caiff y wefan hon ei rhedeg gan Iechyd a Gofal Digidol Cymru."),
    ] {
        assert!(page.contains(said), "{page}");
    }
    let titles = [
        "Feedback and contact information",
        "Enforcement procedure",
        "Compliance status",
        "Non-accessible content",
        "Non-compliance with the accessibility regulations",
        "Disproportionate burden",
        "Preparation of this accessibility statement",
    ];
    for title in titles {
        assert!(en.contains(&format!(">{title}</h")), "{title}: {en}");
    }
    for page in [en, cy] {
        assert!(
            page.contains(r#"<a href="mailto:accessibility@example.wales">accessibility@example.wales</a>"#)
        );
        assert!(page.contains(r#"<a href="https://www.equalityadvisoryservice.com/">"#));
    }
}

#[tokio::test]
async fn where_the_configuration_says_nobody_the_service_desk_is_told() {
    let mut situation = estate::all_well();
    let mut configuration = Configuration::clone(&situation.configuration);
    configuration.site.accessibility = None;
    situation.configuration = configuration.into();
    let [en, cy] = statements(situation).await;
    assert!(en.contains("tell the service desk that you use") && !en.contains("is run by"), "{en}");
    assert!(cy.contains("dywedwch wrth y ddesg gwasanaeth") && !cy.contains("ei rhedeg gan"), "{cy}");
}
