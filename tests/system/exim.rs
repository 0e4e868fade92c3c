//! E-mail against something that is not ours: exim from Debian, which takes nothing but under STARTTLS from who has signed in.
//! The name of each test holds `exim`: `tests/run quick` leaves them out, since exim must be installed.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{PATIENCE, free_ports, json, world},
};
use simulator::{Fault, World};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

const API: &str = "patient-demographics";
const PASSWORD: &str = "a-password-that-exim-knows";

on_both!(exim_takes_our_mail_under_starttls_and_what_it_missed_once_when_it_is_back);

struct Exim {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Exim {
    /// With a certificate for `localhost`; its mail is files below `mail`.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        let certified = certified.expect("a certificate");
        fs::write(directory.path().join("cert.pem"), certified.cert.pem()).expect("a certificate");
        fs::write(directory.path().join("key.pem"), certified.signing_key.serialize_pem()).expect("a key");
        for name in ["spool", "mail", "log"] {
            fs::create_dir(directory.path().join(name)).expect("a directory");
        }
        let [port, _] = free_ports();
        let child = Self::run(directory.path(), port);
        Self { child, directory, port }
    }

    /// Nothing is delivered as root: then it is Debian's user for mail.
    fn run(directory: &Path, port: u16) -> Child {
        let (user, group) = match said("id", &["-un"]).as_str() {
            "root" => ("mail".to_owned(), "mail".to_owned()),
            other => (other.to_owned(), said("id", &["-gn"])),
        };
        let at = directory.display();
        let settings = format!(
            "primary_hostname = localhost\nkeep_environment =\nnotifier_socket =\nspool_directory = {at}/spool\n\
             log_file_path = {at}/log/%slog\nexim_user = {user}\nexim_group = {group}\ndeliver_drop_privilege = true\n\
             daemon_smtp_ports = {port}\nlocal_interfaces = <; 127.0.0.1 ; ::1\ndisable_ipv6 = true\n\
             tls_advertise_hosts = *\ntls_certificate = {at}/cert.pem\ntls_privatekey = {at}/key.pem\n\
             auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}\n\
             acl_smtp_rcpt = signed_in\nacl_smtp_data = signed_in\n\
             begin acl\nsigned_in:\n  accept authenticated = *\n         encrypted = *\n  deny message = sign in first\n\
             begin routers\nall:\n  driver = accept\n  transport = file\n\
             begin transports\nfile:\n  driver = appendfile\n  directory = {at}/mail\n\
             begin authenticators\nPLAIN:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n\
             \x20 server_condition = ${{if and{{{{eq{{$auth2}}{{curiad}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}\n\
             \x20 server_set_id = $auth2\n"
        );
        fs::write(directory.join("exim.conf"), settings).expect("settings");
        said("chown", &["-R", &format!("{user}:{group}"), &at.to_string()]);
        if user == "mail" {
            // exim believes no settings that another than root may change.
            said("chown", &["root", &format!("{at}/exim.conf")]);
        }
        Command::new("exim4")
            .args(["-C", &format!("{at}/exim.conf"), "-bdf", "-odi"])
            .stdin(Stdio::null())
            .spawn()
            .expect("exim starts: it is a Debian package, exim4-daemon-light, in /usr/sbin")
    }

    fn stop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }

    fn start(&mut self) {
        self.child = Self::run(self.directory.path(), self.port);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log/mainlog")).unwrap_or_default()
    }

    /// What it has taken that holds `words`.
    fn mails(&self, words: &str) -> Vec<String> {
        let files = fs::read_dir(self.directory.path().join("mail")).expect("a directory").flatten();
        // One that is being written begins with another letter.
        let done = files.filter(|file| file.file_name().to_string_lossy().starts_with('q'));
        done.filter_map(|file| fs::read_to_string(file.path()).ok())
            .filter(|mail| mail.contains(words))
            .collect()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        self.stop();
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).output().expect("it runs");
    assert!(ran.status.success(), "{program} {arguments:?}: {ran:?}");
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let line = mail.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {mail}"))
}

async fn exim_takes_our_mail_under_starttls_and_what_it_missed_once_when_it_is_back(on: On) {
    let world = world().await;
    let mut exim = Exim::new();
    let place = place_on_with(on, &world, |text| {
        let ours = format!("mail: {{ host: 127.0.0.1, port: {}, tls: none,", world.mail().address().port());
        let theirs = format!(
            "mail: {{ host: localhost, port: {}, tls: starttls, user: curiad, password: \"file:secrets/mail\",",
            exim.port
        );
        text.replace(&ours, &theirs)
    });
    let certificate = exim.directory.path().join("cert.pem");
    let trusting = [("SSL_CERT_FILE", certificate.as_os_str())];

    place.write("secrets/mail", "another-password");
    let ran = place.command(&["doctor"]).env("SSL_CERT_FILE", &certificate).output().expect("it runs");
    let ran = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.contains("the server refuses our user and password (535)"), "{ran}");

    place.write("secrets/mail", PASSWORD);
    let mut program = place.serve_with(&trusting);
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let told = |_: &World| exim.mails("/ack/").into_iter().next();
    let call = world.wait_for(PATIENCE, told).await.expect("a mail");
    assert!(call.contains("with esmtpsa"), "under TLS, signed in: {call}");
    assert!(header(&call, "Auto-Submitted").starts_with("auto-"), "{call}");
    let thread = header(&call, "In-Reply-To").to_owned();
    assert!(exim.mails("/ack/").iter().all(|mail| !mail.contains(PASSWORD)));

    exim.stop();
    let calls = exim.mails("").len();
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    let url = program.internal("/api/v1/incidents");
    let over = || async {
        let all = json(&url).await;
        all.as_array().is_some_and(|all| all.iter().all(|one| one["status"] == "resolved"))
    };
    program.wait(over, "the trouble to be over").await;
    assert_eq!(exim.mails("").len(), calls, "it is away");
    exim.start();
    let missed = |_: &World| exim.mails("/stand-down/").into_iter().next();
    let missed =
        world.wait_for(PATIENCE, missed).await.unwrap_or_else(|late| panic!("{late}: {}", exim.log()));
    assert_eq!(header(&missed, "In-Reply-To"), thread, "in the same thread");
    let all = exim.mails("");
    let once: BTreeSet<&str> = all.iter().map(|mail| header(mail, "Message-ID")).collect();
    assert_eq!(once.len(), all.len(), "none twice");
    assert!(program.terminate().await.success());
    world.stop().await;
}
