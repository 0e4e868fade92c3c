//! Commands beside the running program: they look for its database and its answers, and say so when they find neither.

use crate::{
    database::{On, on_both},
    outage::{place, place_on, place_with},
    program::{Place, Ran, world},
};
use std::{fs, path::Path, process::Command};

/// Runs it in another directory, as somebody whose name is known or not.
async fn run_in(place: &Place, directory: &Path, arguments: &[&str], nameless: bool) -> Ran {
    let mut command = place.command(arguments);
    command.current_dir(directory);
    if nameless {
        command.env_remove("USER").env_remove("LOGNAME").env_remove("SUDO_USER");
    }
    ran(command).await
}

async fn ran(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_make_no_database() {
    let world = world().await;
    let place = place_with(&world, |text| text.replace("{{database}}", "sqlite://curiad.db"));
    let elsewhere = tempfile::tempdir().expect("a directory");
    let folder = fs::canonicalize(elsewhere.path()).expect("a path");
    for arguments in [&["incident", "list"] as &[&str], &["incident", "ack", "C-1"], &["silence", "list"]] {
        let ran = run_in(&place, elsewhere.path(), arguments, false).await;
        let expected = format!(
            "curiad: there is no database at {}/curiad.db\n`sqlite://curiad.db` is relative to where a command runs: \
             run it in the directory where `curiad serve` runs\n",
            folder.display()
        );
        assert_eq!((ran.err, ran.code), (expected, Some(66)), "{arguments:?}");
    }
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a directory").count(), 0, "nothing was made");

    let place = place_with(&world, |text| text.replace("{{database}}", "sqlite:///nowhere/curiad.db"));
    let ran = place.run(&["incident", "list"]).await;
    let expected = "curiad: there is no database at /nowhere/curiad.db\n\
                    `curiad serve` makes it at its first start: has it run with this configuration?\n";
    assert_eq!((ran.err.as_str(), ran.code), (expected, Some(66)));
    world.stop().await;
}

on_both!(
    what_they_name_is_there_and_what_they_say_is_whole,
    a_pipe_among_the_files_holds_nothing_up,
    a_refusal_says_what_to_do_next
);

async fn what_they_name_is_there_and_what_they_say_is_whole(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    store::Store::open(&place.url, [1; 32]).await.expect("a database").close().await;
    let update = ["incident", "update", "C-99", "--en", "All well", "--cy", "All well"];
    for (arguments, expected) in [
        (
            &["incident", "ack", "C-99"] as &[&str],
            "there is no incident C-99\n`curiad incident list --all` shows those of late",
        ),
        (
            &["incident", "show", "C-99"],
            "there is no incident C-99\n`curiad incident list --all` shows those of late",
        ),
        (&["silence", "end", "77"], "there is no silence 77\n`curiad silence list` shows what there is"),
        (
            &update,
            "the Welsh is the English\n\
             write the Welsh in --cy, or give --same where both are meant to be the same",
        ),
    ] {
        let ran = place.run(arguments).await;
        assert_eq!((ran.err, ran.code), (format!("curiad: {expected}\n"), Some(64)), "{arguments:?}");
    }
    let silence = ["silence", "add", "--api", "results", "--for", "1h", "--why", "a test"];
    let ran = run_in(&place, place.directory.path(), &silence, true).await;
    let expected = "curiad: there is no name for the record\n\
                    say who you are with --by NAME; $USER and $LOGNAME are not set\n";
    assert_eq!((ran.err.as_str(), ran.code), (expected, Some(64)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_make_no_tables_in_a_database_of_a_server_postgres() {
    let world = world().await;
    let place = place_on(On::Postgres, &world);
    for arguments in [&["incident", "list"] as &[&str], &["incident", "ack", "C-1"], &["silence", "list"]] {
        let ran = place.run(arguments).await;
        let shown = place.url.replace("postgres@", "");
        let expected = format!(
            "curiad: there is nothing of Curiad in {shown}\n\
             `curiad serve` makes its tables at its first start: has it run with this configuration?\n"
        );
        assert_eq!((ran.err, ran.code), (expected, Some(66)), "{arguments:?}");
    }
    assert!(!place.stored().contains("CREATE TABLE"), "nothing was made");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_in_the_same_place_hears_of_the_first_not_of_its_ports() {
    let world = world().await;
    let place = place(&world);
    let mut program = place.serve();
    program.ready().await;
    let ran = place.run(&["serve", "--listen", &format!("127.0.0.1:{}", place.public)]).await;
    let expected = format!(
        "curiad: another curiad runs on sqlite://{}\nstop it first, or give this one a database of its own\n",
        place.database().display()
    );
    assert!(ran.err.ends_with(&expected) && ran.code == Some(69), "{ran:?}");
    world.stop().await;
}

async fn a_pipe_among_the_files_holds_nothing_up(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    program.ready().await;
    let pipe = place.config().join("apis/zed.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let log = place.log();
    let said = |text: &str| fs::read_to_string(&log).expect("a log").contains(text);
    program.wait(|| async { said("zed.yaml: this file cannot be read: not a file") }, "the refusal").await;
    fs::remove_file(&pipe).expect("removed");
    program.wait(|| async { said("is in force") }, "the next reading").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    world.stop().await;
}

async fn a_refusal_says_what_to_do_next(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    program.ready().await;
    let silence =
        ["silence", "add", "--api", "results", "--for", "3000h", "--beyond-a-day", "--why", "a test"];
    let ran = place.run(&silence).await;
    let expected = "curiad: a silence lasts 7 days at most; for longer, plan 'maintenance' in curiad.yaml\n\
                    `curiad silence list` shows what there is, and `curiad silence add --help` what may be said\n";
    assert_eq!((ran.err.as_str(), ran.code), (expected, Some(1)));
    assert_eq!(ran.out, "", "what it would mute is not foretold of what will not be");
    for more in [&[][..], &["--environment", "production"], &["--dry-run"]] {
        let ran = place.run(&[&["silence", "add", "--for", "1h", "--why", "a test"], more].concat()).await;
        assert!(ran.code == Some(1) && ran.err.contains("cannot cover all of production"), "{ran:?}");
        assert_eq!(ran.out, "", "{more:?}");
    }
    world.stop().await;
}
