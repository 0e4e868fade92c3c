//! What is there when the story has been told to its end: everything once, and nothing missing.

use super::story::{API, is_call};
use crate::{
    examine,
    program::{now, zone},
};
use domain::{CheckId, InstanceId, NotificationKind};
use jiff::{SignedDuration, Timestamp};
use simulator::World;
use std::collections::BTreeSet;
use store::{IncidentFilter, OutboxState, Store};

/// One incident, that began and ended once; one ticket, with each note once; somebody called, each text once.
pub(super) async fn once(store: &Store, world: &World) {
    let all = store
        .incidents(IncidentFilter { open_only: false, since: None, limit: 10 })
        .await
        .expect("incidents");
    let [incident] = all.as_slice() else { panic!("one outage, {} incidents: {all:#?}", all.len()) };
    assert!(!incident.is_open() && incident.major.is_some(), "{incident:#?}");
    for words in ["ticket asked for", "escalation", "acknowledged by", "has worked again", "resolved:"] {
        let times = incident.timeline.iter().filter(|entry| entry.text.starts_with(words)).count();
        assert_eq!(times, 1, "'{words}' in {:#?}", incident.timeline);
    }

    let rows = store.notifications(incident.id).await.expect("notifications");
    let sent = |kind: &dyn Fn(&NotificationKind) -> bool| {
        rows.iter()
            .filter(|row| kind(&row.notification.kind) && matches!(row.state, OutboxState::Sent { .. }))
            .count()
    };
    assert_eq!(sent(&|kind| *kind == NotificationKind::TicketOpen), 1, "{rows:#?}");
    assert!(
        sent(&|kind| matches!(kind, NotificationKind::Callout { .. })) > 0,
        "nobody was called: {rows:#?}"
    );

    examine::one_ticket_an_incident(world);
    let tickets = world.desk().tickets();
    assert_eq!(tickets.len(), 1, "{tickets:#?}");
    let notes = tickets.iter().flat_map(|ticket| ticket.work_notes());
    each_once(notes.map(str::to_owned), "a note on the ticket");
    let texts = world.notify().texts();
    assert!(texts.iter().any(is_call), "nobody was called: {texts:#?}");
    each_once(texts.into_iter().filter_map(|text| text.reference), "a text");
}

/// History has nothing twice, and all that it said was recorded.
pub(super) async fn unbroken(store: &Store, recorded: usize) {
    let all = Timestamp::from_second(0).expect("a time");
    let ever = (all, now() + SignedDuration::from_hours(1));
    for track in store.tracks().await.expect("tracks") {
        let verified = store.verify(&track, &zone()).await.expect("verified");
        assert_eq!(verified.problems, [] as [String; 0], "{track:?}");
    }
    let mut kept = 0;
    for api in [API, "identity"] {
        let instance = InstanceId {
            api: domain::ApiId::parse(api).expect("an id"),
            environment: domain::Environment::Production,
        };
        let (_, healths) = store.healths(&instance, ever.0, ever.1).await.expect("a history");
        for pair in healths.windows(2) {
            assert!(pair[0].since < pair[1].since && pair[0].status != pair[1].status, "{healths:#?}");
        }
        for operation in ["ping", "status"] {
            let check = CheckId {
                instance: instance.clone(),
                operation: domain::OperationId::parse(operation).expect("an id"),
            };
            let from = ever.1 - SignedDuration::from_hours(72);
            let samples = store.samples(&check, None, from, ever.1, 10_000).await.expect("samples");
            each_once(samples.iter().map(|sample| sample.at.to_string()), "an outcome");
            let summed = async |from| {
                let checks = std::slice::from_ref(&check);
                let days = store.rollups(checks, None, from..ever.1, &zone()).await.expect("sums");
                days.iter().map(|days| days.sum(..).samples()).sum::<u64>()
            };
            assert_eq!(summed(from).await, samples.len() as u64, "each is in the sum of its day");
            kept += usize::try_from(summed(ever.1 - SignedDuration::from_hours(200 * 24)).await)
                .expect("a count");
        }
    }
    assert!(kept >= recorded, "{recorded} outcomes were recorded, {kept} are there");
}

fn each_once(all: impl Iterator<Item = String>, what: &str) {
    let mut seen = BTreeSet::new();
    for one in all {
        assert!(seen.insert(one.clone()), "{what} is there twice: {one}");
    }
}
