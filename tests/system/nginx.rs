//! `serve` against something that is not ours: nginx from Debian, plain and over TLS, taken away.
//! The name of each test holds `nginx`: `tests/run quick` leaves them out, since nginx must be installed.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on},
    program::{PATIENCE, Place, free_ports, json, world},
};
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

const API: &str = "id: NAME\nname: { en: NAME, cy: NAME, same: true }\ndescription: { en: Served by nginx., cy: Gan nginx. }\n\
    kind: rest\nlifecycle: stable\nservice_level: critical\nteam: platform\nlatency: { slow: 850ms, timeout: 900ms }\nevery: 1s\n\
    operations:\n  home: { get: /, critical: true, expect: { status: 200, text: [ { contains: hello } ] } }\n\
    environments:\n  production: { url: \"URL\" }\n";

pub(crate) struct Nginx(Child);

impl Nginx {
    fn start(directory: &Path, plain: u16, tls: u16) -> Self {
        let at = directory.display();
        Self::serve(
            directory,
            &format!(
                "server {{ listen 127.0.0.1:{plain}; location / {{ return 200 hello; }} }}\n\
                 server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;\n\
                 location / {{ return 200 hello; }} }}"
            ),
        )
    }

    /// nginx in the foreground with one worker, everything it writes below `directory`.
    pub(crate) fn serve(directory: &Path, servers: &str) -> Self {
        let at = directory.display();
        let settings = format!(
            "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/error.log;\nevents {{}}\n\
             http {{ access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;\n\
             fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
             {servers} }}\n"
        );
        fs::write(directory.join("nginx.conf"), settings).expect("settings");
        let child = Command::new("nginx")
            .args([
                "-p",
                &at.to_string(),
                "-e",
                &format!("{at}/error.log"),
                "-c",
                &format!("{at}/nginx.conf"),
            ])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx starts: it is a Debian package of that name, in /usr/sbin");
        Self(child)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn for_nginx(place: &Place, plain: u16, tls: u16) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let directory = place.directory.path();
    fs::write(directory.join("cert.pem"), certified.cert.pem()).expect("a certificate");
    fs::write(directory.join("key.pem"), certified.signing_key.serialize_pem()).expect("a key");
    place.write("secrets/ca.pem", &certified.cert.pem());
    fs::remove_dir_all(place.config().join("apis")).expect("no other API");
    for (name, url) in
        [("web-plain", format!("http://127.0.0.1:{plain}")), ("web-tls", format!("https://localhost:{tls}"))]
    {
        place.write(&format!("apis/{name}.yaml"), &API.replace("NAME", name).replace("URL", &url));
    }
    let site = fs::read_to_string(place.config().join("curiad.yaml")).expect("the site");
    place.write("curiad.yaml", &format!("{site}\negress: {{ roots: [ \"file:secrets/ca.pem\" ] }}\n"));
}

on_both!(nginx_is_served_taken_away_and_brought_back);

async fn nginx_is_served_taken_away_and_brought_back(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let [plain, tls] = free_ports();
    for_nginx(&place, plain, tls);
    let nginx = Nginx::start(place.directory.path(), plain, tls);
    let mut program = place.serve();
    all_well(&mut program).await;
    let probe = place.run(&["--json", "probe", "web-tls"]).await.json();
    assert!(probe[0]["phases_ms"]["tls"].as_f64().is_some_and(|ms| ms > 0.0), "{probe}");
    assert!(probe[0]["certificate"]["not_after"].is_string(), "{probe}");

    drop(nginx);
    let two = |world: &simulator::World| (world.desk().tickets().len() == 2).then_some(());
    world.wait_for(PATIENCE, two).await.expect("a ticket for each");
    for ticket in world.desk().tickets() {
        assert!(ticket.field("description").to_lowercase().contains("refused"), "{ticket:?}");
    }
    world
        .wait_for(PATIENCE, |world| world.notify().texts().into_iter().next())
        .await
        .expect("somebody is called");

    let _nginx = Nginx::start(place.directory.path(), plain, tls);
    let url = program.internal("/api/v1/incidents");
    program
        .wait(
            || async {
                let all = json(&url).await;
                all.as_array().is_some_and(|all| all.iter().all(|incident| incident["status"] == "resolved"))
            },
            "both incidents to end",
        )
        .await;
    world.stop().await;
}
