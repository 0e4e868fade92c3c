//! What came before: 90 days of history, and a store that remembers them.

use super::ago;
use domain::{Change, Health, InstanceId, Layer, Situation, Status, StatusChange};

/// Healths of 90 days of one instance: works, with an outage, slow hours, planned work and a gap.
pub(crate) fn ninety_days(id: &InstanceId) -> Vec<Health> {
    let day = 86_400;
    let at = |seconds: i64, status: Status, maintenance: bool| Health {
        instance: id.clone(),
        status,
        since: ago(seconds),
        layer: status.is_down().then_some(Layer::Gateway),
        maintenance,
    };
    vec![
        at(71 * day, Status::Operational, false),
        at(52 * day, Status::MajorOutage, false),
        at(52 * day - 5400, Status::Operational, false),
        at(40 * day, Status::Operational, true),
        at(40 * day - 14_400, Status::Operational, false),
        at(33 * day, Status::Degraded, false),
        at(33 * day - 9000, Status::Operational, false),
        at(20 * day, Status::Unknown, false),
        at(18 * day, Status::Operational, false),
        at(3 * day, Status::PartialOutage, false),
        at(3 * day - 1800, Status::Operational, false),
        at(50_400, Status::Unknown, false),
        at(45_000, Status::Operational, false),
        at(20_000, Status::Degraded, false),
        at(18_500, Status::Operational, false),
    ]
}

/// What a store would remember of such a situation: 90 days of each instance, up to what it is now.
pub(crate) async fn remember(store: &store::Store, situation: &Situation) {
    let mut changes = Vec::new();
    for (n, id) in situation.configuration.instances().enumerate() {
        let mut healths = if n % 4 == 0 {
            ninety_days(&id)
        } else {
            vec![Health {
                instance: id.clone(),
                status: Status::Operational,
                since: ago(80 * 86_400),
                layer: None,
                maintenance: false,
            }]
        };
        let current = situation.healths.get(&id).unwrap();
        if current.shown() != Status::Operational {
            healths.push(Health::clone(current));
        }
        changes.extend(healths.into_iter().map(|health| {
            Change::Status(StatusChange { decided_at: health.since, why: "made by hand".into(), health })
        }));
    }
    let outcomes = situation
        .latest
        .values()
        .filter_map(|latest| Some((latest.outcome.clone()?, latest.verdict)))
        .collect();
    let batch = store::Batch { outcomes, changes, ..store::Batch::default() };
    store.record(&batch).await.unwrap();
}
