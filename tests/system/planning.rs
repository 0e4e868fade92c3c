//! `curiad maintenance`: planned work is announced to everybody at once, and ends when somebody says so.

use crate::{
    database::{On, on_both},
    outage::place_on,
    program::{Place, text, world},
};

on_both!(planned_work_is_on_the_page_in_both_languages_until_it_is_called_off);

async fn not_all_of_production_beyond_a_day(place: &Place) {
    let place_work = ["maintenance", "add", "--environment", "production", "--for", "25h"];
    let ran = place.run(&[&place_work[..], &["--en", "A move", "--cy", "Symud"]].concat()).await;
    assert!(ran.code == Some(64) && ran.err.contains("--beyond-a-day"), "{ran:?}");
}

async fn planned_work_is_on_the_page_in_both_languages_until_it_is_called_off(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    program.ready().await;
    let add = ["maintenance", "add", "--environment", "production", "--by", "Nia Rees"];
    let what = ["--en", "A new <database>", "--cy", "Cronfa ddata newydd", "--for", "2h"];
    let add = async |more: &[&str]| place.run(&[&add[..], more].concat()).await;

    let ran = add(&[&what[..], &["--api", "results", "--from", "2099-12-01T20:00"]].concat()).await;
    assert!(ran.code == Some(1) && ran.err.contains("more than 400 days ahead"), "{ran:?}");
    let ran = add(&[&what[..], &["--api", "results"]].concat()).await;
    assert!(ran.code == Some(0) && ran.out.starts_with("planned work 1 from "), "{ran:?}");
    for (path, words) in [
        ("/en/maintenance", [">Production<", ">Results and Reporting<", "A new &lt;database&gt;"]),
        ("/cy/gwaith-cynnal-a-chadw", [">Byw<", ">Canlyniadau ac Adrodd<", "Cronfa ddata newydd"]),
    ] {
        let url = program.public(path);
        let shown = || async {
            let page = text(&url).await;
            words.iter().all(|words| page.contains(words))
        };
        program.wait(shown, path).await;
        assert!(!text(&url).await.contains("Nia"), "whose it is is nobody's business outside");
    }

    let listed = place.run(&["maintenance", "list", "--json"]).await.json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["by"], &listed[0]["running"], &listed[0]["api"]),
        (&1.into(), &"Nia Rees".into(), &true.into(), &"results".into()),
        "{listed}"
    );
    let ran = place.run(&["maintenance", "list"]).await;
    assert!(
        ran.out.contains("results in production since ") && ran.out.contains("Nia Rees: A new"),
        "{ran:?}"
    );

    let simulate = ["escalation", "simulate", "results", "--minutes", "1"];
    let told = async || {
        let rehearsed = place.run(&[&["--json"], &simulate[..]].concat()).await.json();
        rehearsed["told"].as_array().expect("a list").len()
    };
    assert_eq!(told().await, 0, "planned work mutes what fails meanwhile");
    let ran = place.run(&simulate).await;
    assert!(ran.out.contains(" by planned work 1, says Nia Rees: A new <database>"), "{ran:?}");

    not_all_of_production_beyond_a_day(&place).await;

    let end = ["maintenance", "end", "1", "--by", "Tom Price"];
    assert_eq!(place.run(&end).await.out, "planned work 1 is ended\n");
    let url = program.public("/en/maintenance");
    let over = || async { !text(&url).await.contains("A new") };
    program.wait(over, "it to be off the page").await;
    let ran = place.run(&end).await;
    assert!(ran.code == Some(1) && ran.err.contains("planned work 1 ended at "), "{ran:?}");
    assert!(told().await > 0, "it mutes nothing any more");
    let silence =
        ["silence", "add", "--api", "results", "--for", "1h", "--why", "a drill", "--by", "Nia Rees"];
    let long = place.run(&["silence", "add", "--api", "results", "--for", "25h", "--why", "a drill"]).await;
    assert!(long.code == Some(64) && long.err.contains("--beyond-a-day"), "{long:?}");
    let only = place.run(&[&silence[..], &["--dry-run"]].concat()).await;
    assert!(
        only.code == Some(0) && only.out.contains("mutes tickets, calls and e-mails about results/"),
        "{only:?}"
    );
    assert!(place.run(&["silence", "list"]).await.out.contains("no silence"));
    let ran = place.run(&silence).await;
    assert!(
        ran.code == Some(0) && ran.out.contains("mutes tickets") && ran.out.contains("silence 1 until"),
        "{ran:?}"
    );
    assert_eq!(told().await, 0, "a silence does");
    let ran = place.run(&simulate).await;
    assert!(ran.out.contains(" by silence 1, says Nia Rees: a drill"), "{ran:?}");
    let end = ["silence", "end", "1", "--by", "Tom Price"];
    assert_eq!(place.run(&end).await.out, "silence 1 ended\n");
    assert!(told().await > 0, "it mutes nothing any more");
    let ran = place.run(&end).await;
    assert!(ran.code == Some(1) && ran.err.contains("silence 1 ended at "), "{ran:?}");

    for (wrong, code, words) in [
        (&["--for", "soon", "--en", "a", "--cy", "b"][..], 64, "'soon' is no length of time"),
        (&["--for", "2h", "--en", "a", "--cy", "a"], 64, "--same"),
        (&["--for", "2h", "--en", "a", "--cy", "b", "--api", "moon"], 64, "moon"),
        (&["--for", "2h", "--en", "a", "--cy", "b", "--from", "2026-01-01T00:00"], 64, "it would be over"),
        (
            &["--for", "2h", "--en", "a", "--cy", "b", "--from", "tomorrow"],
            64,
            "'tomorrow' is neither a local time",
        ),
        (&["--for", "200h", "--en", "a", "--cy", "b", "--beyond-a-day"], 1, "7 days at most"),
    ] {
        let ran = add(wrong).await;
        assert!(ran.code == Some(code) && ran.err.contains(words), "{wrong:?}: {ran:?}");
    }
    let ran = place.run(&["maintenance", "end", "9"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("there is no planned work 9"), "{ran:?}");
    assert!(program.terminate().await.success());
    world.stop().await;
}
