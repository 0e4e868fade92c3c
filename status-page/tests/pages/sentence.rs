//! The sentence of truth.

use crate::{
    estate,
    stage::{Stage, get},
};
use domain::{Environment, Layer, Status};

#[tokio::test]
async fn the_sentence_says_what_is_so() {
    async fn sentence(situation: domain::Situation, path: &str) -> String {
        let html = get(Stage::of(situation).await.public(), path).await.text();
        let h1 = html.split("<h1").nth(1).unwrap().split("</h1>").next().unwrap();
        h1.rsplit("<span>").next().unwrap().replace("</span>", "")
    }
    assert_eq!(sentence(estate::all_well(), "/en").await, "All 6 APIs are working");
    assert_eq!(sentence(estate::all_well(), "/cy").await, "Mae pob un o’r 6 API yn gweithio");
    assert_eq!(
        sentence(estate::trouble(), "/en").await,
        "Patient Demographics is not working in production, since 02:40 GMT; 1 more has trouble"
    );
    assert_eq!(
        sentence(estate::trouble(), "/cy").await,
        "Nid yw Demograffeg Cleifion yn gweithio yn yr amgylchedd byw, ers 02:40 GMT; mae trafferth gydag 1 arall"
    );
    assert_eq!(sentence(estate::one_api(), "/en").await, "Results is working in production");
    let fresh = estate::fresh(vec![estate::api("results", "Results", "Canlyniadau", domain::Kind::Rest)]);
    assert_eq!(sentence(fresh, "/en").await, "Nothing has been measured yet");
    let all_are = |status, layer| {
        let mut situation = estate::all_well();
        for (api, ..) in estate::NAMES {
            estate::set(&mut situation, api, Environment::Production, status, 60, Some(layer));
        }
        situation
    };
    let dark = || all_are(Status::Unknown, Layer::Ours);
    assert_eq!(
        sentence(dark(), "/en").await,
        "We do not know whether any of the 6 APIs is working in production"
    );
    assert_eq!(
        sentence(dark(), "/cy").await,
        "Ni wyddom a yw’r un o’r 6 API yn gweithio yn yr amgylchedd byw"
    );
    let mut some = estate::all_well();
    estate::set(&mut some, "results", Environment::Production, Status::Degraded, 60, None);
    for api in ["documents", "identity"] {
        estate::set(&mut some, api, Environment::Production, Status::Unknown, 60, Some(Layer::Ours));
    }
    let some = sentence(some, "/en").await;
    assert!(some.ends_with("; of 2 more we do not know"), "what is not known is never hidden: {some}");
    let down = sentence(all_are(Status::MajorOutage, Layer::Gateway), "/en").await;
    assert!(down.starts_with("None of the 6 APIs is working in production, since"), "{down}");
}
