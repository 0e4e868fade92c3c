//! `curiad rota override`: somebody stands in on a rota, and is called instead.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on, text_to},
    program::{Place, now, world},
};
use jiff::SignedDuration;
use simulator::Fault;
use std::collections::BTreeMap;

on_both!(whoever_stands_in_is_called_instead_and_everything_that_tells_of_rotas_says_so);

async fn on_call(place: &Place) -> String {
    let who = place.run(&["--json", "rota", "who", "platform"]).await.json();
    who["person"].as_str().expect("somebody").to_owned()
}

/// Somebody's shifts of a week in their calendar, by UID.
async fn events(place: &Place, whose: &str) -> BTreeMap<String, String> {
    let calendar = place.run(&["rota", "ics", whose, "--weeks", "1"]).await;
    let line = |event: &str, key: &str| event.lines().find(|line| line.starts_with(key)).map(str::to_owned);
    let events = calendar.out.split("BEGIN:VEVENT").skip(1);
    events.filter_map(|event| Some((line(event, "UID:")?, line(event, "STATUS:")?))).collect()
}

async fn whoever_stands_in_is_called_instead_and_everything_that_tells_of_rotas_says_so(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let before = on_call(&place).await;
    let (other, name) =
        if before == "nia.rees" { ("tom.evans", "Tom Evans") } else { ("nia.rees", "Nia Rees") };
    let mut program = place.serve();
    all_well(&mut program).await;
    let until = (now() + SignedDuration::from_hours(3)).to_string();
    let add = async |more: &[&str]| {
        let add = ["rota", "override", "add"];
        place.run(&[&add, more, &["--by", "Ann Hughes"]].concat()).await
    };

    for (wrong, code, words) in [
        (&["moon", other, "--until", &until][..], 64, "moon"),
        (&["platform", "nia", "--until", &until], 64, "did you mean 'nia.rees'"),
        (&["platform", other, "--until", "tonight"], 64, "'tonight' is neither a local time"),
        (&["platform", other, "--until", "2020-01-01T00:00"], 1, "it would be over"),
        (&["platform", other, "--until", "2099-01-01T00:00"], 1, "92 days at most"),
    ] {
        let ran = add(wrong).await;
        assert!(ran.code == Some(code) && ran.err.contains(words), "{wrong:?}: {ran:?}");
    }
    let ran = add(&["platform", other, "--until", &until, "--why", "a wedding"]).await;
    assert!(ran.code == Some(0) && ran.out.starts_with("override 1 on platform: "), "{ran:?}");
    assert_eq!(on_call(&place).await, other);
    let during = now().to_string();
    let shown = place.run(&["--json", "rota", "show", "platform"]).await.json();
    let shift = &shown["shifts"][0];
    assert_eq!((&shift["person"], &shift["override"]["id"]), (&other.into(), &1.into()), "{shown}");
    assert_eq!(shift["override"]["by"], "Ann Hughes", "{shown}");
    let shown = place.run(&["rota", "show", "platform"]).await;
    assert!(shown.out.contains("(override 1, says Ann Hughes: a wedding)"), "{shown:?}");
    let listed = place.run(&["rota", "override", "list"]).await;
    assert!(listed.out.contains(name) && listed.out.contains("Ann Hughes: a wedding"), "{listed:?}");
    let simulated = place.run(&["escalation", "simulate", "results"]).await;
    assert!(simulated.out.contains(&format!("step 1, round 1: {name} called")), "{simulated:?}");
    let looked = place.run(&["doctor"]).await;
    assert!(looked.out.contains(&format!("{name} is on call")), "{looked:?}");

    world.set_fault("results", "production", Fault::GatewayUnavailable).await.expect("a fault");
    text_to(&world, 0).await;
    let ran = place.run(&["incident", "show", "C-1"]).await;
    assert!(ran.out.contains(&format!("step 1, round 1: {name} called")), "{ran:?}");

    let calendar = place.run(&["rota", "ics", other, "--weeks", "1", "--language", "cy"]).await;
    assert!(calendar.out.starts_with("BEGIN:VCALENDAR\r\n") && calendar.out.ends_with("END:VCALENDAR\r\n"));
    let said = calendar.out.replace("\r\n ", "");
    assert!(
        said.contains(&format!("Ar alw: {name} (platform)")) && said.contains("drwy newid dros dro"),
        "{said}"
    );
    let again = place.run(&["rota", "ics", "platform", "--weeks", "2"]).await.out;
    let uid = calendar.out.lines().find(|line| line.starts_with("UID:")).expect("a UID");
    assert!(again.contains(uid), "whoever asks, a shift is the same: {again}");
    let ran = place.run(&["rota", "ics", "moon"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("neither a rota nor a person 'moon'"), "{ran:?}");

    // Who stands in is known after a restart, and so is that it has ended.
    assert!(program.terminate().await.success());
    let mut program = place.serve();
    assert_eq!(on_call(&place).await, other);
    assert_eq!(place.run(&["rota", "override", "end", "1"]).await.out, "override 1 is ended\n");
    assert_eq!(on_call(&place).await, before);
    let then = place.run(&["--json", "rota", "who", "platform", "--at", &during]).await.json();
    assert_eq!(then["person"], other, "what is over is remembered");
    world.set_fault("patient-demographics", "production", Fault::GatewayUnavailable).await.expect("a fault");
    let name_before = if before == "nia.rees" { "Nia Rees" } else { "Tom Evans" };
    let called = || async {
        let shown = place.run(&["incident", "show", "C-2"]).await;
        shown.out.contains(&format!("step 1, round 1: {name_before} called"))
    };
    program.wait(called, "whoever is on call again to be called").await;
    let listed = place.run(&["--json", "rota", "override", "list"]).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(0));
    // Whoever has a shift in their calendar that was called off is told so by the next one, and nobody else is.
    let (from, to) = (now() + SignedDuration::from_hours(24), now() + SignedDuration::from_hours(26));
    let (from, to) = (from.to_string(), to.to_string());
    let then = place.run(&["--json", "rota", "who", "platform", "--at", &from]).await.json();
    let [stands_in, is_spared] =
        if then["person"] == "nia.rees" { ["tom.evans", "nia.rees"] } else { ["nia.rees", "tom.evans"] };
    let ran = add(&["platform", stands_in, "--from", &from, "--until", &to]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let had = events(&place, stands_in).await;
    assert_eq!(place.run(&["rota", "override", "end", "2"]).await.out, "override 2 is called off\n");
    let mut has = events(&place, stands_in).await;
    has.retain(|uid, status| status == "STATUS:CANCELLED" && had.get(uid).is_none_or(|had| had != status));
    assert_eq!(has.len(), 1, "{has:?}");
    let of_the_other = events(&place, is_spared).await;
    let uid = has.keys().next().expect("one");
    assert!(had.contains_key(uid) && !of_the_other.contains_key(uid), "{had:?} {has:?} {of_the_other:?}");
    let ran = place.run(&["rota", "override", "end", "9"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("there is no override 9"), "{ran:?}");
    assert!(program.terminate().await.success());
    world.stop().await;
}
