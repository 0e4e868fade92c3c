//! APIs that speak more than plain HTTP, probed by the real program.

use crate::{
    outage::place,
    program::{Place, world},
};
use serde_json::Value;
use simulator::Fault;

/// One operation's outcome, as `curiad probe --json` tells it, and the exit code.
async fn probed(place: &Place, api: &str, operation: &str) -> (Option<i32>, Value) {
    let ran = place.run(&["--json", "probe", api, "--environment", "sit", "--operation", operation]).await;
    (ran.code, ran.json()[0].clone())
}

fn held(outcome: &Value) -> Vec<(&str, bool)> {
    let expectations = outcome["expectations"].as_array().expect("expectations");
    expectations.iter().map(|one| (one["what"].as_str().expect("what"), one["ok"] == true)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_is_judged_by_its_envelope_and_its_faults() {
    let world = world().await;
    let place = place(&world);
    let (code, seen) = probed(&place, "demographics-soap", "description").await;
    assert_eq!(code, Some(0), "{seen}");
    assert_eq!(held(&seen), [("status", true), ("xpath //wsdl:operation/@name", true)]);
    let (code, seen) = probed(&place, "demographics-soap", "look-up").await;
    assert_eq!((code, held(&seen).len()), (Some(0), 3), "{seen}");

    world.set_fault("demographics-soap", "sit", Fault::Backend(500)).await.expect("a fault");
    let (code, seen) = probed(&place, "demographics-soap", "look-up").await;
    assert_eq!((code, &seen["layer"]), (Some(1), &"backend".into()), "{seen}");
    assert_eq!(seen["failure"]["message"], "status 500: the service failed: SOAP Fault Server");

    world.set_fault("demographics-soap", "sit", Fault::WrongResource).await.expect("a fault");
    let (code, seen) = probed(&place, "demographics-soap", "look-up").await;
    assert_eq!((code, &seen["layer"]), (Some(1), &"contract".into()), "{seen}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fhir_states_what_it_speaks_and_says_what_went_wrong() {
    let world = world().await;
    let place = place(&world);
    let (code, seen) = probed(&place, "patient-demographics", "capabilities").await;
    assert_eq!(code, Some(0), "{seen}");
    let metadata = |what: &'static str| (what, true);
    assert_eq!(
        held(&seen),
        ["status", "metadata resourceType", "metadata status", "metadata fhirVersion"].map(metadata)
    );
    let (code, seen) = probed(&place, "results", "search").await;
    assert_eq!(code, Some(0), "{seen}");

    world.set_fault("results", "sit", Fault::Backend(500)).await.expect("a fault");
    let (code, seen) = probed(&place, "results", "search").await;
    assert_eq!(code, Some(1), "{seen}");
    let message = seen["failure"]["message"].as_str().unwrap_or_default();
    assert!(message.ends_with("; OperationOutcome: fatal, exception"), "{message}");

    world.set_fault("patient-demographics", "sit", Fault::WrongResource).await.expect("a fault");
    let (code, seen) = probed(&place, "patient-demographics", "capabilities").await;
    assert_eq!((code, &seen["layer"]), (Some(1), &"contract".into()), "{seen}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_that_answers_well_with_errors_is_a_failure() {
    let world = world().await;
    let place = place(&world);
    let (code, seen) = probed(&place, "clinic-lists", "clinics").await;
    assert_eq!(
        (code, held(&seen)),
        (Some(0), vec![("status", true), ("json $.data.clinics[0].id", true)]),
        "{seen}"
    );

    world.set_fault("clinic-lists", "sit", Fault::Backend(500)).await.expect("a fault");
    let (code, seen) = probed(&place, "clinic-lists", "clinics").await;
    assert_eq!(
        (code, &seen["layer"], &seen["http"]["status"]),
        (Some(1), &"contract".into(), &200.into()),
        "{seen}"
    );
    assert_eq!(seen["failure"]["message"], "status 200: GraphQL answers with an error at clinics: EXCEPTION");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_not_yet_a_service_that_takes_messages() {
    let world = world().await;
    let place = place(&world);
    for operation in ["connect", "acknowledge"] {
        let (code, seen) = probed(&place, "integration-hub", operation).await;
        assert_eq!(code, Some(0), "{seen}");
    }
    world.set_fault("integration-hub", "sit", Fault::Backend(500)).await.expect("a fault");
    let (code, seen) = probed(&place, "integration-hub", "acknowledge").await;
    assert_eq!((code, &seen["layer"]), (Some(1), &"backend".into()), "{seen}");
    assert_eq!(probed(&place, "integration-hub", "connect").await.0, Some(0));

    world.set_fault("integration-hub", "sit", Fault::Refuse).await.expect("a fault");
    let (code, seen) = probed(&place, "integration-hub", "connect").await;
    assert_eq!((code, &seen["layer"]), (Some(1), &"connect".into()), "{seen}");
    world.stop().await;
}
