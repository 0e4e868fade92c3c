//! The last time that an instance did not work, once it is over.

use domain::{Health, Layer};
use jiff::Timestamp;

/// A stretch of time in which an instance did not work, or partly not; planned work is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// When it began.
    pub from: Timestamp,
    /// When it was over, or was seen no more.
    pub to: Timestamp,
    /// Where it failed last.
    pub layer: Option<Layer>,
}

impl Outage {
    /// The last of the health that was in force before (`before`) and the changes since, in order. `None`: there was none, or
    /// it is not over.
    pub(crate) fn last(before: Option<&Health>, changes: &[Health]) -> Option<Self> {
        let (mut last, mut open) = (None, None::<Self>);
        for health in before.into_iter().chain(changes) {
            let Health { since, layer, .. } = *health;
            if health.shown().is_down() {
                open = Some(match open {
                    Some(outage) => Self { layer: layer.or(outage.layer), ..outage },
                    None => Self { from: since, to: since, layer },
                });
            } else if let Some(outage) = open.take() {
                last = Some(Self { to: since, ..outage });
            }
        }
        last.filter(|_| open.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ApiId, Environment, InstanceId, Status};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn health(minute: i64, status: Status, layer: Option<Layer>) -> Health {
        let instance =
            InstanceId { api: ApiId::parse("results").unwrap(), environment: Environment::Production };
        Health { instance, status, since: at(minute), layer, maintenance: false }
    }

    #[test]
    fn it_is_the_last_with_the_layer_that_failed_last() {
        let changes = [
            health(1, Status::MajorOutage, Some(Layer::Dns)),
            health(2, Status::Operational, None),
            health(10, Status::PartialOutage, Some(Layer::Gateway)),
            health(12, Status::MajorOutage, Some(Layer::Backend)),
            health(13, Status::PartialOutage, None),
            health(17, Status::Degraded, None),
            health(18, Status::Operational, None),
        ];
        let last = Outage { from: at(10), to: at(17), layer: Some(Layer::Backend) };
        assert_eq!(Outage::last(None, &changes), Some(last));
        let before = health(0, Status::MajorOutage, Some(Layer::Tls));
        let first = Outage { from: at(0), to: at(2), layer: Some(Layer::Dns) };
        assert_eq!(Outage::last(Some(&before), &changes[..2]), Some(first));
    }

    #[test]
    fn what_is_not_over_and_what_was_planned_is_none() {
        let works = health(0, Status::Operational, None);
        let mut planned = health(1, Status::MajorOutage, Some(Layer::Backend));
        planned.maintenance = true;
        assert_eq!(Outage::last(Some(&works), &[planned, health(5, Status::Operational, None)]), None);
        let over = [health(1, Status::MajorOutage, None), health(2, Status::Operational, None)];
        let open = [over.as_slice(), &[health(3, Status::MajorOutage, None)]].concat();
        assert_eq!(Outage::last(Some(&works), &open), None);
    }
}
