//! Mistakes that people make with a program: each is answered by one line on what is wrong, one on what to do, and the
//! code of sysexits.h that says which kind it is.

use crate::{
    database::server,
    outage::{place, place_with},
    program::{CURIAD, PATIENCE, Place, Ran, SERVE, free_ports, tail, world},
};
#[cfg(debug_assertions)]
use crate::{
    database::{On, on_both},
    outage::place_on,
};
use simulator::World;
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::Instant,
};

/// What is said, but for the places that differ from run to run.
fn said(place: &Place, text: &str) -> String {
    text.trim_end().replace(&place.directory.path().display().to_string(), "DIR")
}

async fn answers(place: &Place, arguments: &[&str], code: i32, expected: &str) {
    let ran = place.run(if arguments == ["serve"] { SERVE } else { arguments }).await;
    assert_eq!((said(place, &ran.err).as_str(), ran.code), (expected, Some(code)), "{arguments:?}");
    assert_eq!(ran.out, "", "{arguments:?}: nothing is printed as if it had worked");
}

/// The configuration with another database.
fn with_database(world: &World, url: &str) -> Place {
    let url = url.to_owned();
    place_with(world, move |text| text.replace("{{database}}", &url))
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_command_line() {
    let place = Place::new(&[]);
    for (arguments, expected) in [
        (
            &["serve", "--lisen", "127.0.0.1:1"] as &[&str],
            "curiad: unexpected argument '--lisen' found\n\
             perhaps '--listen' was meant; `curiad serve --help` lists what there is",
        ),
        (
            &["serve", "--nothing-like-it"],
            "curiad: unexpected argument '--nothing-like-it' found\n`curiad serve --help` lists what there is",
        ),
        (
            &["sevre"],
            "curiad: unrecognized subcommand 'sevre'\n\
             perhaps 'serve' was meant; `curiad --help` lists what there is",
        ),
        (
            &["rota", "whom", "platform"],
            "curiad: unrecognized subcommand 'whom'\n\
             perhaps 'who' was meant; `curiad rota --help` lists what there is",
        ),
        (
            &["probe"],
            "curiad: the following required arguments were not provided: <API>\n\
             `curiad probe --help` lists what there is",
        ),
        (
            &["serve", "--listen"],
            "curiad: a value is required for '--listen <ADDR>' but none was supplied\n\
             `curiad serve --help` lists what there is",
        ),
        (
            &["serve", "--listen", "8080"],
            "curiad: invalid value '8080' for '--listen <ADDR>': invalid socket address syntax\n\
             write an address and a port, such as 127.0.0.1:9080; `curiad serve --help` lists what there is",
        ),
        (
            &["chek"],
            "curiad: unrecognized subcommand 'chek'\n\
             perhaps 'check' was meant; `curiad --help` lists what there is",
        ),
        (
            &["--log", "inof", "check"],
            "curiad: --log inof: 'inof' is no level and no module of curiad\ndid you mean 'info'?",
        ),
        (
            &["--log", "loud", "check"],
            "curiad: --log loud: 'loud' is no level and no module of curiad\n\
             write error, warn, info or debug; or info,prober=debug for more of one module",
        ),
        (
            &["rota", "show", "platform", "--days", "900"],
            "curiad: invalid value '900' for '--days <DAYS>': 900 is not in 1..=366\n\
             `curiad rota show --help` lists what there is",
        ),
    ] {
        answers(&place, arguments, 64, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nothing_has() {
    let world = world().await;
    let place = place(&world);
    let expected = "curiad: no rota is called 'platfrom'\ndid you mean 'platform'?";
    answers(&place, &["rota", "who", "platfrom"], 64, expected).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_configurations_place() {
    let place = Place::new(&[]);
    for command in [&["serve"] as &[&str], &["doctor"], &["incident", "list"]] {
        let expected = "curiad: there is no configuration at DIR/config\n\
                        name the directory that holds curiad.yaml with --config DIR";
        answers(&place, command, 66, expected).await;
    }
    assert_eq!(place.run(&["check"]).await.code, Some(66));
    let world = world().await;
    let place = self::place(&world);
    let expected = "curiad: there is no configuration at nowhere\n\
                    name the directory that holds the other curiad.yaml with --against DIR";
    answers(&place, &["check", "--against", "nowhere"], 66, expected).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_database() {
    const SCHEME: &str =
        "the database is sqlite://PATH, or postgres://USER:PASSWORD@HOST/NAME from env:NAME or file:PATH";
    let world = world().await;
    for (url, code, expected) in [
        (
            "sqlite:///nowhere/curiad.db",
            73,
            "curiad: there is no directory for the database /nowhere/curiad.db\n\
             make it (mkdir -p /nowhere), or choose another place with `database`",
        ),
        (
            "sqlite:///tmp",
            78,
            "curiad: the database /tmp is a directory\nname a file in it: database: sqlite:///tmp/curiad.db",
        ),
        (
            "sqlite:///etc/passwd",
            65,
            "curiad: /etc/passwd is not a SQLite database\n\
             choose another place with `database`, or move that file away; it was not touched",
        ),
    ] {
        let place = with_database(&world, url);
        answers(&place, &["serve"], code, expected).await;
        if code != 73 {
            answers(&place, &["incident", "list"], code, expected).await;
        }
    }
    for (url, expected) in [
        ("mysql://db/curiad", SCHEME),
        ("curiad.db", SCHEME),
        ("sqlite://", "the database's file is not named; write sqlite://PATH, such as sqlite://curiad.db"),
        (
            "sqlite:/curiad.db",
            "one slash says too little; write sqlite://curiad.db, or sqlite:///var/lib/curiad/curiad.db",
        ),
    ] {
        let place = with_database(&world, url);
        let ran = place.run(SERVE).await;
        assert!(ran.err.contains(&format!("curiad.yaml:15:11: error: {expected}\n")), "{url}: {}", ran.err);
        assert_eq!(ran.code, Some(78), "{url}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_database_server() {
    let world = world().await;
    let [port, _] = free_ports();
    let gone = with_database(&world, &format!("postgres://curiad@127.0.0.1:{port}/curiad"));
    let expected = format!(
        "curiad: postgres://127.0.0.1:{port}/curiad: could not open the database: the database cannot be reached \
         (error communicating with database: Connection refused (os error 111))\n\
         check that it runs and where it is, its permissions and its disk"
    );
    for command in [&["incident", "list"] as &[&str], &["serve"]] {
        answers(&gone, command, 69, &expected).await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_database_that_its_server_does_not_give_postgres() {
    let world = world().await;
    let server = server();
    let (before, _) = server.rsplit_once('/').expect("a URL with a database");
    let absent = "\ncheck its name, or make it once: CREATE DATABASE … OWNER …\n";
    let denied = "\ncheck the user, the password and the database's name, and that it belongs to that user\n";
    for (url, said, next, code) in [
        (format!("{before}/nowhere"), "database \"nowhere\" does not exist", absent, 69),
        (server.replace("postgres@", "stranger@"), "role \"stranger\" does not exist", denied, 77),
    ] {
        let ran = with_database(&world, &url).run(&["incident", "list"]).await;
        assert!(ran.err.contains(said) && ran.err.ends_with(next) && ran.code == Some(code), "{ran:?}");
    }
    let well = with_database(&world, &server).run(&["--json", "doctor"]).await;
    assert!(well.out.contains("PostgreSQL ") && well.code == Some(0), "{well:?}");
    world.stop().await;
}

// What only a build for tests can do to a database.
#[cfg(debug_assertions)]
on_both!(with_a_database_of_a_newer_program);

#[cfg(debug_assertions)]
async fn with_a_database_of_a_newer_program(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let store = store::Store::open(&place.url, [1; 32]).await.expect("a database");
    store.pretend_newer(4711).await.expect("newer");
    store.close().await;
    let expected = format!(
        "curiad: {}: the database was made by a newer curiad: its schema is version 4711, this \
         program knows {}\nrun the newer program, or restore the backup made before it",
        said(&place, &place.url.replace("postgres@", "")),
        newest()
    );
    for command in [&["serve"] as &[&str], &["incident", "list"]] {
        answers(&place, command, 65, &expected).await;
    }
    let doctor = place.run(&["--json", "doctor"]).await;
    assert!(doctor.out.contains("has schema 4711") && doctor.code == Some(1), "{}", doctor.out);
    world.stop().await;
}

#[cfg(debug_assertions)]
fn newest() -> usize {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    fs::read_dir(folder).expect("migrations").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_ports() {
    let world = world().await;
    let place = place(&world);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for flag in ["--listen", "--listen-internal"] {
        let other = if flag == "--listen" { "--listen-internal" } else { "--listen" };
        let expected = format!(
            "curiad: cannot listen on {address}: Address already in use (os error 98)\n\
             stop what uses it, or choose another address with {flag}"
        );
        answers(&place, &["serve", flag, &address, other, "127.0.0.1:0"], 69, &expected).await;
    }
    let expected = "curiad: cannot listen on 192.0.2.1:8080: Cannot assign requested address (os error 99)\n\
                    this machine has no such address: choose one it has with --listen";
    answers(&place, &["serve", "--listen", "192.0.2.1:8080"], 69, expected).await;
    let expected = "curiad: 0.0.0.0:8082 can be reached from beyond this machine, and shows everything\n\
                    say 'trusted_network: true' under 'listen' if only people who may see it all can reach it";
    answers(&place, &["serve", "--listen-internal", "0.0.0.0:8082"], 78, expected).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_certificates_and_secrets() {
    let world = world().await;
    let trusting = |file: &'static str| {
        place_with(&world, move |text| {
            let egress = format!("\negress: {{ roots: [\"{file}\"] }}\n");
            if text.contains("\nsite:") { text + &egress } else { text }
        })
    };
    for (file, expected) in [
        ("file:none.pem", "none.pem cannot be used: No such file or directory (os error 2)"),
        ("file:curiad.yaml", "curiad.yaml cannot be used: there is no PEM certificate in it"),
        ("none.pem", "certificates are in a file: write file:PATH, not 'none.pem'"),
    ] {
        let place = trusting(file);
        let ran = place.run(SERVE).await;
        assert!(ran.err.contains(expected), "{file}: {}", ran.err);
        assert_eq!(ran.code, Some(78), "{file}");
    }
    let place = place(&world);
    fs::remove_file(place.config().join("secrets/desk-client")).expect("a secret");
    let ran = place.run(SERVE).await;
    let expected =
        "the secret at file:secrets/desk-client cannot be used: No such file or directory (os error 2)";
    assert!(ran.err.contains(expected) && ran.code == Some(78), "{ran:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_permissions() {
    let world = world().await;
    let place = place(&world);
    let everybody = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.directory.path(), everybody.clone()).expect("permissions");
    let Some(ran) = as_nobody(&place, &["serve"]).await else { return };
    let owner = fs::metadata(place.directory.path()).map(|found| std::os::unix::fs::MetadataExt::uid(&found));
    let expected = format!(
        "curiad: DIR cannot be written, and the database needs it\n\
         user {} owns it: run curiad as its owner, or give it to the user who runs curiad (chown)",
        owner.expect("an owner")
    );
    assert_eq!((said(&place, &ran.err), ran.code), (expected, Some(77)));

    fs::set_permissions(place.config().join("secrets/desk-client"), fs::Permissions::from_mode(0o000))
        .expect("permissions");
    let ran = as_nobody(&place, &["serve"]).await.expect("it ran before");
    let expected = "the secret at file:secrets/desk-client cannot be used: Permission denied (os error 13)";
    assert!(ran.err.contains(expected) && ran.code == Some(78), "{ran:?}");
    world.stop().await;
}

/// Runs it as somebody who may do nothing; `None`: this machine does not let us.
async fn as_nobody(place: &Place, arguments: &[&str]) -> Option<Ran> {
    // Where the build lies may be closed to others.
    let program = place.directory.path().join("curiad");
    if !program.exists() {
        fs::hard_link(CURIAD, &program).or_else(|_| fs::copy(CURIAD, &program).map(drop)).ok()?;
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    command.arg("--config").arg(place.config()).args(arguments).stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").ok()?;
    let err = String::from_utf8_lossy(&run.stderr).into_owned();
    (!err.starts_with("setpriv:")).then(|| Ran { code: run.status.code(), out: String::new(), err })
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_disk_that_cannot_be_written_and_with_a_network_share() {
    let world = world().await;
    let place = place_with(&world, |text| text.replace("{{database}}", "sqlite://DIR/data/curiad.db"));
    let folder = place.directory.path().display().to_string();
    let text = fs::read_to_string(place.config().join("curiad.yaml")).expect("a file");
    place.write("curiad.yaml", &text.replace("DIR", &folder));
    fs::create_dir(place.directory.path().join("data")).expect("a directory");

    let read_only = format!("mount -t tmpfs -o ro none {folder}/data");
    let expected = "curiad: the database DIR/data/curiad.db is on a read-only file system (DIR/data)\n\
                    mount it for writing, or choose another place with `database`";
    mounted(&place, &read_only, (expected, 73)).await;

    // The kernel's own list, with a share in it, laid over the one that the program reads.
    let list = format!(
        "27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:40 / {folder}/data rw - nfs4 filer:/export rw\n"
    );
    fs::write(place.directory.path().join("mounts"), list).expect("a file");
    let share = format!("mount --bind {folder}/mounts /proc/$$/mountinfo");
    let expected = "curiad: the database DIR/data/curiad.db is on a network share (nfs4 at DIR/data)\n\
                    move it to a local disk: on a share two programs may write at once, and call people twice";
    mounted(&place, &share, (expected, 78)).await;
    world.stop().await;
}

/// Runs `curiad serve` with a mount that only this one process sees; where the machine allows that.
async fn mounted(place: &Place, mount: &str, expected: (&str, i32)) {
    let script = format!("{mount} && exec {CURIAD} --config {} serve", place.config().display());
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]).stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("run");
    let err = said(place, &String::from_utf8_lossy(&ran.stderr));
    if ["unshare:", "mount:"].iter().any(|refused| err.starts_with(refused)) {
        return;
    }
    assert_eq!((err.as_str(), ran.status.code()), (expected.0, Some(expected.1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_open_files_are_said_at_the_start() {
    let world = world().await;
    let place = place(&world);
    let log = fs::File::create(place.log()).expect("a log");
    let serve = place.command(&["serve", "--listen", "127.0.0.1:0", "--listen-internal", "127.0.0.1:0"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 128 && exec \"$0\" \"$@\""])
        .arg(serve.get_program())
        .args(serve.get_args());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .spawn()
        .expect("it starts");
    let limit = Instant::now() + PATIENCE;
    let warning = "128 files and connections may be open at once";
    while !tail(&place.log()).contains(warning) {
        assert!(Instant::now() < limit, "{}", tail(&place.log()));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(tail(&place.log()).contains("raise LimitNOFILE="), "{}", tail(&place.log()));
    child.kill().expect("killed");
    child.wait().expect("ended");
    world.stop().await;
}
