//! The command line: exit codes, JSON shapes, and acting on a running program.

use crate::{
    database::{On, on_both},
    outage::{all_well, place, place_on, place_on_with, place_with},
    program::{PATIENCE, Place, SERVE, json, text, world},
};
use domain::{ApiId, Environment, InstanceId};
use jiff::Timestamp;
use simulator::Fault;
use store::Store;

#[tokio::test(flavor = "multi_thread")]
async fn check_accepts_a_good_configuration_and_refuses_a_bad_one_with_78() {
    let world = world().await;
    let place = place(&world);
    let ran = place.run(&["check"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("8 APIs") && ran.out.contains("40 instances"), "{ran:?}");
    place.write("apis/results.yaml", "id: results\nnmae: { en: Results, cy: Canlyniadau }\n");
    let ran = place.run(&["check"]).await;
    assert_eq!(ran.code, Some(78), "{ran:?}");
    assert!(ran.err.contains("apis/results.yaml:2:1") && ran.err.contains("'name'"), "{ran:?}");
    let ran = place.run(SERVE).await;
    assert_eq!(ran.code, Some(78), "nothing is started on a bad configuration: {ran:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_programs_and_compares_and_counts() {
    let world = world().await;
    let (old, place) = (place(&world), place(&world));
    let old = old.config().display().to_string();
    let own = place.config().display().to_string();
    let ran = place.run(&["check", "--against", &own]).await;
    assert_eq!((ran.code, ran.out.contains("nothing changes")), (Some(0), true), "{ran:?}");
    let load = place.run(&["--json", "check", "--traffic"]).await.json();
    assert!(load["total"]["per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{load}");
    let schema = place.run(&["schema", "api"]).await.json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let unapproved = place.run(&["--json", "page", "unapproved"]).await;
    let first = &unapproved.json()["unapproved"][0];
    assert_eq!(
        (unapproved.code, first["mark"].as_str().map(str::len)),
        (Some(1), Some(16)),
        "{unapproved:?}"
    );
    std::fs::remove_file(place.config().join("apis/results.yaml")).expect("a file");
    let ran = place.run(&["--json", "check", "--against", &old]).await;
    let changes = ran.json();
    let first = &changes["changes"][0];
    assert_eq!(
        (ran.code, &first["about"], &first["severity"]),
        (Some(78), &"leaving".into(), &"error".into())
    );
    place.write("apis/results.yaml", "id: results\nnmae: { en: Results, cy: Canlyniadau }\n");
    let ran = place.run(&["--json", "check"]).await;
    let problem = &ran.json()[0];
    assert_eq!(ran.code, Some(78));
    assert_eq!((&problem["line"], &problem["column"], &problem["end"]), (&2.into(), &1.into(), &5.into()));
    assert_eq!((&problem["severity"], &problem["code"]), (&"error".into(), &"shape".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn probe_says_what_it_saw_and_exits_accordingly() {
    let world = world().await;
    let place = place(&world);
    let probe = ["--json", "probe", "results", "--environment", "production"];
    let ran = place.run(&probe).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let seen = ran.json();
    let first = seen.get(0).expect("a check");
    for key in [
        "api",
        "environment",
        "operation",
        "vantage",
        "at",
        "verdict",
        "layer",
        "failure",
        "phases_ms",
        "total_ms",
        "http",
        "certificate",
        "expectations",
    ] {
        assert!(first.get(key).is_some(), "{key} is missing in {first}");
    }
    assert_eq!(first["verdict"], "pass");
    for phase in ["dns", "connect", "tls", "first_byte", "body"] {
        assert!(first["phases_ms"].get(phase).is_some(), "{phase} is missing in {first}");
    }
    for (key, shown) in [("headers", "content-type"), ("request_id", "-"), ("health", "")] {
        assert!(first[key].to_string().contains(shown), "{key}: {first}");
    }
    let ran = place.run(&["probe", "results", "--environment", "production"]).await;
    for shown in ["pass", "first byte", "✓ status", "expected 200–299", "saw 200", "headers"] {
        assert!(ran.out.contains(shown), "{shown} is missing in {}", ran.out);
    }
    world.set_fault("results", "production", Fault::SaysFail).await.expect("a fault");
    let ran = place.run(&probe).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let seen = ran.json();
    let status =
        seen.as_array().expect("an array").iter().find(|one| one["operation"] == "status").expect("status");
    assert_eq!((&status["verdict"], &status["layer"]), (&"fail".into(), &"backend".into()));
    world.set_fault("results", "production", Fault::Status(401)).await.expect("a fault");
    assert_eq!(place.run(&probe).await.code, Some(2));
    let ran = place.run(&["probe", "resluts"]).await;
    assert_eq!(ran.code, Some(64));
    assert!(ran.err.contains("results"), "the nearest word is offered: {ran:?}");
    world.stop().await;
}

on_both!(
    an_auditor_learns_which_probe_carried_a_request_id,
    an_operator_acknowledges_updates_and_resolves_a_running_programs_incident,
    acting_without_a_running_program_says_so
);

async fn an_auditor_learns_which_probe_carried_a_request_id(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let last = ["--json", "probe", "results", "--environment", "production", "--last"];
    // An instance may be well by what one operation says before the other has said anything.
    let was_good = |one: &serde_json::Value| !one["good"].is_null();
    let all_were_good = async || {
        let ran = place.run(&last).await;
        ran.code == Some(0) && ran.json().as_array().is_some_and(|all| all.iter().all(was_good))
    };
    program.wait(all_were_good, "every operation to be good once").await;
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    program.stop().await;
    let api = ApiId::parse("results").expect("an id");
    let instance = InstanceId { api, environment: Environment::Production };
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let failures = store.failures(&instance, Timestamp::MIN, Timestamp::MAX, 100).await.expect("failures");
    let last = place.run(&last).await.json();
    // The other operation's turn need not have come.
    let failed = |one: &&serde_json::Value| !one["failed"].is_null();
    let one = last.as_array().expect("an array").iter().find(failed).expect("one");
    assert_eq!(one["failed"]["failure"]["kind"], "refused", "{one}");
    assert!(one["failed"]["phases_ms"]["connect"].is_number(), "{one}");
    assert!(one["good"]["at"].as_str() < one["failed"]["at"].as_str(), "{one}");
    let (failed, good) = (&one["failed"]["seen"], &one["good"]["seen"]);
    assert_eq!((&failed["at"], &failed["http"]), (&one["failed"]["at"], &serde_json::Value::Null), "{one}");
    assert_eq!((&good["failure"], &good["http"]["status"]), (&serde_json::Value::Null, &200.into()), "{one}");
    assert!(good["headers"].to_string().contains("content-type"), "what was written down: {one}");
    let ran = place.run(&["probe", "results", "--environment", "production", "--last"]).await;
    assert!(ran.out.contains("last failed") && ran.out.contains("connect: "), "{ran:?}");
    assert!(ran.out.contains("content-type: "), "{ran:?}");
    for confirm in [false, true] {
        let kept = failures.iter().find(|failure| failure.confirm == confirm).expect("one of them");
        let id = kept.request_id.clone().expect("its id");
        let ran = place.run(&["--json", "probe", "--explain-id", &id]).await;
        let told = ran.json();
        assert_eq!(told["operation"], kept.track.check.operation.as_str(), "{told}");
        assert_eq!((&told["api"], &told["vantage"]), (&"results".into(), &"internet".into()));
        assert_eq!(told["out_of_turn"], confirm, "{told}");
        let at: Timestamp = told["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        assert!(at <= kept.at, "{told}: it was due before it began");
    }
    store.close().await;
    // What a person probes is explained too, by the time at which that was.
    let ran = place.run(&["--json", "probe", "results", "--environment", "production"]).await;
    let probed = ran.json();
    let one = probed.as_array().and_then(|all| all.first()).expect("one");
    let (id, at) = (one["request_id"].as_str().expect("its id"), one["at"].as_str().expect("its time"));
    let ran = place.run(&["--json", "probe", "--explain-id", id, "--at", at]).await;
    assert_eq!(ran.json()["operation"], one["operation"], "{ran:?}");
    let ran =
        place.run(&["probe", "--explain-id", "d4354030-b5b7-8519-abfe-70afbefff17f", "--within", "1m"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("--within") && ran.err.contains("--at"), "what to try next: {ran:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rota_says_who_is_on_call_and_whether_it_is_out_of_hours() {
    let world = world().await;
    let place = place(&world);
    let ran = place.run(&["--json", "rota", "who", "platform", "--at", "2026-12-25T03:00:00Z"]).await;
    let who = ran.json();
    assert_eq!(who["rota"], "platform");
    assert_eq!(who["person"], "nia.rees", "{who}");
    assert_eq!(who["shift"]["from"], "2026-12-21T09:00:00.000Z");
    assert_eq!(who["next"]["person"], "tom.evans");
    let ran = place.run(&["--json", "rota", "explain", "--at", "2026-12-25T03:00:00Z"]).await;
    let why = ran.json();
    assert_eq!(why["out_of_hours"], true);
    assert!(why["why"].as_str().is_some_and(|why| !why.is_empty()));
    assert_eq!(place.run(&["rota", "who", "platfrom"]).await.code, Some(64));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_at_the_end_of_all_calendars_is_refused_in_words() {
    const LAST: &str = "9999-12-30T21:59:59Z";
    let world = world().await;
    let place = place(&world);
    let work = ["maintenance", "add", "--environment", "sit", "--for", "1h", "--en", "a", "--cy", "b"];
    for (command, option) in [
        (&["rota", "show", "platform"] as &[&str], "--at"),
        (&["rota", "who", "platform"], "--at"),
        (&["rota", "explain"], "--at"),
        (&["escalation", "simulate", "results"], "--at"),
        (&["history", "export", "--format", "csv"], "--from"),
        (&["report"], "--from"),
        (&work, "--from"),
    ] {
        for at in [LAST, "-009999-01-02T02:00:00Z"] {
            let when = format!("{option}={at}");
            let arguments = [command, &[&when]].concat();
            let ran = place.run(&arguments).await;
            let said = (ran.code, ran.err.contains("is not of our time"));
            assert_eq!(said, (Some(64), true), "{arguments:?}: {}", ran.err);
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_failure_says_who_gets_what_and_when_and_sends_nothing() {
    let world = world().await;
    let place = place_with(&world, |text| {
        text.replace("every: 1s", "every: 30s")
            .replace("ticket: 500ms, callout: 1s, resolve: 2s", "ticket: 60s, callout: 2m, resolve: 2s")
            .replace("hours: never", "hours: office")
            .replace("after: 20s", "after: 15m")
            .replace("after: 2s", "after: 5m")
    });
    let simulate = ["escalation", "simulate", "results", "--at", "2026-12-25T02:30", "--minutes", "12"];
    let ran = place.run(&[&["--json"], &simulate[..]].concat()).await;
    let all = ran.json();
    assert_eq!((&all["at"], &all["environment"]), (&"2026-12-25T02:30:00.000Z".into(), &"production".into()));
    assert_eq!(all["incidents"].as_array().map(Vec::len), Some(1), "{all:#}");
    assert_eq!(
        (&all["incidents"][0]["priority"], &all["incidents"][0]["major"]),
        (&"P1".into(), &true.into())
    );
    let told = all["told"].as_array().expect("a list");
    let of = |what: &str| {
        let found = told.iter().find(|told| told["what"] == what);
        found.unwrap_or_else(|| panic!("no {what} in {all:#}"))
    };
    assert_eq!(of("ticket")["to"]["desk"], "nsd");
    // Nia has that week, and Tom is next.
    assert_eq!(of("callout/1/text")["to"]["text"], "nia.rees");
    assert_eq!(of("callout/2/text")["to"]["text"], "tom.evans");
    let after = |what: &str| of(what)["after_seconds"].as_i64().expect("seconds");
    assert_eq!(after("callout/1/text") - after("ticket"), 60, "two minutes after it is confirmed, and one");
    assert_eq!(after("callout/2/text") - after("callout/1/text"), 300);
    assert!((60..120).contains(&after("ticket")), "{}", after("ticket"));

    let said = place.run(&simulate).await.out;
    assert!(
        said.starts_with(
            "If Results and Reporting (production) fails on Fri 25 Dec 2026 02:30 GMT for 12 min"
        )
    );
    for words in
        ["closed: bank holiday (Christmas Day)", "step 1, round 1: Nia Rees called by text and email"]
    {
        assert!(said.contains(words), "{said}");
    }
    let sandbox = place.run(&[&simulate[..], &["--environment", "sandbox"]].concat()).await.out;
    assert!(sandbox.contains("\nnobody is called in this time\n"), "{sandbox}");
    assert!(world.desk().tickets().is_empty() && world.notify().texts().is_empty());
    for (wrong, words) in [
        (&["nothing"][..], "no API is called 'nothing'"),
        (&["results", "--environment", "moon"], "no environment of this API is called 'moon'"),
        (&["results", "--at", "2099-12-30T00:00:00Z"], "more than ten years from now"),
        (&["results", "--minutes", "0"], "0 is not in 1..=1440"),
    ] {
        let ran = place.run(&[&["escalation", "simulate"], wrong].concat()).await;
        assert!(ran.code == Some(64) && ran.err.contains(words), "{ran:?}");
    }
    world.stop().await;
}

async fn an_operator_acknowledges_updates_and_resolves_a_running_programs_incident(on: On) {
    let world = world().await;
    // Nobody is called before the operator acts, and it is not over before the operator says so.
    let place = place_on_with(on, &world, |text| {
        text.replace("callout: 1s", "callout: 10m").replace("resolve: 2s", "resolve: 10m")
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    let list = place.run(&["--json", "incident", "list"]).await.json();
    let id = list[0]["id"].as_str().expect("an id").to_owned();
    let ran = place.run(&["incident", "ack", &id, "--by", "ann"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let again = place.run(&["incident", "ack", &id, "--by", "bob"]).await;
    assert!(again.code == Some(0) && again.out.contains("and no longer ann"), "{again:?}");
    let update = ["incident", "update", &id, "--en", "We restarted it.", "--cy", "Rydym wedi ei ailgychwyn."];
    assert_eq!(place.run(&update).await.code, Some(0));
    let page = program.public(&format!("/cy/digwyddiadau/{id}"));
    program.wait(|| async { text(&page).await.contains("Rydym wedi ei ailgychwyn.") }, "the update").await;
    let phrases = ["--cause", "network", "--effect", "some-fail", "--advice", "retry", "--next", "30m"];
    let seen =
        place.run(&[&["--json", "incident", "update", &id, "--preview"], &phrases[..]].concat()).await.json();
    assert!(
        seen["en"].as_str().is_some_and(|en| en.starts_with("The cause is in the network. Some")),
        "{seen}"
    );
    assert!(!text(&page).await.contains("Yn y rhwydwaith y mae"), "nothing is published yet");
    assert_eq!(place.run(&[&["incident", "update", &id], &phrases[..]].concat()).await.code, Some(0));
    let is_there =
        || async { text(&page).await.contains("Yn y rhwydwaith y mae’r achos. Mae rhai ceisiadau") };
    program.wait(is_there, "the phrases in Welsh").await;
    for (wrong, words) in [
        (&["--en", "We look."][..], "there is no Welsh"),
        (&["--cy", "Rydym yn edrych."], "there is no English"),
        (&["--en", "We look.", "--cy", "We look."], "the Welsh is the English"),
        (&["--cause", "netwrok"], "network"),
        (&["--next", "169h"], "168h at most"),
        (&[], "it says nothing"),
    ] {
        let ran = place.run(&[&["incident", "update", &id], wrong].concat()).await;
        assert!(ran.code == Some(64) && ran.err.contains(words), "{wrong:?}: {ran:?}");
    }
    world.set_fault("results", "production", Fault::None).await.expect("no fault");
    // What still fails cannot be called over.
    all_well(&mut program).await;
    let ran = place.run(&["incident", "resolve", &id, "--why", "mended"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}\n{}", crate::program::tail(&place.log()));
    let shown = place.run(&["incident", "show", &id]).await;
    assert!(shown.out.contains("resolved") && shown.out.contains("ann"), "{shown:?}");
    let url = program.internal("/api/v1/incidents");
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "the incident to end").await;
    assert!(world.notify().texts().is_empty());
    world.stop().await;
}

async fn acting_without_a_running_program_says_so(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    store::Store::open(&place.url, [1; 32]).await.expect("a database").close().await;
    let ran = place.run(&["silence", "add", "--api", "results", "--for", "1h", "--why", "a test"]).await;
    assert_eq!(ran.code, Some(75), "{ran:?}");
    assert!(ran.err.contains("curiad serve"), "{ran:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_leaves_alone_what_is_not_its_own() {
    let place = Place::new(&[("curiad.yaml", "site: {}\n".to_owned())]);
    let data = place.config().display().to_string();
    let ran = place.run(&["demo", "--data", &data]).await;
    let expected = format!(
        "curiad: {data} holds a configuration of its own\nchoose another directory for the demo with --data DIR\n"
    );
    assert_eq!((ran.err, ran.code), (expected, Some(64)));
    let data = place.directory.path().join("demo").display().to_string();
    let ran = place.run(&["demo", "--data", &data, "--listen", "127.0.0.1:0"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("links lead to --listen"), "{ran:?}");
    assert!(!std::path::Path::new(&data).exists(), "nothing was begun");
    let data = place.directory.path().display().to_string();
    std::fs::write(place.database(), "Shopping list").expect("a file");
    let ran = place.run(&["demo", "--data", &data]).await;
    let next = "choose another place with --data DIR, or move that file away; it was not touched\n";
    assert!(ran.err.ends_with(next) && ran.code == Some(65), "{ran:?}");
}
