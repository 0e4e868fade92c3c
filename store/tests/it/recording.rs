//! A batch is one transaction, and the same batch twice is one batch.

use crate::made::{
    Made, at, callout, changes, failed, health, incident, instance, maintenance, opened, outcomes, passed,
    proof, read, release, results, rota_override, silence, track, track_id, turned,
};
use crate::place::{On, on_both};
use domain::{
    Change, Environment, IncidentId, IncidentStatus, Outcome, Status, TrackId, Transcript, Verdict, Way,
};
use std::{collections::BTreeMap, sync::Arc};
use store::{Batch, Error, IncidentFilter};

on_both!(
    what_is_recorded_is_remembered_after_a_restart,
    a_second_open_incident_of_one_cause_takes_the_whole_batch_back,
    a_tracks_number_that_was_taken_back_is_given_anew,
    the_same_batch_twice_is_stored_once,
    one_probe_in_two_batches_is_told_by_the_first,
    of_a_batch_with_many_new_tracks_that_change_twice_all_are_remembered_as_they_were_last,
    an_empty_batch_is_nothing,
    releases_are_read_by_range_and_the_last_of_each_is_remembered,
    the_next_incident_of_a_cause_opens_once_the_last_is_resolved,
    a_silence_that_ended_is_forgotten_but_its_number_is_not_used_again,
    the_last_outcome_is_found_however_long_it_is_past,
    of_each_check_the_last_that_failed_and_the_last_good_one_that_was_written_down_are_kept,
);

async fn what_is_recorded_is_remembered_after_a_restart(on: On) {
    let made = Made::new(on).await;
    let mut batch = outcomes([passed(&read(), 0), failed(&read(), 10_000)]);
    batch.changes = vec![
        Change::Track(Arc::new(track(read(), Status::MajorOutage, 10_000))),
        turned(health(results(), Status::MajorOutage, 10_000)),
        opened(1, "results"),
        Change::Notify(callout("C-1/callout/1/text")),
        Change::Silence(silence(4, 90_000)),
        Change::Maintenance(maintenance(7, 90_000)),
        Change::Override(rota_override(3, 90_000)),
        Change::Proof(proof(Way::Text, 2_000)),
        Change::Proof(proof(Way::Text, 5_000)),
    ];
    made.store.record(&batch).await.unwrap();
    let before = made.store.remember(at(0)).await.unwrap();
    assert_eq!(before.tracks, [track(read(), Status::MajorOutage, 10_000)]);
    assert_eq!(before.latest, [(read(), at(10_000), Verdict::Fail)]);
    assert_eq!(before.healths, [health(results(), Status::MajorOutage, 10_000)]);
    assert_eq!(before.incidents, [incident(1, "results", IncidentStatus::Open)]);
    assert_eq!(before.silences, [silence(4, 90_000)]);
    assert_eq!(before.maintenances, [maintenance(7, 90_000)]);
    assert_eq!(before.overrides, [rota_override(3, 90_000)]);
    assert_eq!(before.proofs, [proof(Way::Text, 5_000)], "the last one");
    assert_eq!((before.last_incident, before.last_silence, before.last_maintenance), (1, 4, 7));
    let looked = store::on_call(&made.place.url(), at(0)).await.unwrap();
    assert_eq!(
        (looked.overrides, looked.proofs),
        (before.overrides.clone(), Some(before.proofs.clone())),
        "as looked at"
    );
    assert_eq!(store::on_call(&made.place.url(), at(90_000)).await.unwrap().overrides, []);
    let later = made.store.remember(at(90_000)).await.unwrap();
    assert_eq!(
        (later.maintenances, later.last_maintenance, later.overrides, later.last_override),
        (vec![], 7, vec![], 3),
        "over, and its number is not used again"
    );
    let after = made.again().await.store.remember(at(0)).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

async fn of_each_check_the_last_that_failed_and_the_last_good_one_that_was_written_down_are_kept(on: On) {
    let made = Made::new(on).await;
    let noted = |ms, header: &str| {
        let (outcome, verdict) = passed(&read(), ms);
        let headers = vec![("server".to_owned(), header.to_owned())];
        let transcript = Some(Box::new(Transcript { headers, ..Transcript::default() }));
        (Arc::new(Outcome { transcript, ..Arc::unwrap_or_clone(outcome) }), verdict)
    };
    made.store.record(&outcomes([noted(0, "first"), failed(&read(), 1_000)])).await.unwrap();
    let other = track_id(results(), "ping", "internet");
    let later =
        [failed(&read(), 4_000), failed(&read(), 3_000), noted(2_000, "nul \0"), passed(&read(), 5_000)];
    made.store.record(&outcomes(later.into_iter().chain([failed(&other, 6_000)]))).await.unwrap();
    // One that comes late takes nothing's place.
    made.store.record(&outcomes([failed(&read(), 3_500), noted(1_500, "late")])).await.unwrap();
    let kept = made.again().await.store.transcripts(&results()).await.unwrap();
    let expected = [failed(&other, 6_000), failed(&read(), 4_000), noted(2_000, "nul \0")];
    assert_eq!(kept, expected.map(|(outcome, _)| Arc::unwrap_or_clone(outcome)));
}

async fn releases_are_read_by_range_and_the_last_of_each_is_remembered(on: On) {
    let made = Made::new(on).await;
    let all = [release(0, "1", None), release(5_000, "2\0", Some("1")), release(9_000, "1", Some("2\0"))];
    for release in &all {
        made.store.record(&changes([Change::Release(Arc::new(release.clone()))])).await.unwrap();
    }
    // Told again, as after a crash.
    made.store.record(&changes([Change::Release(Arc::new(all[1].clone()))])).await.unwrap();
    let made = made.again().await;
    let shown =
        [all[0].clone(), release(5_000, "2\u{fffd}", Some("1")), release(9_000, "1", Some("2\u{fffd}"))];
    assert_eq!(made.store.remember(at(0)).await.unwrap().releases, shown[2..]);
    let between = |from, to| made.store.releases(&shown[0].instance, at(from), at(to));
    assert_eq!(between(0, 10_000).await.unwrap(), shown);
    assert_eq!(between(4_999, 5_000).await.unwrap(), shown[..1]);
    assert_eq!(between(5_000, 9_000).await.unwrap(), shown[1..2]);
    assert_eq!(between(20_000, 30_000).await.unwrap(), shown[2..]);
    assert!(between(-10, 0).await.unwrap().is_empty());
}

async fn a_second_open_incident_of_one_cause_takes_the_whole_batch_back(on: On) {
    let made = Made::new(on).await;
    made.store.record(&changes([opened(1, "results")])).await.unwrap();
    let before = made.store.remember(at(0)).await.unwrap();
    let mut batch = outcomes([passed(&read(), 0), failed(&read(), 10_000)]);
    batch.changes = vec![
        turned(health(results(), Status::MajorOutage, 0)),
        Change::Notify(callout("C-1/callout/1/text")),
        opened(2, "results"),
    ];
    let refused = made.store.record(&batch).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
    let after = made.store.remember(at(0)).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    assert_eq!(made.store.counts().await.unwrap().outbox_waiting, 0);
    assert_eq!(made.store.counts().await.unwrap().recorded, 0);
    let (from, to) = (at(0), at(60_000));
    assert!(made.store.samples(&read().check, None, from, to, 9).await.unwrap().is_empty());
    assert!(made.store.failures(&results(), from, to, 9).await.unwrap().is_empty());
}

async fn a_tracks_number_that_was_taken_back_is_given_anew(on: On) {
    let made = Made::new(on).await;
    let (other, third) = (track_id(results(), "ping", "internet"), track_id(results(), "status", "internet"));
    let mut batch = outcomes([passed(&other, 0), passed(&read(), 1)]);
    batch.changes = vec![opened(1, "results"), opened(2, "results")];
    made.store.record(&batch).await.unwrap_err();
    // Another order: numbers kept from the failed batch would now stand for other tracks.
    made.store.record(&outcomes([passed(&third, 5), passed(&read(), 6)])).await.unwrap();
    made.store.record(&outcomes([passed(&other, 7)])).await.unwrap();
    let mut latest = made.store.remember(at(0)).await.unwrap().latest;
    latest.sort();
    assert_eq!(
        latest,
        [(other, at(7), Verdict::Pass), (read(), at(6), Verdict::Pass), (third, at(5), Verdict::Pass)]
    );
}

async fn the_same_batch_twice_is_stored_once(on: On) {
    let made = Made::new(on).await;
    let mut batch = outcomes([passed(&read(), 0), failed(&read(), 10_000), passed(&read(), 20_000)]);
    batch.changes = vec![
        Change::Track(Arc::new(track(read(), Status::Operational, 0))),
        turned(health(results(), Status::Operational, 0)),
        opened(1, "results"),
        Change::Notify(callout("C-1/callout/1/text")),
    ];
    made.store.record(&batch).await.unwrap();
    let before = made.store.remember(at(0)).await.unwrap();
    made.store.record(&batch).await.unwrap();
    let after = made.store.remember(at(0)).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let (from, to) = (at(0), at(60_000));
    assert_eq!(made.store.samples(&read().check, None, from, to, 9).await.unwrap().len(), 3);
    assert_eq!(made.store.failures(&results(), from, to, 9).await.unwrap().len(), 1);
    assert_eq!(made.store.notifications(IncidentId(1)).await.unwrap().len(), 1);
    assert_eq!(made.store.counts().await.unwrap().recorded, 3);
}

async fn one_probe_in_two_batches_is_told_by_the_first(on: On) {
    let made = Made::new(on).await;
    made.store.record(&outcomes([passed(&read(), 0)])).await.unwrap();
    made.store.record(&outcomes([(passed(&read(), 0).0, Verdict::Slow)])).await.unwrap();
    let samples = made.store.samples(&read().check, None, at(0), at(1), 9).await.unwrap();
    assert_eq!(samples.len(), 1);
    assert_eq!(samples[0].verdict, Verdict::Pass);
}

async fn of_a_batch_with_many_new_tracks_that_change_twice_all_are_remembered_as_they_were_last(on: On) {
    let made = Made::new(on).await;
    made.store.record(&outcomes([passed(&read(), 0)])).await.unwrap();
    let of = |n: usize| instance(&format!("api-{:02}", n % 40), Environment::Production);
    let mut tracks: Vec<TrackId> =
        (0..2_000).map(|n| track_id(of(n), &format!("op{n}"), "internet")).collect();
    tracks.push(read());
    let twice =
        |status| tracks.iter().map(move |id| Change::Track(Arc::new(track(id.clone(), status, 10_000))));
    let pages = |status| (0..40).map(move |n| turned(health(of(n), status, 10_000)));
    let mut batch = outcomes(tracks.iter().map(|id| passed(id, 10_000)));
    batch.changes.extend(twice(Status::Degraded).chain(pages(Status::Degraded)));
    batch.changes.extend(twice(Status::Operational).chain(pages(Status::Operational)));
    made.store.record(&batch).await.unwrap();
    let remembered = made.again().await.store.remember(at(0)).await.unwrap();
    let told: BTreeMap<&TrackId, Status> =
        remembered.tracks.iter().map(|track| (&track.id, track.status)).collect();
    assert_eq!(told, tracks.iter().map(|id| (id, Status::Operational)).collect());
    assert_eq!(remembered.latest.len(), tracks.len());
    assert!(
        remembered.latest.iter().all(|(_, then, verdict)| (*then, *verdict) == (at(10_000), Verdict::Pass))
    );
    assert_eq!(remembered.healths.len(), 40);
    assert!(remembered.healths.iter().all(|health| health.status == Status::Operational));
}

async fn an_empty_batch_is_nothing(on: On) {
    Made::new(on).await.store.record(&Batch::default()).await.unwrap();
}

async fn the_next_incident_of_a_cause_opens_once_the_last_is_resolved(on: On) {
    let made = Made::new(on).await;
    made.store.record(&changes([opened(1, "results")])).await.unwrap();
    let resolved = Change::Incident(Arc::new(incident(1, "results", IncidentStatus::Resolved)));
    made.store.record(&changes([resolved, opened(2, "results")])).await.unwrap();
    let all = IncidentFilter { open_only: false, since: None, limit: 10 };
    let numbers = async |filter| -> Vec<u64> {
        let incidents = made.store.incidents(filter).await.unwrap();
        incidents.iter().map(|incident| incident.id.0).collect()
    };
    assert_eq!(numbers(all).await, [2, 1], "the newest first");
    assert_eq!(numbers(IncidentFilter { open_only: true, ..all }).await, [2]);
    assert_eq!(numbers(IncidentFilter { limit: 1, ..all }).await, [2]);
    assert_eq!(
        numbers(IncidentFilter { since: Some(at(1_500)), ..all }).await,
        [2, 1],
        "resolved at that moment"
    );
    assert_eq!(numbers(IncidentFilter { since: Some(at(1_501)), ..all }).await, [2]);
    assert_eq!(
        made.store.incident(IncidentId(1)).await.unwrap(),
        Some(incident(1, "results", IncidentStatus::Resolved))
    );
    assert_eq!(made.store.incident(IncidentId(3)).await.unwrap(), None);
    assert_eq!(made.store.remember(at(1_501)).await.unwrap().incidents.len(), 1);
    assert_eq!(made.store.remember(at(1_500)).await.unwrap().incidents.len(), 2);
}

async fn a_silence_that_ended_is_forgotten_but_its_number_is_not_used_again(on: On) {
    let made = Made::new(on).await;
    let batch = changes([Change::Silence(silence(1, 500)), Change::Silence(silence(2, 50_000))]);
    made.store.record(&batch).await.unwrap();
    made.store.record(&changes([Change::Silence(silence(2, 800))])).await.unwrap();
    let remembered = made.store.remember(at(800)).await.unwrap();
    assert!(remembered.silences.is_empty());
    assert_eq!(remembered.last_silence, 2);
}

async fn the_last_outcome_is_found_however_long_it_is_past(on: On) {
    let made = Made::new(on).await;
    let (minute, hour) = (60_000, 3_600_000);
    let tracks: Vec<_> = ["a", "b", "c", "d"]
        .iter()
        .map(|api| track_id(crate::made::instance(api, Environment::Uat), "ping", "internet"))
        .collect();
    let last = [0, -30 * minute, -20 * hour, -2_500 * hour];
    let batch = tracks.iter().zip(last).flat_map(|(track, ms)| [passed(track, ms - 1), passed(track, ms)]);
    made.store.record(&outcomes(batch)).await.unwrap();
    let latest = made.store.remember(at(0)).await.unwrap().latest;
    let expected: Vec<_> =
        tracks.into_iter().zip(last).map(|(track, ms)| (track, at(ms), Verdict::Pass)).collect();
    assert_eq!(latest, expected);
}
