//! What “Working” means is said on every instance, made from the operations that run there.

use crate::{estate, stage::*};
use domain::Kind;

async fn words(operations: &[&str], path: &str) -> String {
    let mut api = estate::api("results", "Results", "Canlyniadau", Kind::Rest);
    api.operations =
        api.operations.iter().filter(|one| operations.contains(&one.id.as_str())).cloned().collect();
    get(Stage::of(estate::fresh(vec![api])).await.public(), path).await.text()
}

#[tokio::test]
async fn where_no_record_is_read_it_says_that_an_operation_may_fail_all_the_same() {
    let text = words(&["ping", "status"], "/en/apis/results").await;
    let short = "We check that the gateway answers; that the API itself says it is well.";
    for place in ["in production", "in the sandbox"] {
        let not =
            format!("We do not read records {place}: your operation may fail while this says “Working”.");
        assert!(text.contains(&format!("{short} {not}")), "{text}");
    }
    let welsh = words(&["ping", "status"], "/cy/apis/results").await;
    assert!(
        welsh
            .contains("Rydym yn gwirio bod porth yr API yn ateb; bod yr API ei hun yn dweud ei fod yn iach."),
        "{welsh}"
    );
}

#[tokio::test]
async fn where_requests_are_made_nothing_is_said_of_records_that_are_not_read() {
    let text = words(&["ping", "read"], "/en/apis/results").await;
    assert!(text.contains(
        "We check that the gateway answers; that it answers a request as agreed. \
         Only that: another operation, or other data, may fail while this says “Working”."
    ));
    assert!(!text.contains("We do not read records"));
}
