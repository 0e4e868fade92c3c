//! Pages: both languages, both audiences, and what must never stand on them.

use crate::{
    estate,
    stage::{Stage, get, get_with, post, send},
};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use domain::{ApiId, Environment, IncidentId, Language, Status};
use status_page::Page;
use std::io::Read as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The site's task, which ends with `stop`.
fn run(stage: &Stage, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(stage.site.clone().run(stop.clone()));
    tasks
}

fn all_pages() -> Vec<Page> {
    let mut pages = vec![
        Page::Front,
        Page::Incidents,
        Page::Incident(IncidentId(41)),
        Page::Incident(IncidentId(42)),
        Page::Maintenance,
        Page::Measuring,
        Page::Accessibility,
        Page::Environment(Environment::Production),
        Page::Environment(Environment::Sandbox),
    ];
    pages.extend(estate::NAMES.iter().map(|(id, ..)| Page::Api(ApiId::parse(id).unwrap())));
    pages
}

#[tokio::test]
async fn every_page_is_there_in_both_languages_for_both_audiences() {
    let stage = Stage::of(estate::trouble()).await;
    for page in all_pages() {
        for language in Language::ALL {
            for router in [stage.public(), stage.internal()] {
                let path = page.path(language);
                let answer = get(router, &path).await;
                assert_eq!(answer.status, StatusCode::OK, "{path}");
                assert_eq!(answer.header("content-language"), language.tag());
                assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
                let html = answer.text();
                assert!(html.contains(&format!("<html lang=\"{language}\">")), "{path}");
                for (tag, base) in
                    [(Language::En, "status.example.wales"), (Language::Cy, "statws.example.cymru")]
                {
                    let pair = format!("hreflang=\"{tag}\" href=\"https://{base}{}\"", page.path(tag));
                    assert!(html.contains(&pair), "{path} lacks {pair}");
                }
                let other = language.other();
                let link = format!("href=\"{}\" hreflang=\"{other}\"", page.path(other));
                assert!(html.contains(&link), "{path} has no visible link to {other}");
                assert!(!html.contains("{{") && !html.contains("{ $"), "{path}");
                assert!(!html.contains("<script") && !html.contains(" style="), "{path}");
                assert!(
                    html.contains("03:07:09 GMT") || html.contains("03:07 GMT"),
                    "{path} does not say its time"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_public_page_never_holds_a_word_of_what_is_not_public() {
    let mut situation = estate::trouble();
    let mut configuration = domain::Configuration::clone(&situation.configuration);
    let hidden =
        configuration.apis.get_mut(&ApiId::parse("results").unwrap()).map(std::sync::Arc::make_mut).unwrap();
    hidden.instances.retain(|environment, _| *environment == Environment::Sit);
    configuration
        .checks
        .retain(|id, _| id.instance.api.as_str() != "results" || id.instance.environment == Environment::Sit);
    situation.configuration = configuration.into();
    let stage = Stage::of(situation).await;
    let mut paths: Vec<String> =
        all_pages().iter().flat_map(|page| Language::ALL.map(|language| page.path(language))).collect();
    paths.extend(
        ["/api/v1/status", "/api/v1/incidents", "/api/v1/apis", "/readyz", "/livez"].map(str::to_owned),
    );
    for path in paths.iter().filter(|path| !path.ends_with("/results")) {
        let text = get(stage.public(), path).await.text();
        for word in [
            "results",
            "Canlyniadau",
            "C-40",
            "\"sit\"",
            ">SIT<",
            "in SIT",
            "amgylchedd SIT",
            "UAT",
            "\"uat\"",
            "evelopment",
            "atblygu",
            "Load tests",
            "INC0010002",
            "Rhian",
            "oncall",
            "10.1.2.3",
            "9990000018",
            "confirmed: 2 of 3",
        ] {
            assert!(!text.contains(word), "{path} holds {word}");
        }
    }
}

#[tokio::test]
async fn what_is_not_public_and_what_never_was_answer_alike() {
    let stage = Stage::of(estate::trouble()).await;
    for (hidden, invented) in [
        ("/en/environments/sit", "/en/environments/moon"),
        ("/en/incidents/C-40", "/en/incidents/C-4000"),
        ("/cy/amgylcheddau/datblygu", "/cy/amgylcheddau/lleuad"),
        ("/metrics", "/anything"),
        ("/ack/abcdefghijkl", "/anything/else"),
        ("/api/v1/history?api=results&environment=sit", "/api/v1/history?api=moon&environment=sit"),
        ("/api/v1/metrics", "/api/v2/moon"),
    ] {
        let (a, b) = (get(stage.public(), hidden).await, get(stage.public(), invented).await);
        assert_eq!(a.status, StatusCode::NOT_FOUND, "{hidden}");
        assert_eq!(a, b, "{hidden} differs from {invented}");
    }
    let there = get(stage.internal(), "/en/environments/sit").await;
    assert_eq!(there.status, StatusCode::OK);
    let posted = post(stage.public(), "/en/environments/sit", &[], "").await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
    assert_eq!(post(stage.public(), "/en", &[], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_missing_page_speaks_the_language_of_its_path_or_of_the_visitor() {
    let stage = Stage::of(estate::all_well()).await;
    let says = |path: &'static str, accept: &'static str| {
        let router = stage.public();
        async move { get_with(router, path, &[("accept-language", accept)]).await.text() }
    };
    assert!(says("/cy/nid-yma", "en").await.contains("Ni allem ddod o hyd i’r dudalen honno"));
    assert!(says("/en/not-here", "cy").await.contains("Page not found"));
    assert!(says("/nowhere", "cy").await.contains("Ni allem ddod o hyd i’r dudalen honno"));
}

#[tokio::test]
async fn the_root_leads_to_the_visitors_language() {
    let stage = Stage::of(estate::all_well()).await;
    for (accept, to) in [("cy, en;q=0.5", "/cy"), ("en-GB, cy;q=0.5", "/en"), ("", "/en")] {
        let answer = get_with(stage.public(), "/", &[("accept-language", accept)]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::FOUND, to));
        assert_eq!(answer.header("vary"), "accept-language");
    }
    let slash = get(stage.public(), "/en/").await;
    assert_eq!((slash.status, slash.header("location")), (StatusCode::PERMANENT_REDIRECT, "/en"));
}

#[tokio::test]
async fn every_status_has_its_shape_and_its_word() {
    for status in Status::ALL {
        let mut situation = estate::all_well();
        if status == Status::Maintenance {
            estate::maintain(&mut situation, "documents", Environment::Production);
        } else {
            estate::set(&mut situation, "documents", Environment::Production, status, 60, None);
        }
        let stage = Stage::of(situation).await;
        for (path, words) in [
            (
                "/en",
                [
                    "Working",
                    "Slow or unreliable",
                    "Partly not working",
                    "Not working",
                    "Planned work",
                    "Not known",
                ],
            ),
            (
                "/cy",
                [
                    "Yn gweithio",
                    "Yn araf neu’n annibynadwy",
                    "Ddim yn gweithio’n llawn",
                    "Ddim yn gweithio",
                    "Gwaith wedi’i gynllunio",
                    "Anhysbys",
                ],
            ),
        ] {
            let html = get(stage.public(), path).await.text();
            let index = Status::ALL.iter().position(|s| *s == status).unwrap();
            let letter = ["o", "d", "p", "x", "m", "u"][index];
            let shape = format!(r##"<use href="#{letter}"/></svg>{}</span>"##, words[index]);
            assert!(html.contains(&shape), "{path} lacks {shape}");
            assert!(html.contains(&format!("<symbol id=\"{letter}\"")), "{path} {letter}");
        }
    }
}

#[tokio::test]
async fn a_view_that_is_old_says_so() {
    let mut situation = estate::all_well();
    let old: Vec<_> = situation.latest.keys().cloned().collect();
    for id in old {
        let mut latest = situation.latest.get(&id).unwrap().clone();
        latest.at = estate::ago(600);
        situation.latest.insert(id, latest);
    }
    let stage = Stage::of(situation).await;
    let english = get(stage.public(), "/en").await.text();
    assert!(english.contains("We cannot see the APIs: nothing measured since 02:57 GMT"));
    assert!(english.contains("What stands below is old."));
    assert!(get(stage.public(), "/cy/digwyddiadau").await.text().contains("Mae’r hyn sydd isod yn hen."));
    let ready = get(stage.public(), "/readyz").await;
    assert_eq!(ready.json()["status"], "warn");
    let matrix = english.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    assert!(
        matrix.contains("Not known") && !matrix.contains("Working"),
        "what speaks no longer is not known"
    );
}

#[tokio::test]
async fn nothing_measured_is_drawn_as_unknown_and_never_as_working() {
    let fresh = estate::fresh(vec![estate::api("results", "Results", "Canlyniadau", domain::Kind::Rest)]);
    let html = get(Stage::of(fresh).await.public(), "/en").await.text();
    let matrix = html.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    assert!(matrix.contains("Not known") && !matrix.contains("Working"));
    assert!(matrix.contains(r#"class="u""#) && !matrix.contains(r#"class="o""#));
    assert!(matrix.contains("<title>Last 24 hours. Not known: 24 hours</title>"));
}

#[tokio::test]
async fn history_comes_from_the_store_with_its_gaps() {
    let situation = estate::all_well();
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let stop = CancellationToken::new();
    let running = run(&stage, &stop);
    let page = loop {
        let html = get(stage.public(), "/en/apis/demographics-soap").await.text();
        if html.contains("Last 90 days.") {
            break html;
        }
        tokio::task::yield_now().await;
    };
    assert!(page.contains(r#"class="g""#), "a partly measured day is hatched above");
    assert!(page.contains(r#"class="f""#), "an outage has its foot");
    assert!(page.contains("measured ") && page.contains("The 90 days as a table"));
    stop.cancel();
    running.join_all().await;
}

#[tokio::test]
async fn a_change_of_status_is_shown_while_the_site_runs() {
    let stage = Stage::of(estate::all_well()).await;
    let stop = CancellationToken::new();
    let running = run(&stage, &stop);
    stage.situation.send_replace(std::sync::Arc::new(estate::trouble()));
    loop {
        let html = get(stage.public(), "/en").await.text();
        if html.contains("Patient Demographics is not working in production") {
            break;
        }
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.join_all().await;
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again_and_compressed_when_it_may_be() {
    let stage = Stage::of(estate::trouble()).await;
    let first = get(stage.public(), "/en").await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"'));
    let second = get_with(stage.public(), "/en", &[("if-none-match", &tag)]).await;
    assert_eq!((second.status, second.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(second.header("etag"), tag);
    let gzip = get_with(stage.public(), "/en", &[("accept-encoding", "gzip, br;q=0.1")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    assert_eq!(gzip.header("vary"), "accept-encoding");
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(gzip.body.as_slice()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, first.body);
    let brotli = get_with(stage.public(), "/en", &[("accept-encoding", "gzip, deflate, br, zstd")]).await;
    assert_eq!(brotli.header("content-encoding"), "br");
    assert!(brotli.body.len() < gzip.body.len());
    let head = Request::builder().method(Method::HEAD).uri("/en").body(Body::empty()).unwrap();
    let head = send(stage.public(), head).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), first.header("content-length"));
}

#[tokio::test]
async fn the_whole_first_view_is_light() {
    let stage = Stage::of(estate::sixty()).await;
    let mut total = 0;
    let html = get(stage.internal(), "/cy").await.text();
    let compressed = [("accept-encoding", "gzip")];
    total += get_with(stage.internal(), "/cy", &compressed).await.body.len();
    for link in html.split("href=\"/assets/").skip(1) {
        let path = format!("/assets/{}", link.split('"').next().unwrap());
        let asset = get_with(stage.internal(), &path, &compressed).await;
        assert_eq!(asset.status, StatusCode::OK, "{path}");
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        total += asset.body.len();
    }
    assert!(total <= 60_000, "{total} bytes");
}

#[tokio::test]
async fn nothing_from_elsewhere_may_run_or_load() {
    let stage = Stage::of(estate::all_well()).await;
    for path in ["/en", "/nowhere", "/api/v1/status", "/"] {
        let answer = get(stage.public(), path).await;
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}

#[tokio::test]
async fn many_apis_are_found_by_name_without_script() {
    let stage = Stage::of(estate::sixty()).await;
    let all = get(stage.public(), "/en").await.text();
    assert!(all.contains("name=\"find\"") && all.matches("<th scope=\"row\">").count() == 60);
    let found = get(stage.public(), "/en?find=canlyniadau+5").await.text();
    assert!(found.contains("3 of 60 shown") && found.contains("Results 53"));
    let hostile = get(stage.public(), "/en?find=%3Cscript%3E").await.text();
    assert!(!hostile.contains("<script") && hostile.contains("0 of 60 shown"));
    assert!(get(Stage::of(estate::all_well()).await.public(), "/en").await.text().contains("name=\"find\""));
    assert!(!get(Stage::of(estate::one_api()).await.public(), "/en").await.text().contains("name=\"find\""));
}

#[tokio::test]
async fn an_api_stands_once_among_those_that_an_incident_troubles() {
    let named = async |change: &dyn Fn(&mut domain::Incident)| {
        let mut situation = estate::trouble();
        let mut incident = (*situation.incidents[&domain::IncidentId(42)]).clone();
        let cause = incident.affects[0].clone();
        let dependant = estate::instance("results", Environment::Production);
        incident.affects = vec![cause, dependant.clone()];
        incident.held_back = vec![dependant];
        change(&mut incident);
        situation.incidents.insert_mut(incident.id, std::sync::Arc::new(incident));
        let html = get(Stage::of(situation).await.public(), "/en/incidents/C-42").await.text();
        let main = html.split("<main").nth(1).unwrap().to_owned();
        (main.matches("/en/apis/results\"").count(), main.contains("Fails because of it"))
    };
    assert_eq!(named(&|_| {}).await, (1, true));
    // What shows a certificate that is not good is held back by it, all of them.
    assert_eq!(named(&|incident| incident.held_back = incident.affects.clone()).await, (1, false));
}

#[tokio::test]
async fn the_desk_sees_more_of_an_incident_than_the_public() {
    let stage = Stage::of(estate::trouble()).await;
    let internal = get(stage.internal(), "/en/incidents/C-42").await.text();
    for word in ["P1", "INC0010002", "Rhian Morgan called", "503 after 40 ms", "priority 1 in production"] {
        assert!(internal.contains(word), "{word}");
    }
    let public = get(stage.public(), "/cy/digwyddiadau/C-42").await.text();
    assert!(
        public.contains(
            "Nid yw’n gweithio. Mae’r gwasanaeth y tu ôl i borth yr API yn methu. Rydym wedi dweud wrth y bobl"
        ),
        "effect, cause, and what comes next"
    );
    assert!(public.contains("Mae’r porth yn ateb"));
    for word in ["P1", "INC0010002", "Rhian", "503"] {
        assert!(!public.contains(word), "{word}");
    }
    let over = get(stage.public(), "/en/incidents/C-41").await.text();
    assert!(over.contains("A disk was full.") && over.contains("Documents was partly not working"));
}
