//! A past that is put in whole is read like one that was recorded, and is marked for good.

use crate::made::{
    Made, at, callout, failed, health, incident, outcomes, passed, read, results, track, track_id, turned,
};
use crate::place::{On, on_both};
use domain::{Change, IncidentId, IncidentStatus, Status, StatusChange, TrackId, Verdict};
use jiff::Timestamp;
use std::sync::Arc;
use store::{Batch, Error, OutboxState, Sample, Simulated, Store, Stretch};

on_both!(
    what_is_put_in_is_read_like_what_was_recorded,
    what_is_made_up_is_marked_and_so_is_how_far_it_came,
    what_was_told_in_a_past_is_told_to_nobody_again,
    a_stretch_goes_in_whole_or_not_at_all,
);

const HOUR: i64 = 3_600_000;
/// The first full hour after `at(0)`.
const FULL: i64 = 2_800_000;

fn other() -> TrackId {
    track_id(results(), "ping", "nhs-wales")
}

fn simulated(through: i64) -> Simulated {
    Simulated { from: at(FULL), until: at(FULL + 3 * HOUR), through: at(through) }
}

/// Three hours: the first two are over, one failure is in the second.
fn recorded() -> Batch {
    let passes = (0..3 * 60).map(|minute| passed(&read(), FULL + minute * 60_000 + 7));
    let others = [passed(&other(), FULL + 5), passed(&other(), FULL + HOUR - 1)];
    let mut batch = outcomes(passes.chain(others).chain([failed(&read(), FULL + HOUR + 30_000)]));
    batch.changes = vec![
        Change::Track(Arc::new(track(read(), Status::Operational, FULL))),
        turned(health(results(), Status::Operational, FULL)),
        turned(health(results(), Status::MajorOutage, FULL + HOUR + 30_000)),
        Change::Incident(Arc::new(incident(1, "results", IncidentStatus::Resolved))),
    ];
    batch
}

/// The same, to be put in.
fn stretch() -> Stretch {
    let mut stretch = Stretch::default();
    let batch = recorded();
    let mut hours = std::collections::BTreeMap::<_, Vec<Sample>>::new();
    for (outcome, verdict) in &batch.outcomes {
        let track = TrackId { check: outcome.check.clone(), vantage: outcome.vantage.clone() };
        let sample = Sample { at: outcome.at, verdict: *verdict, warm: outcome.warm, total: outcome.total };
        hours.entry((outcome.at.as_millisecond() / HOUR, track)).or_default().push(sample);
    }
    for ((_, track), mut samples) in hours {
        samples.sort_by_key(|sample| sample.at);
        stretch.hours.push((track, samples));
    }
    stretch.failures = batch.outcomes.into_iter().filter(|(_, verdict)| *verdict != Verdict::Pass).collect();
    for change in batch.changes {
        match change {
            Change::Track(track) => stretch.tracks.push(track),
            Change::Status(change) => stretch.statuses.push(change),
            Change::Incident(incident) => stretch.incidents.push(incident),
            Change::Release(release) => stretch.releases.push(release),
            Change::Notify(_)
            | Change::Withdraw(_)
            | Change::Silence(_)
            | Change::Maintenance(_)
            | Change::Override(_)
            | Change::Proof(_) => {}
        }
    }
    stretch
}

async fn seen(store: &Store) -> String {
    let (from, to) = (at(0), at(10 * HOUR));
    let mut remembered = store.remember(from).await.unwrap();
    remembered.latest.sort();
    let samples = store.samples(&read().check, None, from, to, 1_000).await.unwrap();
    let others = store.samples(&other().check, None, from, to, 1_000).await.unwrap();
    let failures = store.failures(&results(), from, to, 10).await.unwrap();
    let healths = store.healths(&results(), from, to).await.unwrap();
    let incident = store.incident(IncidentId(1)).await.unwrap();
    assert_eq!((samples.len(), others.len(), failures.len()), (181, 2, 1));
    format!("{remembered:?}\n{samples:?}\n{others:?}\n{failures:?}\n{healths:?}\n{incident:?}")
}

async fn what_is_put_in_is_read_like_what_was_recorded(on: On) {
    let (recorded_one, put_in) = (Made::new(on).await, Made::new(on).await);
    recorded_one.store.record(&recorded()).await.unwrap();
    put_in.store.import(&stretch(), at(FULL + 2 * HOUR), simulated(FULL + 3 * HOUR)).await.unwrap();
    assert!(!put_in.store.has_no_rows().await.unwrap(), "the last hour is not sealed");
    assert_eq!(seen(&recorded_one.store).await, seen(&put_in.store).await);
    // Whoever opens it next reads the same, and records on.
    let put_in = put_in.again().await;
    assert_eq!(seen(&recorded_one.store).await, seen(&put_in.store).await);
    put_in.store.record(&outcomes([passed(&other(), FULL + 3 * HOUR)])).await.unwrap();
    let latest = put_in.store.remember(at(0)).await.unwrap().latest;
    assert!(latest.contains(&(other(), at(FULL + 3 * HOUR), Verdict::Pass)));
    let sealed = put_in.store.seal(at(FULL + 3 * HOUR), 9).await.unwrap();
    assert_eq!(sealed.samples, 60, "what was left as rows");
    let rolled = put_in.store.roll_up(at(FULL + 24 * HOUR), &jiff::tz::TimeZone::UTC, 9).await.unwrap();
    assert_eq!(rolled, 2, "its day is rolled up like any other");
}

async fn what_is_made_up_is_marked_and_so_is_how_far_it_came(on: On) {
    let made = Made::new(on).await;
    assert_eq!(made.store.simulated().await.unwrap(), None);
    assert!(made.store.is_blank().await.unwrap() && made.store.has_no_rows().await.unwrap());
    let (first, rest): (Vec<_>, Vec<_>) =
        stretch().hours.into_iter().partition(|(_, samples)| samples[0].at < at(FULL + HOUR));
    let first = Stretch { hours: first, ..Stretch::default() };
    made.store.import(&first, at(FULL + 2 * HOUR), simulated(FULL + HOUR)).await.unwrap();
    let made = made.again().await;
    let begun = made.store.simulated().await.unwrap().unwrap();
    assert!(begun == simulated(FULL + HOUR) && begun.is_unfinished());
    assert!(!made.store.is_blank().await.unwrap() && made.store.has_no_rows().await.unwrap());
    let rest = Stretch { hours: rest, ..stretch() };
    made.store.import(&rest, at(FULL + 2 * HOUR), simulated(FULL + 3 * HOUR)).await.unwrap();
    assert!(!made.store.simulated().await.unwrap().unwrap().is_unfinished());
    assert!(seen(&made.store).await.contains("MajorOutage"));
}

async fn what_was_told_in_a_past_is_told_to_nobody_again(on: On) {
    let made = Made::new(on).await;
    let mut stretch = stretch();
    stretch.told = vec![(callout("C-1/callout/1/text"), at(5_000), "abc".to_owned())];
    made.store.import(&stretch, at(0), simulated(FULL + 3 * HOUR)).await.unwrap();
    assert_eq!(made.store.counts().await.unwrap().outbox_waiting, 0);
    let told = made.store.notifications(IncidentId(1)).await.unwrap();
    let sent = OutboxState::Sent { at: at(5_000), provider_id: "abc".to_owned() };
    assert_eq!(told.iter().map(|row| &row.state).collect::<Vec<_>>(), [&sent]);
}

async fn a_stretch_goes_in_whole_or_not_at_all(on: On) {
    let made = Made::new(on).await;
    let through = FULL + 3 * HOUR;
    made.store.import(&stretch(), at(through), simulated(through)).await.unwrap();
    let before = seen(&made.store).await;
    let mut again = stretch();
    let since: Timestamp = at(FULL + 90 * 60_000);
    let change = health(results(), Status::Degraded, FULL + 90 * 60_000);
    again.statuses = vec![StatusChange { health: change, decided_at: since, why: "slow".to_owned() }];
    again.hours.reverse();
    let refused = made.store.import(&again, at(through), simulated(through - HOUR)).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "an hour that is there already: {refused:?}");
    assert_eq!(seen(&made.store).await, before);
    assert_eq!(made.store.simulated().await.unwrap(), Some(simulated(through)));
}
