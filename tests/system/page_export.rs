//! The page as files, for a second host.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on},
    program::world,
};
use std::{fs, path::Path};

on_both!(the_public_page_is_written_as_files_that_a_host_without_us_can_serve);

fn every_file(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(every_file(&path)) } else { found.push(path) }
    }
    found
}

/// What `text` links to on the same host.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("href=\"/").skip(1).filter_map(|rest| rest.split(['"', '#', '?']).next())
}

async fn the_public_page_is_written_as_files_that_a_host_without_us_can_serve(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let ran = place.run(&["--json", "page", "export", "site"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let site = place.directory.path().join("site");
    let files = every_file(&site);
    assert_eq!(ran.json()["written"], files.len() - 1, "and the list of them");
    for wanted in [
        "index.html",
        "404.html",
        "en/index.html",
        "cy/digwyddiadau/index.html",
        "en/apis/patient-demographics/index.html",
        "cy/mewnblannu/patient-demographics/index.html",
        "feeds/cy/incidents.atom",
        "feeds/en/apis/patient-demographics/maintenance.ics",
        "badges/patient-demographics/production.svg",
        "api/v1/status",
        "api/v2/summary.json",
        "sitemap.xml",
        "robots.txt",
    ] {
        assert!(site.join(wanted).is_file(), "{wanted} is missing");
    }
    let front = fs::read_to_string(site.join("en/index.html")).expect("the front page");
    assert!(front.contains("Patient Demographics") && front.contains("Working"), "{front}");
    // Every link of every page leads to a file.
    for page in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "html")) {
        let text = fs::read_to_string(page).expect("a page");
        assert!(!text.contains(">SIT<") && !text.contains("in SIT"), "{}", page.display());
        assert!(!text.contains("<form") && !text.contains("<script"), "{}: nobody answers", page.display());
        for link in links(&text) {
            let there = site.join(link).is_file() || site.join(link).join("index.html").is_file();
            assert!(there, "{} leads to /{link}, which is not there", page.display());
        }
    }
    // Once more, without the program: what says the same is left alone.
    assert!(program.stop().await.success());
    let ran = place.run(&["--json", "page", "export", "site"]).await;
    assert_eq!((ran.code, ran.json()["removed"].as_u64()), (Some(0), Some(0)), "{ran:?}");
    assert!(ran.json()["unchanged"].as_u64().is_some_and(|same| same > 10), "{ran:?}");
    // Nobody else's directory is written into.
    let ran = place.run(&["page", "export", "config"]).await;
    assert_eq!(ran.code, Some(73), "{ran:?}");
    assert!(ran.err.contains("there are files in config that are not of an export"), "{ran:?}");
    world.stop().await;
}
