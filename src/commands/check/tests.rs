//! What changes for whom, and what load comes.

use super::{
    against::changes,
    change::{Change, Gravity},
    traffic::Traffic,
};
use crate::{
    config::{
        Loaded, Secrets, load,
        tests::minimal::{API, Directory, today},
    },
    terminal::Terminal,
};

const TOP: &str = "curiad.yaml";
const FILE: &str = "apis/documents.yaml";

/// The changes that `edit` brings.
fn changed(edit: impl Fn(&Directory)) -> Vec<Change> {
    let (old, new) = (Directory::new(), Directory::new());
    edit(&new);
    let said = new.problems();
    let loaded = new.load().unwrap_or_else(|_| panic!("the new configuration is wrong: {said:#?}"));
    changes("config".as_ref(), &old.load().unwrap(), &loaded, today())
}

/// The changes that `from` → `to` in `file` brings, a line each.
fn check(file: &str, from: &str, to: &str, expected: &[&str]) {
    let changes = changed(|directory| {
        directory.change(file, from, to);
    });
    let lines: Vec<String> = changes
        .iter()
        .map(|change| change.line(Terminal::plain()).split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(lines, expected, "{from:?} → {to:?}");
}

#[test]
fn the_same_configuration_changes_nothing() {
    assert_eq!(changed(|_| {}), []);
    check(TOP, "vantages:", "# a comment\nvantages:", &[]);
}

/// Secrets that one side alone reads change nothing: what is written is compared.
#[test]
fn the_same_configuration_changes_nothing_whoever_reads_its_secrets() {
    let directory = Directory::new();
    directory.change(TOP, "vantages:", "dead_man: { url: env:HEARTBEAT }\nvantages:");
    directory.change(TOP, "two@team.example", "env:MAILBOX");
    let known = |name: &str| match name {
        "HEARTBEAT" => Some("https://watch.example/curiad".to_owned()),
        "MAILBOX" => Some("two@team.example".to_owned()),
        "ONE" => Some("+447700900123".to_owned()),
        "TWO" => Some("+447700900124".to_owned()),
        "DESK" => Some("correct horse".to_owned()),
        "NOTIFY" => Some(
            "curiad-26785a09-ab16-4eb0-8407-a37497a57506-8e222534-7f05-4972-86e3-17c5d9f894e2".to_owned(),
        ),
        _ => None,
    };
    let read = load(directory.0.path(), &Secrets::with(known), today()).unwrap();
    let unread = load(directory.0.path(), &Secrets::left_out(), today()).unwrap();
    for (old, new) in [(&read, &unread), (&unread, &read), (&unread, &unread)] {
        assert_eq!(changes("config".as_ref(), old, new, today()), []);
    }
}

#[test]
fn whoever_is_reached_elsewhere_is_named() {
    check(
        TOP,
        "text: env:ONE",
        "text: env:THREE",
        &[
            "callouts ! 'one' has another telephone: env:THREE, no longer env:ONE",
            "needs ! a secret that was not needed before: env:THREE",
            "needs no longer the secret env:ONE",
        ],
    );
    check(
        TOP,
        "email: two@team.example",
        "email: three@team.example",
        &["callouts ! 'two' has another mailbox"],
    );
    check(
        TOP,
        "host: localhost",
        "host: mail.localhost",
        &["telling ! e-mails go through mail.localhost:25, no longer localhost:25"],
    );
    check(
        TOP,
        "text_template: 26785a09",
        "text_template: 36785a09",
        &["telling ! texts are made by another template of Notify's: its body must be ((message))"],
    );
    let beat = |every: &str| {
        let directory = Directory::new();
        let url = "url: https://watch.example/x";
        directory.change(TOP, "vantages:", &format!("dead_man: {{ {url}, every: {every} }}\nvantages:"));
        directory.load().unwrap()
    };
    let said = changes("config".as_ref(), &beat("30s"), &beat("1h"), today());
    assert_eq!(said[0].message, "the dead man hears from us every 1h, no longer 30s");
}

#[test]
fn an_instance_leaves_production_only_by_a_word_of_its_own() {
    let lost = changed(|directory| {
        directory.change(
            FILE,
            "  production: { url: https://api.example/documents, operations: [ping] }\n",
            "",
        );
    });
    assert_eq!(lost[0].severity, Gravity::Error);
    assert_eq!(lost[0].api.as_ref().map(domain::ApiId::as_str), Some("documents"));
    assert!(
        lost[0].message.starts_with("config/apis/documents.yaml: its instance in production is gone"),
        "{lost:?}"
    );
    assert!(lost.iter().any(|change| change.message == "−1 production instance: documents"), "{lost:?}");
    let retired = changed(|directory| {
        directory.write("apis/letters.yaml", &API.replace("id: documents", "id: letters"));
        let text = API.replace("lifecycle: stable", "lifecycle: retired");
        directory.write(FILE, text.split("environments:").next().unwrap());
    });
    assert!(retired.iter().all(|change| change.severity != Gravity::Error), "{retired:?}");
}

#[test]
fn what_reaches_humans_comes_first() {
    check(
        TOP,
        "visibility: signed-in",
        "visibility: public",
        &["visibility ! sit BECOMES PUBLIC: anyone may see the status of its 1 instance"],
    );
    check(
        TOP,
        "    major: { when: priority 1, hours: office, in_hours: calls, out_of_hours: calls }\n",
        "",
        &["callouts ! callouts for documents in production now reach nobody; before, they reached One, Two"],
    );
    check(
        FILE,
        "service_level: critical",
        "service_level: standard",
        &[
            "callouts ! callouts for documents in production now reach nobody; before, they reached One, Two",
            "timing ! documents is standard, no longer critical: its incidents have other priorities",
        ],
    );
    check(
        TOP,
        "after: 5m",
        "after: 10m",
        &[
            "callouts ! 'calls' calls [rota platform at once, rota platform next after 10m; then two], no longer \
         [rota platform at once, rota platform next after 5m; then two]",
        ],
    );
    check(
        TOP,
        "    service_desk: nsd\n",
        "",
        &["tickets ! tickets of production are no longer opened (they went to 'nsd')"],
    );
    check(TOP, "    tell: [provider]\n", "", &["telling ! providers are no longer told of trouble in sit"]);
    check(
        TOP,
        "    tell: [provider]\n",
        "    tell: [provider]\n    hold: { ticket: 5m }\n",
        &["timing sit: a ticket after 5m, no longer 1m"],
    );
}

#[test]
fn whether_calls_are_shown_to_reach_anybody_is_said() {
    let with = |line: &str| format!("{line}\nvantages:");
    check(
        TOP,
        "vantages:",
        &with("contact_proof: 30d"),
        &["on call who is on a rota and has not answered a call is named after 30d, no longer 92d"],
    );
    check(
        TOP,
        "vantages:",
        &with("contact_proof: never"),
        &["on call ! who is on a rota and has not answered a call is named no more"],
    );
    check(
        TOP,
        "vantages:",
        &with("test_callout: { call: two, at: \"11:00\" }"),
        &["on call the daily test calls Two at 11:00"],
    );
    check(
        TOP,
        "from: 2026-01-05 }]",
        "from: 2026-01-05 }], remind: \"17:00\"",
        &["on call rota 'platform': whose shift begins is told before, at 17:00"],
    );
}

#[test]
fn who_is_on_call_next_is_said() {
    // On 21 November 2026 it is the turn of One; in the other order it is that of Two.
    check(
        TOP,
        "people: [one, two]",
        "people: [two, one]",
        &["on call ! rota 'platform': now Two is on call, not One"],
    );
    let swap =
        "from: 2026-01-05 }], overrides: [{ person: two, from: 2026-11-25T09:00, to: 2026-11-26T09:00 }]";
    check(
        TOP,
        "from: 2026-01-05 }]",
        swap,
        &["on call ! rota 'platform': from Wed 25 Nov 2026 09:00 GMT Two is on call, not One"],
    );
    let gone = changed(|directory| {
        directory.change(TOP, "people: [one, two]", "people: [two]").change(
            TOP,
            "      - { call: rota platform next, after: 5m }\n",
            "      - { call: person one, after: 5m }\n",
        );
    });
    assert!(
        gone.iter().any(|change| change.message == "One is no longer on the rota 'platform'"),
        "{gone:#?}"
    );
}

#[test]
fn what_is_probed_is_counted() {
    check(
        FILE,
        "operations: [ping]",
        "operations: [ping, list]",
        &["probing +1 check: documents/production/list"],
    );
    check(
        FILE,
        "{ get: /_ping }",
        "{ get: /_ping, every: 10s }",
        &["probing every 10s, no longer 30s: documents/sit/ping, documents/production/ping"],
    );
    check(
        FILE,
        "https://api.example/documents",
        "https://api2.example/documents",
        &[
            "probing at https://api2.example/documents, no longer https://api.example/documents: documents/production/ping",
        ],
    );
}

#[test]
fn what_it_needs_is_said_without_its_value() {
    let changes = changed(|directory| {
        directory.write("desk", "hunter2").change(TOP, "password: env:DESK", "password: file:desk");
    });
    let said: Vec<&str> = changes.iter().map(|change| change.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "Curiad signs in at the desk 'nsd' otherwise",
            "a secret that was not needed before: file:desk",
            "no longer the secret env:DESK"
        ]
    );
}

#[test]
fn the_load_is_that_of_the_schedule_and_of_everything_failing_at_once() {
    let directory = Directory::new();
    directory.change(FILE, "{ get: /_ping }", "{ get: /_ping, every: 6s }").change(
        FILE,
        "team: records",
        "team: records\nsensitive: true",
    );
    let traffic = Traffic::of(&directory.load().unwrap().configuration);
    let load = |environment: &str| {
        traffic.loads.iter().find(|load| load.environment.word() == environment).unwrap().rate
    };
    let (sit, production) = (load("sit"), load("production"));
    assert_eq!((sit.checks, production.checks), (2, 1));
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    near(production.per_second, 1.0 / 6.0);
    near(production.worst_per_second, 1.0 / 6.0 + 1.0 / 5.0);
    near(production.audited_per_day, 14_400.0);
    near(sit.per_second, 1.0 / 6.0 + 1.0 / 30.0);
    directory.change(FILE, "operations: [ping] }", "operations: [ping], max_rate: 15/m }");
    let held = Traffic::of(&directory.load().unwrap().configuration);
    let held = held.loads.iter().find(|load| load.environment.word() == "production").unwrap().rate;
    near(held.per_second, 1.0 / 6.0);
    near(held.worst_per_second, 15.0 / 60.0);
    near(traffic.total.per_second, sit.per_second + production.per_second);
    assert_eq!(traffic.hosts.keys().collect::<Vec<_>>(), ["api.example", "sit.example"]);
    let table = traffic.table(Terminal::plain());
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "API        environment  from      host         checks  a minute  at worst  audited a day"
    );
    assert_eq!(
        lines[1],
        "documents  sit          internet  sit.example       2      12.0      36.0         17,280"
    );
}

/// Where the only operation is this one and an instance takes 20 requests a minute: three a probe, every 20 seconds.
fn of_three_requests(operation: &str) -> Loaded {
    let directory = Directory::new();
    directory.change(FILE, "{ get: /_ping }", operation).change(
        FILE,
        "operations: [ping]",
        "operations: [ping], max_rate: 20/m",
    );
    let loaded = directory.load().unwrap();
    let traffic = Traffic::of(&loaded.configuration);
    let load = traffic.loads.iter().find(|load| load.environment.word() == "production").unwrap();
    assert!((load.rate.per_second - 3.0 / 20.0).abs() < 1e-9, "{load:?}");
    assert!((load.rate.worst_per_second - 20.0 / 60.0).abs() < 1e-9, "held to its rate: {load:?}");
    loaded
}

#[test]
fn a_journey_is_as_much_traffic_as_it_has_requests() {
    of_three_requests(
        "{ every: 20s, journey: [ a: { get: /a }, b: { get: /b } ], clean_up: [ c: { get: /c } ] }",
    );
}

#[test]
fn a_redirect_that_may_be_followed_is_traffic_and_takes_of_the_rate() {
    let loaded = of_three_requests("{ every: 20s, get: /_ping, redirects: 2 }");
    let held = loaded.configuration.checks.values().filter_map(|check| check.apart).max();
    assert_eq!(held, Some(std::time::Duration::from_secs(9)), "three requests at 20 a minute");
}

#[test]
fn availability_that_is_counted_otherwise_wants_another_version() {
    let same = "vantages:";
    let policy = |version: &str, more: &str| {
        format!(
            "availability: {{ name: {{ en: Ours, cy: Ein un ni }}, version: \"{version}\"{more} }}\nvantages:"
        )
    };
    let named = "availability is counted by 'Ours', version";
    let was = "no longer 'Standard availability', version 1";
    check(TOP, same, &policy("2", ""), &[&format!("figures {named} 2, {was}")]);
    check(TOP, same, &policy("2", ", degraded: down"), &[&format!("figures {named} 2, {was}")]);
    let silent =
        "figures ! availability is counted otherwise, but its version is '1' as before: give it another";
    check(TOP, same, &policy("1", ", maintenance: counted"), &[silent]);
    check(TOP, same, &policy("1", ", hours: office"), &[silent]);
    check(FILE, "kind: rest", "kind: rest\navailability: { hours: office }", &[silent]);
    let objective = "figures documents: the objective is 99.9% in 30d, no longer none";
    check(FILE, "kind: rest", "kind: rest\navailability: { objective: 99.9% in 30d }", &[objective]);
}
