//! An instance in full: its operations one by one, its 90 days, how fast it answers.

use crate::{
    Audience, InstanceView, Month, OperationView, Outage, Page, TrackView, WordsError,
    front::{since, under, until},
    green::{Green, green},
    is_it_me_here::{Here, here},
    numbers::{Number, numbers, policy},
    past::{Day, minutes},
    speed::{Speed, speed},
    subscribe_page::back_href,
    when::{When, day, percent, short_day},
    wording::{Bars, Link, Shape, Wording},
};
use domain::{Failure, FailureKind, Layer, Status, Tally, Verdict};
use serde::Serialize;

/// An instance in full.
#[derive(Debug, Serialize)]
pub(crate) struct FullInstance {
    environment: Link,
    name: Link,
    anchor: &'static str,
    shape: Shape,
    under: Option<String>,
    since: Option<When>,
    until: Option<When>,
    layer: Option<String>,
    /// While it works.
    last_outage: Option<LastOutage>,
    version: Option<Version>,
    checked: Option<When>,
    numbers: Vec<Number>,
    /// By what they are counted.
    policy: Link,
    strip: Bars,
    bars: Option<Bars>,
    bars_from: String,
    days: Vec<DayRow>,
    speed: Option<Speed>,
    operations: Vec<OperationLine>,
    green: Green,
    is_it_me: Here,
    /// Where to ask to be told when it works again, while it does not.
    tell_me: Option<String>,
}

/// Which version runs, and since when: of the first that was seen nobody knows.
#[derive(Debug, Serialize)]
struct Version {
    name: String,
    since: Option<When>,
}

/// The last time it did not work.
#[derive(Debug, Serialize)]
struct LastOutage {
    from: When,
    to: When,
    lasted: String,
    layer: Option<String>,
}

/// Days in a row that were alike.
#[derive(Debug, Serialize)]
struct DayRow {
    days: String,
    shape: Shape,
    down: String,
    planned: String,
    unmeasured: String,
    availability: String,
    /// Those that troubled it then; where they are not in memory, the pages of the months that name them.
    incidents: Vec<Link>,
}

/// An operation from one vantage.
#[derive(Debug, Serialize)]
struct OperationLine {
    name: String,
    critical: bool,
    vantage: Option<String>,
    shape: Shape,
    old: bool,
    layer: Option<String>,
    latency: Option<String>,
    at: Option<When>,
    /// It is when its job was last heard.
    heard: bool,
    /// For the internal audience, in English as recorded.
    message: Option<String>,
    request: Option<String>,
}

/// Builds an instance's view.
pub(crate) fn full(wording: &Wording<'_>, instance: &InstanceView) -> Result<FullInstance, WordsError> {
    let past = instance.past.as_ref();
    let days: Vec<Day> = past.map(|past| past.days.iter().collect()).unwrap_or_default();
    let spans: Vec<_> = days.iter().map(|day| day.span).collect();
    let mut operations = Vec::new();
    for operation in &instance.operations {
        for track in &operation.tracks {
            operations.push(operation_line(wording, operation, track)?);
        }
    }
    Ok(FullInstance {
        environment: Link {
            href: wording.href(&Page::Environment(instance.id.environment)),
            text: wording.environment(instance.id.environment)?,
        },
        name: Link {
            href: wording.href(&Page::Api(instance.id.api.clone())),
            text: wording.name(&instance.id).to_owned(),
        },
        anchor: instance.id.environment.word(),
        shape: wording.shape(instance.shown)?,
        under: under(wording, instance)?,
        since: if instance.shown == Status::Maintenance {
            since(wording, instance)
        } else {
            instance.since.map(|at| wording.short(at))
        },
        until: until(wording, instance),
        layer: match instance.layer {
            Some(_) if is_of_a_job(instance) => Some(wording.plain("job-fails")?),
            layer => layer.map(|layer| wording.layer(layer)).transpose()?,
        },
        last_outage: past
            .and_then(|past| past.last_outage)
            .filter(|_| !instance.measured.is_down())
            .map(|outage| last_outage(wording, instance, outage))
            .transpose()?,
        version: instance.release.as_ref().map(|release| Version {
            name: release.version.clone(),
            since: release.before.is_some().then(|| wording.short(release.since)),
        }),
        checked: instance.checked_at.map(|at| wording.times().second(at)),
        numbers: numbers(wording, instance)?,
        policy: policy(wording)?,
        strip: wording.strip(instance)?,
        bars: past
            .map(|_| {
                let bars = wording.drawn(&spans, "bars-label", "days")?;
                Ok::<_, WordsError>(Bars { each: Some(wording.plain("bars-each")?), ..bars })
            })
            .transpose()?,
        bars_from: days.first().map(|first| short_day(wording.language, first.date)).unwrap_or_default(),
        days: day_rows(wording, instance, &days)?,
        speed: past
            .and_then(|past| Some((past, past.responses.as_ref()?)))
            .map(|(past, responses)| speed(wording, responses, &past.releases))
            .transpose()?,
        operations,
        green: green(wording, instance)?,
        is_it_me: here(wording, instance)?,
        tell_me: (wording.snapshot.takes_subscriptions() && instance.shown != Status::Operational)
            .then(|| back_href(wording, &instance.id)),
    })
}

fn last_outage(
    wording: &Wording<'_>,
    instance: &InstanceView,
    outage: Outage,
) -> Result<LastOutage, WordsError> {
    let [from, to] = wording.times().stretch(outage.from, outage.to);
    let jobs = instance.operations.iter().filter(|operation| operation.check.heartbeat().is_some()).count();
    let layer = match outage.layer {
        Some(_) if jobs > 0 && jobs == instance.operations.len() => Some(wording.plain("failed-job")?),
        // A job or the service itself: nobody knows any more.
        Some(Layer::Backend) if jobs > 0 => None,
        layer => layer.map(|layer| wording.failed(layer)).transpose()?,
    };
    let lasted = wording.duration(outage.to.duration_since(outage.from).unsigned_abs())?;
    Ok(LastOutage { from, to, lasted, layer })
}

/// Whether all that fails are jobs.
fn is_of_a_job(instance: &InstanceView) -> bool {
    let tracks = instance.operations.iter().flat_map(|operation| &operation.tracks);
    let fails = |view: &&TrackView| view.track.as_ref().is_some_and(|track| track.status.is_down());
    let mut failing = tracks.filter(fails).peekable();
    failing.peek().is_some() && failing.all(|view| view.vantage.is_inbound())
}

fn day_rows(wording: &Wording<'_>, instance: &InstanceView, days: &[Day]) -> Result<Vec<DayRow>, WordsError> {
    let alike = |a: &Day, b: &Day| {
        row_key(a) == row_key(b) && incidents_of(wording, instance, a) == incidents_of(wording, instance, b)
    };
    days.chunk_by(alike)
        .rev()
        .filter_map(|run| Some((run.first()?, run.last()?)))
        .map(|(first, last)| {
            let whole = first.tally.total();
            let amount = |seconds: f64| -> Result<String, WordsError> {
                match u64::try_from(minutes(seconds)).unwrap_or(0) {
                    0 => Ok("–".to_owned()),
                    _ if seconds >= whole => wording.plain("all-day"),
                    minutes => wording.duration(std::time::Duration::from_secs(minutes * 60)),
                }
            };
            Ok(DayRow {
                days: if first.date == last.date {
                    day(wording.language, first.date)
                } else {
                    format!(
                        "{} – {}",
                        short_day(wording.language, first.date),
                        day(wording.language, last.date)
                    )
                },
                shape: wording.shape(first.span.worst)?,
                down: amount(first.tally.down)?,
                planned: amount(first.tally.maintenance.total())?,
                unmeasured: amount(first.tally.unknown)?,
                availability: wording
                    .snapshot
                    .policy
                    .availability(&first.tally)
                    .map_or_else(|| "–".to_owned(), percent),
                incidents: incidents_of(wording, instance, first),
            })
        })
        .collect()
}

/// The incidents of a day, the first of them first. Of a day on which it was in trouble and of which not all are in memory: its month.
fn incidents_of(wording: &Wording<'_>, instance: &InstanceView, day: &Day) -> Vec<Link> {
    let snapshot = wording.snapshot;
    let midnight = |date: jiff::civil::Date| {
        date.to_zoned(snapshot.site.time_zone.clone()).ok().map(|at| at.timestamp())
    };
    let (Some(from), Some(to)) = (midnight(day.date), day.date.tomorrow().ok().and_then(midnight)) else {
        return Vec::new();
    };
    let mut found: Vec<_> = snapshot
        .incidents
        .iter()
        .filter(|view| view.affects.iter().chain(&view.held_back).any(|id| *id == instance.id))
        .map(|view| &view.incident)
        .filter(|incident| {
            let end = incident.recovered_at.filter(|_| !incident.is_open()).or(incident.resolved_at);
            incident.started_at < to && from <= end.unwrap_or(snapshot.as_of)
        })
        .collect();
    found.sort_by_key(|incident| (incident.started_at, incident.id));
    if found.is_empty() && day.tally.down > 0.0 && snapshot.incidents_since.is_none_or(|since| from < since) {
        let month = Month::of(from, &snapshot.site.time_zone);
        return vec![Link { href: wording.href(&Page::Month(month)), text: month.name(wording.language) }];
    }
    let link =
        |id: domain::IncidentId| Link { href: wording.href(&Page::Incident(id)), text: id.to_string() };
    found.into_iter().map(|incident| link(incident.id)).collect()
}

/// Days are alike when a reader could not tell their rows apart; today stands alone only when it differs.
/// What a row says; a whole day is one also when the clocks change.
fn row_key(day: &Day) -> (Status, [i64; 3]) {
    let whole = day.tally.total();
    let said = |seconds: f64| if seconds >= whole { i64::MAX } else { minutes(seconds) };
    let Tally { down, maintenance, unknown, .. } = day.tally;
    (day.span.worst, [down, maintenance.total(), unknown].map(said))
}

fn operation_line(
    wording: &Wording<'_>,
    operation: &OperationView,
    track: &TrackView,
) -> Result<OperationLine, WordsError> {
    let internal = wording.snapshot.audience == Audience::Internal;
    let verdict = track.last.map(|(_, verdict)| verdict);
    let failing = !matches!(verdict, Some(Verdict::Pass) | None);
    let seen = track.seen.as_ref();
    let heard = track.vantage.is_inbound();
    let ended_at = track.track.as_ref().and_then(|track| track.pulse?.ended_at);
    let failure = seen.and_then(|seen| seen.failure.as_ref());
    Ok(OperationLine {
        name: operation.check.id.operation.to_string(),
        critical: operation.critical,
        vantage: (operation.tracks.len() > 1).then(|| track.vantage.to_string()),
        shape: wording.verdict(if track.expired { None } else { verdict })?,
        old: track.expired && verdict.is_some(),
        layer: failure
            .filter(|_| failing && !track.expired)
            .map(|failure| layer(wording, failure))
            .transpose()?,
        // How long a failure took is no response time.
        latency: seen.filter(|_| !heard && !failing).map(|seen| Wording::latency(seen.total)),
        at: if heard { ended_at } else { track.last.map(|(at, _)| at) }.map(|at| wording.times().second(at)),
        heard,
        message: failure.filter(|_| internal && failing).map(|failure| failure.message.clone()),
        request: internal.then(|| operation.check.operation.request.line()),
    })
}

/// Where it fails; of a job, how.
fn layer(wording: &Wording<'_>, failure: &Failure) -> Result<String, WordsError> {
    if failure.kind == FailureKind::NotHeard {
        wording.plain("job-silent")
    } else if failure.kind == FailureKind::JobFailed {
        wording.plain("job-failed")
    } else {
        wording.layer(failure.layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;
    use jiff::civil::date;

    #[test]
    fn a_whole_day_is_one_also_when_the_clocks_change() {
        let span = Span { worst: Status::Unknown, gap: false };
        let day = |hours: f64, unknown: f64| {
            let (unknown, operational) = (unknown * 3600.0, (hours - unknown) * 3600.0);
            Day { date: date(2026, 10, 25), span, tally: Tally { operational, unknown, ..Tally::default() } }
        };
        assert_eq!(row_key(&day(25.0, 25.0)), row_key(&day(24.0, 24.0)));
        assert_ne!(row_key(&day(25.0, 24.0)), row_key(&day(24.0, 24.0)));
    }
}
