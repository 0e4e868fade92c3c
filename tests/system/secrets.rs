//! Invariant 14: no secret in a log, a page, a metric or the database.

use crate::{
    outage::{all_well, place},
    program::{PATIENCE, text, world},
};
use simulator::Fault;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_telephone_number_leaves_the_configuration() {
    let world = world().await;
    let place = place(&world);
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.notify().texts().into_iter().next()).await.expect("a text");
    let mut said = vec![fs::read_to_string(place.log()).expect("a log")];
    for path in ["/en", "/api/v1/incidents", "/api/v1/status", "/metrics"] {
        said.push(text(&program.internal(path)).await);
    }
    assert!(program.terminate().await.success());
    for file in ["curiad.db", "curiad.db-wal"] {
        if let Ok(bytes) = fs::read(place.directory.path().join(file)) {
            said.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    for secret in fs::read_dir(place.config().join("secrets")).expect("secrets") {
        let path = secret.expect("a file").path();
        let secret = fs::read_to_string(&path).expect("a secret");
        for text in &said {
            assert!(!text.contains(secret.trim()), "{} was told", path.display());
        }
    }
    world.stop().await;
}
