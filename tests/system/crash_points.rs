//! `kill -9` at every named point of the recorder, the deliverer and the store, on both databases.
//!
//! Each point has a world of its own, in which one outage is told from its beginning to its end. The program dies at the point,
//! is started again, and at the end everything must be as if it had not died: one ticket, somebody called, everybody told, once.

mod after;
pub(crate) mod story;

use crate::database::{On, on_both};
use std::collections::{BTreeMap, HashMap};
use store::crash_point::POINTS;
use story::{Case, Told, Way};
use tokio::task::JoinSet;

/// Stories told at a time: each mostly waits.
const AT_A_TIME: usize = 6;

/// At which passing the program dies there, and what has to happen so that it comes there.
fn cases(point: &'static str) -> Vec<Case> {
    let (passings, way): (&[u32], Way) = match point {
        // The transactions of a trouble's first second: seen, confirmed, ticket, callout.
        "recorder/before-commit" | "record/before-commit" | "record/committed" => (&[1, 3], Way::Trouble),
        // The ticket's, then the callout's.
        "recorder/before-hint" | "recorder/hinted" => (&[1, 2], Way::Trouble),
        "deliverer/claimed" | "deliverer/sent" | "deliverer/settled" | "settle/notification" => {
            (&[1, 2], Way::Trouble)
        }
        // The look-up, the ticket, the second look-up, the text.
        "answer/unread" => (&[2, 3, 4, 5], Way::Trouble),
        "record/silence" => {
            (&[1], Way::Tells("silence add --api identity --environment sit --for 30m --why test"))
        }
        "record/maintenance" => (
            &[1],
            Way::Tells(
                "maintenance add --api identity --environment production --from {tomorrow} --for 30m --en test --cy prawf",
            ),
        ),
        "record/contact-proof" => (&[1], Way::Trouble),
        "record/override" => {
            (&[1], Way::Tells("rota override add platform nia.rees --until {tomorrow} --why test"))
        }
        // In these stories nobody calls, no past is made, nothing is backed up, nobody asked to be told, no telephone rings, no
        // program is told and no agent comes: `heartbeats.rs`, `history.rs`, `backup.rs`, `subscribing.rs`, `calls.rs`,
        // `programs.rs`, `alertmanager.rs` and `desk.rs` die there.
        "record/heard"
        | "import/before-commit"
        | "backup/copied"
        | "letter/announced"
        | "letter/claimed"
        | "letter/settled"
        | "call/traced"
        | "call/before-send"
        | "call/taken"
        | "webhook/before-send"
        | "webhook/taken"
        | "chat/taken"
        | "pager/taken"
        | "alertmanager/told"
        | "desk/read"
        | "desk/read-back" => (&[], Way::Trouble),
        point if ["seal/", "roll-up/", "prune/"].iter().any(|of| point.starts_with(of)) => {
            (&[1], Way::OldHours)
        }
        "deliverer/refused" => (&[1], Way::DeskRefusesOnce),
        // A new spool is begun once as well.
        "spool/renewing" => (&[2], Way::StoreHeld),
        "spool/written" | "spool/put-in" | "spool/recorded" | "spool/settled" => (&[1], Way::StoreHeld),
        "spool/set-aside" => (&[1], Way::StoreRefuses),
        "text/traced" => (&[1], Way::DiesTwice("text/taken")),
        "recorder/draining" | "recorder/drained" | "deliverer/drained" | "stop/drained" | "stop/closed"
        | "phases/put-in" | "phases/committed" => (&[1], Way::Stop),
        _ => (&[1], Way::Trouble),
    };
    passings.iter().map(|passing| Case { point, passing: *passing, way }).collect()
}

on_both!(whatever_the_point_of_a_crash_nothing_is_lost_and_nothing_told_twice);

#[expect(clippy::print_stdout, reason = "`--nocapture` shows what became of each")]
async fn whatever_the_point_of_a_crash_nothing_is_lost_and_nothing_told_twice(on: On) {
    let database = match on {
        On::Sqlite => "SQLite",
        On::Postgres => "PostgreSQL",
    };
    let only = |point: &str| filter().is_none_or(|filter| filter.split(',').any(|part| point.contains(part)));
    let cases: Vec<Case> = POINTS.iter().copied().filter(|point| only(point)).flat_map(cases).collect();
    let mut waiting =
        cases.iter().flat_map(|case| (1..=times().max(least(case.point))).map(move |time| (*case, time)));
    let mut under_way = JoinSet::new();
    let mut names = HashMap::new();
    let mut ended: BTreeMap<String, Result<Told, String>> = BTreeMap::new();
    loop {
        while under_way.len() < AT_A_TIME
            && let Some((case, time)) = waiting.next()
        {
            // A thread of its own, so that a story that breaks breaks no other.
            let story = under_way.spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(story::tell(case, on))
            });
            let name = if time == 1 { case.to_string() } else { format!("{case} again ({time})") };
            names.insert(story.id(), name);
        }
        let Some(one) = under_way.join_next_with_id().await else { break };
        let (id, told) = match one {
            Ok((id, told)) => (id, Ok(told)),
            Err(broke) => (broke.id(), Err(broke)),
        };
        let name = names.remove(&id).expect("a story has a name");
        let told = told.map_err(|broke| {
            broke.try_into_panic().map_or_else(|_| String::new(), |said| words(said.as_ref()))
        });
        match &told {
            Ok(told) => println!("{database:<10} {name:<32} {told}"),
            Err(why) => println!("{database:<10} {name:<32} FAILED: {why}"),
        }
        ended.insert(name, told);
    }
    let failed: Vec<_> = ended.iter().filter_map(|(name, told)| Some((name, told.as_ref().err()?))).collect();
    let recorded: usize = ended.values().flatten().map(|told| told.recorded).sum();
    println!(
        "{database}: {} deaths, {} failed; {recorded} recorded outcomes kept",
        ended.len(),
        failed.len()
    );
    assert!(failed.is_empty(), "{failed:#?}");
}

fn words(said: &(dyn std::any::Any + Send)) -> String {
    let text = said.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| said.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

/// Sealing, rolling up and letting go have several points each; migrating has one.
fn least(point: &str) -> u32 {
    if point == "start/migrating" { 5 } else { 1 }
}

/// How often it dies at each of them, once unless somebody says otherwise: `CRASH_TIMES=10`.
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says so")]
pub(crate) fn times() -> u32 {
    let said = std::env::var("CRASH_TIMES").ok();
    said.map_or(1, |times| times.parse().expect("CRASH_TIMES is a number"))
}

/// Some of the points alone, while looking for what is wrong with them: `CRASH_POINT=deliverer/sent,seal/`.
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says so")]
fn filter() -> Option<String> {
    std::env::var("CRASH_POINT").ok()
}
