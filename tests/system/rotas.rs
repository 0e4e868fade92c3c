//! `curiad rota show`: the weeks to come at a glance, and what is written down beside what is served.

use crate::{
    outage::place_with,
    program::{Place, world},
};

const LAYER: &str = "{ people: [nia.rees, tom.evans], hand_over: weekly Mon 09:00, from: 2026-01-05 }";

async fn drawn(place: &Place, days: &str) -> String {
    let shown =
        place.run(&["rota", "show", "platform", "--at", "2098-03-24T00:00:00Z", "--days", days]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    shown.out.split("\n\n").next().expect("a drawing").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_weeks_are_drawn_with_who_stands_in_when_nobody_is_there_and_what_the_turns_would_be() {
    let world = world().await;
    let layers = "{ people: [nia.rees, tom.evans], hand_over: \"weekly Mon 09:00, Fri 17:00\", from: 2097-12-30, until: 2098-04-12 }";
    let overrides =
        "\n    overrides: [{ person: duty.manager, from: \"2098-03-25T09:00\", to: \"2098-03-26T09:00\" }]";
    let place = place_with(&world, |text| text.replace(LAYER, &format!("{layers}{overrides}")));
    assert_eq!(
        drawn(&place, "28").await,
        "         Mon     Tue     Wed     Thu     Fri     Sat     Sun\n\
         24 Mar   ├T─├Nia Re─╞Duty m═├Nia Rees──────────├Tom Evans────────\n\
         by turns ├T─├Nia Rees──────────────────────────├Tom Evans────────\n\
         31 Mar   ─T─├Nia Rees──────────────────────────├Tom Evans────────\n\
         7 Apr    ─T─├Nia Rees──────────────────────────├Tom Evans────────\n\
         14 Apr   ─T─╳nobody╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳"
    );
    let shown =
        place.run(&["--json", "rota", "show", "platform", "--at", "2098-03-24T09:00:00Z"]).await.json();
    let people = |list: &str| {
        let list = shown[list].as_array().expect("a list");
        list.iter().map(|shift| shift["person"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(people("shifts")[..3], ["nia.rees", "duty.manager", "nia.rees"]);
    assert_eq!(people("pattern")[..2], ["nia.rees", "tom.evans"]);

    for (layers, words) in [
        (LAYER.replace("from: 2026-01-05", "from: 2026-01-05, until: 2026-01-05"), "ends before it begins"),
        (
            LAYER.replace("weekly Mon 09:00", "every 400 days 09:00"),
            "'400' is not a number of days from 1 to 366",
        ),
        (LAYER.replace("weekly Mon 09:00", "\"weekly Mon 09:00, Mon 09:00\""), "names a hand-over twice"),
    ] {
        let place = place_with(&world, |text| text.replace(LAYER, &layers));
        let ran = place.run(&["check"]).await;
        assert!(
            ran.code == Some(78) && ran.err.contains(words) && ran.err.contains("curiad.yaml:"),
            "{ran:?}"
        );
    }
}
