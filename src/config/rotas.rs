//! Who is on call when.

use super::{
    hours::{parse_day, parse_time, time_of_day},
    names::Noun,
    problem::{Place, Rank},
    reading::{Reading, counts_from},
    section::Section,
    tree::Node,
};
use domain::{HandOver, Override, PersonId, Rota, RotaLayer};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};
use std::time::Duration;

/// A rota, and where its overrides stand.
pub(super) struct RotaDraft {
    pub rota: Rota,
    pub override_places: Vec<Place>,
}

/// An answer proves for so many days that somebody is reached: whoever is on call every week answers a test once a quarter.
const PROOF_DAYS: u32 = 92;
const MOST_PROOF_DAYS: u32 = 366;

/// Reads for how long somebody who answered counts as reached; `None`: for ever.
pub(super) fn contact_proof(node: Option<&Node>, reading: &mut Reading<'_>) -> Option<Duration> {
    let days = |days: u32| Duration::from_secs(u64::from(days) * 86_400);
    let Some(node) = node else { return Some(days(PROOF_DAYS)) };
    let read = reading.parsed(node, "for how long an answer proves something", |text| {
        if text == "never" {
            return Ok(None);
        }
        let digits = text.strip_suffix('d').filter(|digits| digits.starts_with(|c| matches!(c, '1'..='9')));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) if number <= MOST_PROOF_DAYS => Ok(Some(days(number))),
            _ => Err(format!("'{text}' is neither never nor a number of days from 1d to {MOST_PROOF_DAYS}d")),
        }
    });
    read.flatten()
}

/// Reads a rota; `zone` is the site's.
pub(super) fn read(node: &Node, zone: &TimeZone, reading: &mut Reading<'_>) -> Option<RotaDraft> {
    let mut section = Section::open(node, "a rota", reading)?;
    let time_zone = match section.optional("time_zone", reading) {
        None => Some(zone.clone()),
        Some(node) => reading.time_zone(node),
    };
    let layers = section
        .required("layers", reading)
        .and_then(|node| reading.list_of_some(node, "layers"))
        .map(|items| items.iter().map(|item| layer(item, reading)).collect::<Vec<_>>());
    let local = time_zone.clone().unwrap_or(TimeZone::UTC);
    let overrides: Vec<_> = section
        .optional("overrides", reading)
        .and_then(|node| reading.list(node, "overrides"))
        .unwrap_or_default()
        .iter()
        .map(|item| swap(item, &local, reading))
        .collect();
    let remind = section.optional("remind", reading).and_then(|node| time_of_day(node, reading));
    section.close(reading);
    let overrides: Vec<(Override, Place)> = overrides.into_iter().collect::<Option<_>>()?;
    let (overrides, override_places) = overrides.into_iter().unzip();
    let layers = layers?.into_iter().collect::<Option<_>>()?;
    Some(RotaDraft { rota: Rota { time_zone: time_zone?, layers, overrides, remind }, override_places })
}

fn layer(node: &Node, reading: &mut Reading<'_>) -> Option<RotaLayer> {
    let mut section = Section::open(node, "a layer", reading)?;
    let people = section.required("people", reading).and_then(|node| {
        let people = reading.references(node, Noun::Person, PersonId::parse)?;
        if people.is_empty() {
            let hint = Some("name at least one person".to_owned());
            reading.problems.error(Rank::Value, &node.place, "nobody is on this rota", hint);
            return None;
        }
        Some(people)
    });
    let hand_over = section
        .required("hand_over", reading)
        .and_then(|node| reading.parsed(node, "when people change", parse_hand_over));
    let from = section.required("from", reading).and_then(|node| day(node, reading));
    let end = section.optional("until", reading);
    let until = end.and_then(|node| day(node, reading));
    section.close(reading);
    if let Some(end) = end.filter(|_| until.zip(from).is_some_and(|(until, from)| until <= from)) {
        reading.problems.error(Rank::Sense, &end.place, "this layer ends before it begins", None);
        return None;
    }
    Some(RotaLayer { people: people?, hand_over: hand_over?, from: from?, until })
}

fn day(node: &Node, reading: &mut Reading<'_>) -> Option<Date> {
    reading.parsed(node, "a day", |text| {
        text.parse::<Date>().map_err(|_| format!("'{text}' is not a day such as 2026-09-07"))
    })
}

/// A shift lasts no longer than a year.
const MOST_DAYS: u16 = 366;
/// Two hand-overs a day: more is no shift.
const MOST_A_WEEK: usize = 14;

/// `daily 09:00`, `every 10 days 09:00`, `weekly Mon 09:00`, `weekly Mon 09:00, Fri 17:00`.
fn parse_hand_over(text: &str) -> Result<HandOver, String> {
    let wrong = || {
        let others = "'weekly Mon 09:00', 'weekly Mon 09:00, Fri 17:00', 'every 10 days 09:00'";
        format!("'{text}' is none of {others} and 'daily 09:00'")
    };
    let (kind, rest) = text.split_once(' ').ok_or_else(wrong)?;
    match (kind, rest.split(' ').collect::<Vec<_>>().as_slice()) {
        ("daily", [time]) => Ok(HandOver::Every(1, parse_time(time)?)),
        ("every", [days, "days", time]) => match days.parse() {
            Ok(number) if (1..=MOST_DAYS).contains(&number) => Ok(HandOver::Every(number, parse_time(time)?)),
            _ => Err(format!("'{days}' is not a number of days from 1 to {MOST_DAYS}")),
        },
        ("weekly", _) => {
            let mut moments: Vec<(Weekday, Time)> = Vec::new();
            for moment in rest.split(", ") {
                let (day, time) = moment.split_once(' ').ok_or_else(wrong)?;
                moments.push((parse_day(day)?, parse_time(time)?));
            }
            if moments.len() > MOST_A_WEEK {
                return Err(format!("more than {MOST_A_WEEK} hand-overs a week"));
            }
            moments.sort_by_key(|(day, time)| (day.to_monday_zero_offset(), *time));
            if moments.windows(2).any(|pair| matches!(pair, [one, next] if one == next)) {
                return Err(format!("'{text}' names a hand-over twice"));
            }
            Ok(HandOver::Weekly(moments))
        }
        _ => Err(wrong()),
    }
}

fn swap(node: &Node, zone: &TimeZone, reading: &mut Reading<'_>) -> Option<(Override, Place)> {
    let mut section = Section::open(node, "an override", reading)?;
    let person = section
        .required("person", reading)
        .and_then(|node| reading.reference(node, Noun::Person, PersonId::parse));
    let from = section.required("from", reading).and_then(|node| moment(node, zone, reading));
    let end = section.required("to", reading);
    let to = end.and_then(|node| moment(node, zone, reading));
    section.close(reading);
    let (from, to) = (from?, to?);
    if let Some(end) = end.filter(|_| to <= from) {
        reading.problems.error(Rank::Sense, &end.place, "this override ends before it begins", None);
        return None;
    }
    Some((Override { person: person?, from, to, added: None }, node.place.clone()))
}

/// `2026-12-25T09:00` on the rota's clock, or with an offset of its own: `2026-12-25T09:00Z`.
fn moment(node: &Node, zone: &TimeZone, reading: &mut Reading<'_>) -> Option<Timestamp> {
    reading.parsed(node, "a moment", |text| {
        let wrong = || format!("'{text}' is not a moment such as 2026-12-25T09:00");
        if let Ok(moment) = text.parse::<Timestamp>() {
            return counts_from(text, moment);
        }
        if !text.contains('T') {
            return Err(wrong());
        }
        let local = text.parse::<DateTime>().map_err(|_| wrong())?;
        counts_from(text, zone.to_timestamp(local).map_err(|_| wrong())?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_change_daily_weekly_or_every_so_many_days() {
        let (nine, five) = (Time::constant(9, 0, 0, 0), Time::constant(17, 0, 0, 0));
        let monday = (Weekday::Monday, nine);
        assert_eq!(parse_hand_over("daily 09:00"), Ok(HandOver::Every(1, nine)));
        assert_eq!(parse_hand_over("every 10 days 09:00"), Ok(HandOver::Every(10, nine)));
        assert_eq!(parse_hand_over("weekly Mon 09:00"), Ok(HandOver::Weekly(vec![monday])));
        let both = Ok(HandOver::Weekly(vec![monday, (Weekday::Friday, five)]));
        assert_eq!(parse_hand_over("weekly Fri 17:00, Mon 09:00"), both);
        for wrong in [
            "",
            "weekly",
            "weekly 09:00",
            "monthly Mon 09:00",
            "daily 9:00",
            "weekly mon 09:00",
            "weekly Mon 09:00,Fri 17:00",
            "weekly Mon 09:00, Mon 09:00",
            "every 0 days 09:00",
            "every 367 days 09:00",
            "every 3 weeks 09:00",
        ] {
            assert!(parse_hand_over(wrong).is_err(), "{wrong}");
        }
    }
}
