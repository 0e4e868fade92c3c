//! What counts as available stands beside every figure, and what counts is what the configuration says.

use crate::{
    estate,
    stage::{Stage, get},
};
use domain::{
    Configuration, Degraded, Environment, Incident, IncidentId, IncidentStatus, Objective, PlannedWork,
    Situation, WeeklyWindow,
};
use jiff::civil::{Time, Weekday, time};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// All is well, and this is what counts. The nights' outages of 90 days are all out of hours.
fn counted(change: impl FnOnce(&mut Configuration)) -> Situation {
    let mut situation = estate::all_well();
    let mut configuration = Configuration::clone(&situation.configuration);
    change(&mut configuration);
    situation.configuration = Arc::new(configuration);
    situation
}

/// The pages at `paths` once history was read.
async fn pages<const N: usize>(situation: Situation, paths: [&str; N]) -> [String; N] {
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(stop.clone()));
    while !get(stage.public(), "/en/apis/demographics-soap").await.text().contains("Last 90 days.") {
        tokio::task::yield_now().await;
    }
    let mut pages = Vec::new();
    for path in paths {
        pages.push(get(stage.public(), path).await.text());
    }
    stop.cancel();
    running.join_all().await;
    pages.try_into().unwrap()
}

fn has(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "no {words:?}");
    }
}

#[tokio::test]
async fn every_figure_says_by_what_it_is_counted_and_how_much_was_measured() {
    let situation = counted(|_| {});
    let [en, cy, all, pawb] = pages(
        situation,
        [
            "/en/apis/demographics-soap",
            "/cy/apis/demographics-soap",
            "/en/environments/production",
            "/cy/amgylcheddau/byw",
        ],
    )
    .await;
    has(
        &en,
        &[
            r#"Counted by <a href="/en/how-we-measure#availability">National policy, version 2026-1</a>"#,
            "measured 76.59% of the time",
            "in supported hours 100%, measured",
            "Objective, 30 days",
            "<span>reached: 100%, measured 9",
            "left of",
            "Monday–Friday 09:00–17:00, except on bank holidays in England and Wales",
            "99.9% in 30 days, in production",
        ],
    );
    has(
        &cy,
        &[
            r#"Cyfrifir yn ôl <a href="/cy/sut-rydym-yn-mesur#availability">Polisi cenedlaethol, fersiwn 2026-1</a>"#,
            "wedi’i fesur 76.59% o’r amser",
            "yn yr oriau a gefnogir 100%, wedi’i fesur",
            "Amcan, 30 diwrnod",
            "Llun–Gwener 09:00–17:00, ac eithrio gwyliau banc yng Nghymru a Lloegr",
        ],
    );
    has(&all, &["Counted by", "National policy, version 2026-1", "measured 76.59% of the time"]);
    has(&pawb, &["Cyfrifir yn ôl", "Polisi cenedlaethol, fersiwn 2026-1", "wedi’i fesur 76.59% o’r amser"]);
}

#[tokio::test]
async fn an_objective_that_is_not_reached_says_so() {
    let all_hours = counted(|configuration| {
        configuration.availability.hours = None;
        configuration.availability.critical = Some(Objective::parse("99.99% in 30d").unwrap());
    });
    let [page] = pages(all_hours, ["/en/apis/demographics-soap"]).await;
    has(&page, &["not reached: 99.92%, measured 9", "0 seconds left of"]);
    assert!(!page.contains("supported hours"), "there are none");
}

#[tokio::test]
async fn supported_hours_that_were_not_measured_or_not_there_are_no_figure() {
    let sundays = counted(|configuration| {
        let hours = configuration.hours.get_mut(&estate::counting::office()).unwrap();
        hours.weekly.iter_mut().for_each(|window| window.days = vec![Weekday::Sunday]);
    });
    let [page] = pages(sundays, ["/en/apis/demographics-soap"]).await;
    assert_eq!(
        page.matches("in supported hours").count(),
        2,
        "of the quarter, in each environment: none of the day"
    );

    let mut unmeasured = counted(|_| {});
    unmeasured.healths = estate::fresh(Vec::new()).healths;
    let stage = Stage::of(unmeasured).await;
    let mut running = JoinSet::new();
    let stop = CancellationToken::new();
    running.spawn(stage.site.clone().run(stop.clone()));
    let page = loop {
        let page = get(stage.public(), "/en/apis/results").await.text();
        if page.contains("Last 90 days.") {
            break page;
        }
        tokio::task::yield_now().await;
    };
    has(
        &page,
        &["<b>Not measured</b>", "not measured in supported hours", "<b>99.9%</b> <span>Not measured</span>"],
    );
    stop.cancel();
    running.join_all().await;
}

#[tokio::test]
async fn how_we_measure_is_what_the_configuration_says() {
    let page = async |change: fn(&mut Configuration), path| {
        get(Stage::of(counted(change)).await.public(), path).await.text()
    };
    let en = page(|_| {}, "/en/how-we-measure").await;
    has(
        &en,
        &[
            r#"<h2 id="availability">How availability is counted</h2>"#,
            "National policy, version 2026-1",
            "slow or unreliable counts as up",
            "Planned work is left out",
            "Supported hours (Monday–Friday 09:00–17:00, except on bank holidays in England and Wales)",
            "a critical API is to be up for 99.9% of the time that counts in 30 days",
        ],
    );
    assert!(!en.contains("a standard API is to be"), "nothing is promised of those");
    has(&page(|_| {}, "/en/maintenance").await, &["does not count against availability"]);

    let strict = |configuration: &mut Configuration| {
        let policy = &mut configuration.availability;
        policy.degraded = Degraded::Down;
        policy.maintenance = PlannedWork::Counted;
        policy.hours = None;
    };
    has(
        &page(strict, "/en/how-we-measure").await,
        &["slow or unreliable counts as down", "Planned work is not left out", "All hours of day and night"],
    );
    has(
        &page(strict, "/cy/sut-rydym-yn-mesur").await,
        &["annibynadwy yn cyfrif fel i lawr", "Ni adewir gwaith", "holl oriau’r dydd a’r nos"],
    );
    has(&page(strict, "/en/maintenance").await, &["counts towards availability"]);

    let odd = |configuration: &mut Configuration| {
        let hours = configuration.hours.get_mut(&estate::counting::office()).unwrap();
        hours.bank_holidays = None;
        hours.time_zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        hours.weekly = vec![
            WeeklyWindow {
                days: vec![
                    Weekday::Monday,
                    Weekday::Tuesday,
                    Weekday::Thursday,
                    Weekday::Friday,
                    Weekday::Saturday,
                ],
                from: time(8, 30, 0, 0),
                to: None,
            },
            WeeklyWindow { days: vec![Weekday::Sunday], from: Time::midnight(), to: Some(time(9, 0, 0, 0)) },
        ];
    };
    let words = "(Monday, Tuesday, Thursday–Saturday 08:30–24:00; Sunday 00:00–09:00 (Europe/Paris))";
    has(&page(odd, "/en/how-we-measure").await, &[words]);
    let always = |configuration: &mut Configuration| {
        let hours = configuration.hours.get_mut(&estate::counting::office()).unwrap();
        hours.bank_holidays = None;
        hours.weekly = vec![WeeklyWindow {
            days: Weekday::Monday.cycle_forward().take(7).collect(),
            from: Time::midnight(),
            to: None,
        }];
    };
    has(&page(always, "/en/how-we-measure").await, &["Supported hours (at all times)"]);
}

#[tokio::test]
async fn history_names_its_policy_and_gives_both_figures() {
    let situation = counted(|_| {});
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let read = async |range: &str| {
        let path = format!("/api/v1/history?api=demographics-soap&environment=production&{range}");
        get(stage.public(), &path).await.json()
    };
    // Friday morning to Saturday: an outage on Wednesday at night is in the one figure and not in the other.
    let history = read("from=2026-11-17T00:00:00Z&to=2026-11-20T00:00:00Z").await;
    assert!(
        history["policy"].as_str().unwrap().starts_with("National policy, version 2026-1: degraded is up;")
    );
    assert_eq!(
        history["availability_policy"],
        json!({
            "name": { "en": "National policy", "cy": "Polisi cenedlaethol" },
            "version": "2026-1",
            "maintenance": "excluded",
            "degraded": "up",
            "supported_hours": {
                "time_zone": "Europe/London",
                "weekly": [{ "days": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00" }],
                "except_bank_holidays": true,
            },
            "objective": { "share": 0.999, "days": 30 },
        })
    );
    assert_eq!(history["seconds"]["down"], 1800.0);
    assert!(history["availability"].as_f64().unwrap() < 0.994);
    let supported = &history["supported"];
    assert_eq!((&supported["availability"], &supported["coverage"]), (&json!(1.0), &json!(1.0)));
    assert_eq!(supported["seconds"]["operational"], 3.0 * 8.0 * 3600.0);
    let days = history["days"].as_array().unwrap();
    assert!(days.iter().all(|day| day["supported"]["seconds"]["operational"] == 8.0 * 3600.0));

    // Planned work of 40 days ago, by what was measured meanwhile.
    let planned = read("from=2026-10-12T00:00:00Z&to=2026-10-13T00:00:00Z").await;
    assert_eq!(planned["seconds"]["maintenance"], 4.0 * 3600.0);
    assert_eq!(planned["seconds_in_maintenance"]["operational"], 4.0 * 3600.0);
    // More than can be counted is not counted.
    let ages = read("from=1990-01-01T00:00:00Z").await;
    assert_eq!(ages["supported"], Value::Null);
}

/// One that is over, of so many seconds ago.
fn over(number: u64, started: i64) -> Arc<Incident> {
    let mut incident =
        estate::trouble::incident(number, "demographics-soap", Environment::Production, started);
    incident.status = IncidentStatus::Resolved;
    incident.recovered_at = Some(estate::ago(started - 1800));
    incident.resolved_at = Some(estate::ago(started - 2400));
    Arc::new(incident)
}

fn row(page: &str, day: &str) -> String {
    let row = page.split("<tr>").find(|row| row.contains(day) && row.contains("data-h"));
    row.unwrap_or_else(|| panic!("no row of {day}: {page}")).to_owned()
}

const THREE_DAYS: i64 = 3 * 86_400;

#[tokio::test]
async fn a_day_names_its_incidents() {
    let mut situation = counted(|_| {});
    situation.incidents.insert_mut(IncidentId(39), over(39, THREE_DAYS));
    let [en, cy] = pages(situation, ["/en/apis/demographics-soap", "/cy/apis/demographics-soap"]).await;
    let there = row(&en, "18 November 2026");
    assert!(there.contains(r#"data-h="Incidents"><a href="/en/incidents/C-39">C-39</a></td>"#), "{there}");
    let before_there_were_any = row(&en, "30 September 2026");
    assert!(before_there_were_any.contains(r#"data-h="Incidents">–</td>"#), "{before_there_were_any}");
    let welsh = row(&cy, "18 Tachwedd 2026");
    assert!(welsh.contains(r#"data-h="Digwyddiadau"><a href="/cy/digwyddiadau/C-39">"#), "{welsh}");
}

#[tokio::test]
async fn where_there_were_too_many_to_name_a_day_of_trouble_leads_to_the_page_of_its_month() {
    let mut situation = counted(|_| {});
    for number in 1000..1250 {
        situation.incidents.insert_mut(IncidentId(number), over(number, THREE_DAYS));
    }
    let [en] = pages(situation, ["/en/apis/demographics-soap"]).await;
    let long_ago = row(&en, "30 September 2026");
    assert!(long_ago.contains(r#"<a href="/en/incidents/september-2026">September 2026</a>"#), "{long_ago}");
}
