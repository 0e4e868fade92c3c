//! A service desk that lets in whoever shows a certificate: nginx from Debian before it asks for one.
//! The name of each test holds `nginx`: `tests/run quick` leaves them out, since nginx must be installed.

use crate::{
    nginx::Nginx,
    outage::{all_well, place_with},
    program::{PATIENCE, Place, free_ports, world},
};
use base64::Engine as _;
use simulator::{Fault, World};
use std::fs;

const SIGNED_IN: &str =
    "auth: { oauth2: { client_id: \"{{desk_client}}\", client_secret: \"file:secrets/desk-client\" } }";
const BY_CERTIFICATE: &str =
    "auth: { mtls: { certificate: \"file:secrets/ours.pem\", key: \"file:secrets/ours.key\" } }";

/// The desk behind nginx, which knows the account by our certificate.
fn guarded(world: &World, place: &Place, port: u16) -> Nginx {
    let made = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (theirs, ours) = (made(), made());
    let directory = place.directory.path();
    let at = directory.display();
    fs::write(directory.join("cert.pem"), theirs.cert.pem()).expect("a certificate");
    fs::write(directory.join("key.pem"), theirs.signing_key.serialize_pem()).expect("a key");
    fs::write(directory.join("clients.pem"), ours.cert.pem()).expect("a certificate");
    place.write("secrets/ca.pem", &theirs.cert.pem());
    place.write("secrets/ours.pem", &ours.cert.pem());
    place.write("secrets/ours.key", &ours.signing_key.serialize_pem());
    let desk = world.desk();
    let options = desk.options();
    let account = format!("{}:{}", options.user, options.password);
    let account = base64::engine::general_purpose::STANDARD.encode(account);
    Nginx::serve(
        directory,
        &format!(
            "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;\n\
             ssl_verify_client on; ssl_client_certificate {at}/clients.pem;\n\
             location / {{ proxy_pass {}; proxy_set_header Authorization \"Basic {account}\"; }} }}",
            desk.url()
        ),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_behind_nginx_knows_us_by_our_certificate_alone() {
    let world = world().await;
    let [port, _] = free_ports();
    let url = format!("https://localhost:{port}");
    let place = place_with(&world, |text| {
        let signed_in = SIGNED_IN.replace("{{desk_client}}", &world.desk().options().client_id);
        let own = text.replace(&signed_in, BY_CERTIFICATE).replace(
            &format!("servicenow:\n      url: \"{}\"", world.desk().url()),
            &format!("servicenow:\n      url: \"{url}\""),
        );
        if own == text { own } else { format!("{own}\negress: {{ roots: [ \"file:secrets/ca.pem\" ] }}\n") }
    });
    let _nginx = guarded(&world, &place, port);
    let root = fs::read(place.config().join("secrets/ca.pem")).expect("nginx's");
    let root = reqwest::Certificate::from_pem(&root).expect("a certificate");
    let stranger = reqwest::Client::builder().add_root_certificate(root).build().expect("a client");
    let began = std::time::Instant::now();
    let answer = loop {
        match stranger.get(&url).send().await {
            Ok(answer) => break answer,
            Err(why) => assert!(began.elapsed() < PATIENCE, "nginx does not listen: {why}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(answer.status(), 400, "nginx asks for a certificate");

    let looked = place.run(&["doctor"]).await;
    assert!(looked.out.contains("own certificate (service desk nsd)"), "{looked:?}");
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault("results", "production", Fault::GatewayUnavailable).await.expect("a fault");
    let one = |world: &World| (world.desk().tickets().len() == 1).then_some(());
    world.wait_for(PATIENCE, one).await.expect("a ticket");

    let plain = place_with(&world, |text| {
        let signed_in = SIGNED_IN.replace("{{desk_client}}", &world.desk().options().client_id);
        text.replace(&signed_in, BY_CERTIFICATE)
    });
    for name in ["secrets/ours.pem", "secrets/ours.key"] {
        plain.write(name, &fs::read_to_string(place.config().join(name)).expect("it is there"));
    }
    let ran = plain.run(&["check"]).await;
    assert!(ran.code == Some(78) && ran.err.contains("a certificate is shown over https alone"), "{ran:?}");
    world.stop().await;
}
