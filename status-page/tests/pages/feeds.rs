//! Feeds and calendars: what readers rely on, in both languages, for all, an environment, an API.

use crate::{
    estate,
    stage::{Stage, get, get_with, post},
};
use axum::http::StatusCode;
use domain::{
    Environment, EnvironmentPolicy, Incident, IncidentId, Maintenance, Post, PostSays, Situation, Text,
    Visibility,
};
use std::{collections::BTreeSet, sync::Arc};

/// All that stands between these tags.
fn between<'a>(text: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    text.split(open.as_str()).skip(1).filter_map(|rest| rest.split(close.as_str()).next()).collect()
}

fn with_incident(number: u64, change: impl FnOnce(&mut Incident)) -> Situation {
    let mut situation = estate::trouble();
    let id = IncidentId(number);
    let mut incident = Incident::clone(situation.incidents.get(&id).unwrap());
    change(&mut incident);
    situation.incidents.insert_mut(id, Arc::new(incident));
    situation
}

fn with_policy(environment: Environment, change: impl FnOnce(&mut EnvironmentPolicy)) -> Situation {
    let mut situation = estate::trouble();
    let mut configuration = domain::Configuration::clone(&situation.configuration);
    change(configuration.environments.get_mut(&environment).unwrap());
    situation.configuration = configuration.into();
    situation
}

#[tokio::test]
async fn an_incident_is_an_entry_of_atom_with_an_id_that_stays() {
    let first = Stage::of(estate::trouble()).await;
    let answer = get(first.public(), "/feeds/en/incidents.atom").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/atom+xml; charset=utf-8");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let text = answer.text();
    assert_eq!(
        between(&text, "id"),
        [
            "tag:status.example.wales,2026:feeds/en/incidents.atom",
            "tag:status.example.wales,2026:en/incident/C-42",
            "tag:status.example.wales,2026:en/incident/C-41",
        ]
    );
    assert_eq!(between(&text, "title")[1], "Patient Demographics is not working in production");
    assert_eq!(
        between(&text, "updated")[0],
        between(&text, "updated")[1],
        "the feed changed with its newest"
    );
    assert!(text.contains("rel=\"self\" type=\"application/atom+xml\" href=\"https://status.example.wales/feeds/en/incidents.atom\""));
    assert!(text.contains(
        "<link rel=\"alternate\" type=\"text/html\" href=\"https://status.example.wales/en/incidents/C-42\"/>"
    ));
    // Said of it since: the same entry, newer.
    let later = with_incident(42, |incident| {
        let says = PostSays::Words(Text::new("A & B <are> back", "Mae A & B <yn> ôl"));
        incident.posts.push(Post { at: estate::ago(30), says, by: None });
    });
    let text = get(Stage::of(later).await.public(), "/feeds/en/incidents.atom").await.text();
    assert_eq!(between(&text, "id")[1], "tag:status.example.wales,2026:en/incident/C-42");
    assert_eq!(between(&text, "updated")[1], "2026-11-21T03:06:39.120Z");
    assert!(text.contains("A &amp;amp; B &amp;lt;are&amp;gt; back"), "HTML, escaped as text of XML: {text}");
}

#[tokio::test]
async fn rss_tells_each_update_once() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = get(stage.public(), "/feeds/en/incidents.rss").await;
    assert_eq!(answer.header("content-type"), "application/rss+xml; charset=utf-8");
    let text = answer.text();
    let ids: Vec<&str> = text
        .split("<guid isPermaLink=\"false\">")
        .skip(1)
        .filter_map(|rest| rest.split('<').next()?.rsplit_once("incident/"))
        .map(|(_, id)| id)
        .collect();
    assert_eq!(ids, ["C-42/1", "C-41/3", "C-41/2", "C-41/1"]);
    assert_eq!(between(&text, "pubDate")[0], "Sat, 21 Nov 2026 02:41:39 +0000");
    assert!(between(&text, "description").contains(&"A disk was full. It is being enlarged."));
}

#[tokio::test]
async fn welsh_feeds_are_welsh_and_have_ids_of_their_own() {
    let stage = Stage::of(estate::trouble()).await;
    let text = get(stage.public(), "/feeds/cy/incidents.atom").await.text();
    assert!(text.contains("xml:lang=\"cy\""));
    assert!(between(&text, "title")[1].contains("Demograffeg Cleifion"));
    assert_eq!(between(&text, "id")[1], "tag:statws.example.cymru,2026:cy/incident/C-42");
    assert!(text.contains("https://statws.example.cymru/cy/digwyddiadau/C-42"));
    let text = get(stage.public(), "/feeds/cy/amgylcheddau/byw/incidents.rss").await.text();
    assert!(text.contains("Mae’n cael ei ehangu") && text.contains("<language>cy</language>"));
}

#[tokio::test]
async fn a_feed_of_an_environment_or_an_api_holds_what_is_about_it() {
    let stage = Stage::of(estate::trouble()).await;
    for (path, expected) in [
        ("/feeds/en/environments/production/incidents.atom", &["C-42", "C-41"][..]),
        ("/feeds/en/environments/sandbox/incidents.atom", &[]),
        ("/feeds/en/apis/documents/incidents.atom", &["C-41"]),
        ("/feeds/cy/apis/results/incidents.atom", &[]),
    ] {
        let answer = get(stage.public(), path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let text = answer.text();
        let ids: Vec<&str> =
            between(&text, "id")[1..].iter().filter_map(|id| id.rsplit('/').next()).collect();
        assert_eq!(ids, expected, "{path}");
    }
    let internal = get(stage.internal(), "/feeds/en/environments/sit/incidents.atom").await;
    assert!(internal.text().contains("C-40"));
}

#[tokio::test]
async fn what_the_public_does_not_see_has_no_feed_like_what_never_was() {
    let stage = Stage::of(estate::trouble()).await;
    for file in ["incidents.atom", "incidents.rss", "maintenance.ics"] {
        let at = |folder: &str| format!("/feeds/en/{folder}/{file}");
        let hidden = get(stage.public(), &at("environments/sit")).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND);
        assert_eq!(hidden, get(stage.public(), &at("environments/moon")).await);
        assert_eq!(hidden, get(stage.public(), &at("apis/moon")).await);
        let all = get(stage.public(), &format!("/feeds/en/{file}")).await.text();
        for word in ["C-40", "SIT", "Load tests", "UAT", "INC0010002", "Rhian", "10.1.2.3"] {
            assert!(!all.contains(word), "{file} holds {word}");
        }
    }
    for path in
        ["/feeds/en/incidents", "/feeds/en/incidents/incidents.atom", "/feeds/incidents.atom", "/feeds"]
    {
        assert_eq!(get(stage.public(), path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let posted = post(stage.public(), "/feeds/en/incidents.atom", &[], "").await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_calendar_without_planned_work_is_a_calendar() {
    let stage = Stage::of(estate::one_api()).await;
    let file = get(stage.public(), "/feeds/en/maintenance.ics").await.text();
    assert!(!file.contains("VEVENT") && file.contains("BEGIN:VTIMEZONE\r\nTZID:Etc/UTC\r\n"), "{file}");
    let busy = get(Stage::of(estate::trouble()).await.internal(), "/feeds/en/maintenance.ics").await.text();
    assert!(busy.contains("VEVENT") && !busy.contains("VTIMEZONE"), "{busy}");
}

#[tokio::test]
async fn planned_work_is_a_calendar_whose_events_keep_their_ids() {
    let path = "/feeds/en/environments/sit/maintenance.ics";
    let stage = Stage::of(estate::trouble()).await;
    let answer = get(stage.internal(), path).await;
    assert_eq!(answer.header("content-type"), "text/calendar; charset=utf-8");
    let text = answer.text();
    assert!(text.split_inclusive("\r\n").all(|line| line.len() <= 77 && line.ends_with("\r\n")));
    let whole = text.replace("\r\n ", "");
    let values = |text: &str, name: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_owned).collect()
    };
    let uids = values(&whole, "UID:");
    assert_eq!(uids[0], "sit-20261120T190000Z-0@status.example.wales", "what runs now");
    assert_eq!(uids.len(), 6);
    assert_eq!(uids.iter().collect::<BTreeSet<_>>().len(), 6);
    assert_eq!(values(&whole, "DTEND:")[0], "20261121T050000Z");
    assert_eq!(values(&whole, "SUMMARY;LANGUAGE=en:")[0], "Planned work – SIT: Load tests");
    assert_eq!(values(&whole, "SEQUENCE:").len(), 6);
    // Longer, for another reason: the same events.
    let changed = with_policy(Environment::Sit, |policy| {
        policy.maintenance[0].lasts *= 2;
        policy.maintenance[0].why = Text::new("Load; tests, again", "Profion; llwyth, eto");
    });
    let text = get(Stage::of(changed).await.internal(), path).await.text().replace("\r\n ", "");
    assert_eq!(values(&text, "UID:")[1..], uids[1..]);
    assert!(text.contains("Load\\; tests\\, again"));
    // In Welsh, for an API that is there; and shown to the public where it may see it.
    let public = with_policy(Environment::Sit, |policy| policy.visibility = Visibility::Public);
    let stage = Stage::of(public).await;
    let text =
        get(stage.public(), "/feeds/cy/apis/results/maintenance.ics").await.text().replace("\r\n ", "");
    assert!(text.contains("SUMMARY;LANGUAGE=cy:Gwaith wedi’i gynllunio – SIT: Profion llwyth"), "{text}");
}

#[tokio::test]
async fn work_that_was_announced_of_one_api_is_that_apis_alone() {
    let mut situation = estate::trouble();
    let results = estate::instance("results", Environment::Production);
    let work = Maintenance {
        id: 3,
        by: "Nia Rees".to_owned(),
        why: Text::new("A new database", "Cronfa ddata newydd"),
        announced_at: estate::ago(3_600),
        from: estate::ago(60),
        until: estate::ago(-3_600),
        ended_by: None,
        overran_at: None,
        environment: Environment::Production,
        api: Some(results.api.clone()),
    };
    situation.maintenances.insert_mut(work.id, work);
    let stage = Stage::of(situation).await;
    let calendar = async |path: &str| get(stage.public(), path).await.text().replace("\r\n ", "");
    let of_results = calendar("/feeds/en/apis/results/maintenance.ics").await;
    for line in [
        "UID:production-results-20261121T030609Z-0@status.example.wales",
        "SUMMARY;LANGUAGE=en:Planned work – Results\\, Production: A new database",
        "LAST-MODIFIED:20261121T020709Z",
    ] {
        assert!(of_results.contains(line), "no {line} in {of_results}");
    }
    assert!(!of_results.contains("Nia"));
    assert!(!calendar("/feeds/en/apis/documents/maintenance.ics").await.contains("A new database"));
    assert!(calendar("/feeds/en/environments/production/maintenance.ics").await.contains("A new database"));
    let planned = get(stage.public(), "/api/v2/scheduled-maintenances.json").await.json();
    let ours = planned["scheduled_maintenances"].as_array().unwrap();
    let ours = ours.iter().find(|one| one["name"] == "Planned work – Results, Production").unwrap();
    assert_eq!(ours["components"].as_array().unwrap().len(), 1, "{ours}");
}

#[tokio::test]
async fn a_feed_that_did_not_change_is_not_sent_again_also_by_another_start() {
    for path in ["/feeds/en/incidents.atom", "/feeds/cy/incidents.rss", "/feeds/en/maintenance.ics"] {
        let stage = Stage::of(estate::trouble()).await;
        let first = get(stage.public(), path).await;
        let other = Stage::of(estate::trouble()).await;
        let again = get_with(other.public(), path, &[("if-none-match", first.header("etag"))]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
    }
}

#[tokio::test]
async fn pages_name_their_feeds() {
    let stage = Stage::of(estate::trouble()).await;
    for (page, feed) in [
        ("/en", "/feeds/en/incidents.atom"),
        ("/en/incidents", "/feeds/en/incidents.rss"),
        ("/cy/gwaith-cynnal-a-chadw", "/feeds/cy/maintenance.ics"),
        ("/cy/amgylcheddau/byw", "/feeds/cy/amgylcheddau/byw/incidents.atom"),
        ("/en/apis/results", "/feeds/en/apis/results/incidents.atom"),
    ] {
        let html = get(stage.public(), page).await.text();
        assert!(html.contains(&format!("href=\"{feed}\" title=\"")), "{page} does not name {feed}");
        assert_eq!(get(stage.public(), feed).await.status, StatusCode::OK);
    }
}
