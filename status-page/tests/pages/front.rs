//! What of the matrix is shown, by URL; and what an API's page says beside its environments.

use crate::{
    estate,
    stage::{Stage, get},
};
use domain::{Deprecation, Environment, Latest, Layer, Status};
use std::sync::Arc;

fn rows(html: &str) -> usize {
    html.matches("<th scope=\"row\">").count()
}

#[tokio::test]
async fn the_matrix_is_filtered_by_environment_kind_and_team_without_script() {
    let stage = Stage::of(estate::sixty()).await;
    let front = async |path: &str| get(stage.public(), path).await.text();
    let sandbox = front("/en?environment=sandbox").await;
    assert_eq!((rows(&sandbox), sandbox.matches("<th scope=\"col\">").count()), (60, 2));
    assert!(sandbox.contains(r#"<option value="sandbox" selected>Sandbox</option>"#));
    let first = sandbox.split("<th scope=\"row\">").nth(1).unwrap();
    assert!(first.contains("documents-9"), "the worst of that environment is first");
    assert!(sandbox.contains(r#"href="/cy?environment=sandbox""#), "the other language is at the same place");
    let soap = front("/en?find=&environment=&kind=soap&team=demographics").await;
    assert_eq!(rows(&soap), 10);
    assert!(soap.contains("10 of 60 shown"));
    assert!(front("/en?find=%C5%B5&kind=soap").await.contains("No API matches what you chose."));
    assert!(front("/cy?find=%C5%B5&kind=soap").await.contains(r#"href="/en?find=%C5%B5&amp;kind=soap""#));
}

#[tokio::test]
async fn an_environment_that_is_not_public_filters_as_one_that_was_never_there() {
    let stage = Stage::of(estate::sixty()).await;
    let all = get(stage.public(), "/en").await;
    for query in ["environment=uat", "environment=made-up", "team=made-up", "kind=made-up", "else=1", "find="]
    {
        assert_eq!(get(stage.public(), &format!("/en?{query}")).await, all, "{query}");
    }
    let inside = get(stage.internal(), "/en?environment=uat").await.text();
    assert!(inside.contains(r#"<option value="uat" selected>"#));
}

#[tokio::test]
async fn visitors_with_many_wishes_are_all_answered() {
    let stage = Stage::of(estate::sixty()).await;
    for n in 0..70 {
        let answer = get(stage.public(), &format!("/en?find={n}")).await.text();
        assert!(answer.contains(&format!("value=\"{n}\"")));
    }
}

#[tokio::test]
async fn an_api_that_goes_says_when_and_its_parents_say_how_they_are() {
    let mut situation = estate::all_well();
    estate::set(
        &mut situation,
        "identity",
        Environment::Sandbox,
        Status::MajorOutage,
        60,
        Some(Layer::Token),
    );
    let id = estate::instance("results", Environment::Production);
    let (track, latest) = situation.latest.iter().find(|(track, _)| track.check.instance == id).unwrap();
    let (track, mut outcome) = (track.clone(), latest.outcome.as_deref().unwrap().clone());
    let date = |text: &str| Some(text.parse().unwrap());
    outcome.deprecation = Some(Box::new(Deprecation {
        since: date("2026-06-01T00:00:00Z"),
        sunset: date("2027-03-31T22:59:59Z"),
    }));
    let latest = Latest { at: latest.at, verdict: latest.verdict, outcome: Some(Arc::new(outcome)) };
    situation.latest.insert(track, latest);
    let stage = Stage::of(situation).await;
    let html = get(stage.public(), "/en/apis/results").await.text();
    assert!(html.contains("<dt>Expected to answer no more from</dt><dd>31 March 2027</dd>"), "{html}");
    assert!(html.contains("<dt>Deprecated from</dt><dd>1 June 2026</dd>"));
    let parents = html.split("Depends on").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(
        parents.contains("Working</span> (Production)") && parents.contains("Not working</span> (Sandbox)")
    );
    assert!(!parents.contains("UAT"));
    let welsh = get(stage.public(), "/cy/apis/documents").await.text();
    assert!(welsh.contains("Ddim yn gweithio</span> (Blwch tywod)"), "{welsh}");
}
