//! What counts as available in the estate, and when it is supported.

use domain::{AvailabilityPolicy, Hours, HoursId, Objective, Text, WeeklyWindow};
use jiff::{
    civil::{Weekday, time},
    tz::TimeZone,
};
use std::sync::Arc;

pub(crate) fn office() -> HoursId {
    HoursId::parse("office").unwrap()
}

/// Weekdays from nine to five by the clock on the wall.
pub(crate) fn weekdays() -> Hours {
    Hours {
        time_zone: TimeZone::get("Europe/London").unwrap(),
        weekly: vec![WeeklyWindow {
            days: Weekday::Monday.cycle_forward().take(5).collect(),
            from: time(9, 0, 0, 0),
            to: Some(time(17, 0, 0, 0)),
        }],
        bank_holidays: Some(Arc::default()),
        closed: Vec::new(),
        opened: Vec::new(),
    }
}

pub(crate) fn policy() -> AvailabilityPolicy {
    AvailabilityPolicy {
        name: Text::new("National policy", "Polisi cenedlaethol"),
        version: "2026-1".to_owned(),
        hours: Some(office()),
        critical: Some(Objective::parse("99.9% in 30d").unwrap()),
        ..AvailabilityPolicy::default()
    }
}
