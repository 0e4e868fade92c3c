//! A service review for people: one HTML file that needs nothing else, to be read, printed, or kept as PDF.

use super::{Report, Reviewed, ReviewedOperation, Stages};
use crate::{
    RenderError, Renderer, WordsError, assets,
    chart::{Drawing, chart},
    measuring,
    when::{day, percent},
    wording::{Bars, Wording},
};
use domain::{Language, Percentiles, Rollup};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// Bars that can be told apart on paper.
const BARS: usize = 100;
/// Operations that are listed as the slowest.
const SLOWEST: usize = 10;

#[derive(Debug, Serialize)]
struct Document {
    css: &'static str,
    site: String,
    range: String,
    first: String,
    last: String,
    made: String,
    simulated: bool,
    policy: String,
    counts: Vec<String>,
    instances: Vec<Line>,
    incidents: Vec<Trouble>,
    /// How long the stages took in the middle: to be seen, to be taken, to be over.
    medians: [String; 3],
    slowest: Vec<Slow>,
    releases: Vec<Ran>,
    details: Vec<Detail>,
}

/// An instance's row.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    environment: String,
    availability: String,
    measured: String,
    supported: String,
    objective: Option<Promise>,
    took: [String; 3],
    incidents: usize,
}

#[derive(Debug, Serialize)]
struct Promise {
    share: String,
    reached: bool,
    words: String,
    left: String,
}

#[derive(Debug, Serialize)]
struct Trouble {
    id: String,
    title: String,
    priority: String,
    major: bool,
    began: String,
    stages: [String; 3],
    ticket: String,
}

#[derive(Debug, Serialize)]
struct Slow {
    name: String,
    operation: String,
    took: [String; 4],
}

#[derive(Debug, Serialize)]
struct Ran {
    name: String,
    before: Option<String>,
    version: String,
    since: String,
}

/// An instance's drawings.
#[derive(Debug, Serialize)]
struct Detail {
    name: String,
    environment: String,
    bars: Bars,
    each: String,
    times: [String; 5],
    chart: Option<Drawing>,
}

impl Report {
    /// The document in one language.
    pub fn html(&self, renderer: &Renderer, language: Language) -> Result<String, RenderError> {
        let wording = renderer.wording(&self.snapshot, language);
        renderer.document("report.html", language, &self.document(&wording)?)
    }

    fn document(&self, wording: &Wording<'_>) -> Result<Document, WordsError> {
        let zone = &wording.snapshot.site.time_zone;
        let last = self.range.end.as_millisecond() - 1;
        let last = jiff::Timestamp::from_millisecond(last).unwrap_or(self.range.end);
        let [first, last] = [self.range.start, last].map(|at| at.to_zoned(zone.clone()).date());
        let [first, last] = [first, last].map(|date| day(wording.language, date));
        let dates = [("from", first.as_str().into()), ("to", last.as_str().into())];
        let ends = [first.clone(), last.clone()];
        let details =
            self.instances.iter().map(|one| detail(wording, one, &ends)).collect::<Result<_, _>>()?;
        Ok(Document {
            css: assets::STYLE,
            site: wording.text(&wording.snapshot.site.title).to_owned(),
            range: wording.say("report-range", &dates)?,
            first,
            last,
            made: wording.times().full(wording.snapshot.as_of).words,
            simulated: self.simulated,
            policy: measuring::name(wording)?,
            counts: measuring::counts(wording)?,
            instances: self.instances.iter().map(|one| self.line(wording, one)).collect::<Result<_, _>>()?,
            incidents: self.troubles(wording)?,
            medians: [
                stage(wording, self.median(|stages| Some(stages.detected)))?,
                stage(wording, self.median(|stages| stages.acknowledged))?,
                stage(wording, self.median(|stages| stages.over))?,
            ],
            slowest: self.slowest(wording)?,
            releases: self.ran(wording)?,
            details,
        })
    }

    fn line(&self, wording: &Wording<'_>, one: &Reviewed) -> Result<Line, WordsError> {
        let policy = self.policy();
        let share = |share| measuring::share(wording, share);
        let first = one.operations.first();
        let took = took(first.and_then(|first| first.on(&first.sum)).as_ref());
        let supported = one.supported.as_ref().filter(|tally| tally.total() > 0.0);
        let promise = |objective: domain::Objective| {
            let budget = one.budget(policy);
            let available = policy.availability(one.promised());
            let reached = available.is_none_or(|available| available >= objective.share());
            let key = match available {
                None => "not-measured",
                Some(_) if reached => "report-reached",
                Some(_) => "report-missed",
            };
            Ok::<_, WordsError>(Promise {
                share: format!("{}%", objective.percent()),
                reached,
                words: wording.plain(key)?,
                left: budget.map_or_else(
                    || Ok("–".to_owned()),
                    |budget| measuring::seconds(wording, budget.left()),
                )?,
            })
        };
        let [p50, p95, p99, _] = took;
        Ok(Line {
            name: wording.name(&one.id).to_owned(),
            environment: wording.environment(one.id.environment)?,
            availability: share(policy.availability(&one.tally))?,
            measured: share(one.tally.coverage())?,
            supported: supported
                .and_then(|tally| policy.availability(tally))
                .map_or_else(|| "–".to_owned(), percent),
            objective: one.objective.map(promise).transpose()?,
            took: [p50, p95, p99],
            incidents: self.incidents_of(&one.id),
        })
    }

    fn troubles(&self, wording: &Wording<'_>) -> Result<Vec<Trouble>, WordsError> {
        let one = |incident: &Arc<domain::Incident>| {
            let stages = Stages::of(incident);
            Ok(Trouble {
                id: incident.id.to_string(),
                title: wording.incident_title(&Self::view(incident))?,
                priority: domain::weighed(incident.gravest(wording.language)),
                major: incident.was_major(),
                began: wording.times().full(incident.started_at).words,
                stages: [
                    stage(wording, Some(stages.detected))?,
                    stage(wording, stages.acknowledged)?,
                    stage(wording, stages.over)?,
                ],
                ticket: match &incident.ticket {
                    domain::Ticket::Raised { number, .. } => number.clone(),
                    domain::Ticket::None | domain::Ticket::Asked { .. } => "–".to_owned(),
                },
            })
        };
        self.incidents.iter().map(one).collect()
    }

    fn slowest(&self, wording: &Wording<'_>) -> Result<Vec<Slow>, WordsError> {
        let mut all: Vec<(Percentiles, &Reviewed, &ReviewedOperation)> = self
            .instances
            .iter()
            .flat_map(|one| one.operations.iter().map(move |operation| (one, operation)))
            .filter_map(|(one, operation)| Some((operation.on(&operation.sum)?, one, operation)))
            .collect();
        all.sort_by_key(|(took, ..)| std::cmp::Reverse(took.p95));
        let row = |(percentiles, one, operation): &(Percentiles, &Reviewed, &ReviewedOperation)| {
            let place = wording.environment(one.id.environment)?;
            Ok(Slow {
                name: format!("{} ({place})", wording.name(&one.id)),
                operation: operation.id.to_string(),
                took: took(Some(percentiles)),
            })
        };
        all.iter().take(SLOWEST).map(row).collect()
    }

    /// Versions that began to run in the range, the newest first.
    fn ran(&self, wording: &Wording<'_>) -> Result<Vec<Ran>, WordsError> {
        let began = |since| self.range.contains(&since);
        let mut all: Vec<_> = self
            .instances
            .iter()
            .flat_map(|one| one.releases.iter().map(move |release| (&one.id, release)))
            .filter(|(_, release)| release.before.is_some() && began(release.since))
            .collect();
        all.sort_by_key(|(_, release)| std::cmp::Reverse(release.since));
        all.into_iter()
            .map(|(id, release)| {
                Ok(Ran {
                    name: format!("{} ({})", wording.name(id), wording.environment(id.environment)?),
                    before: release.before.clone(),
                    version: release.version.clone(),
                    since: wording.times().full(release.since).words,
                })
            })
            .collect()
    }
}

fn stage(wording: &Wording<'_>, took: Option<Duration>) -> Result<String, WordsError> {
    took.map_or_else(|| Ok("–".to_owned()), |took| wording.duration(took))
}

fn took(percentiles: Option<&Percentiles>) -> [String; 4] {
    let of = |of: fn(&Percentiles) -> Duration| {
        percentiles.map_or_else(|| "–".to_owned(), |percentiles| Wording::latency(of(percentiles)))
    };
    [of(|took| took.p50), of(|took| took.p95), of(|took| took.p99), of(|took| took.max)]
}

fn detail(wording: &Wording<'_>, one: &Reviewed, ends: &[String; 2]) -> Result<Detail, WordsError> {
    let (bars, days) = one.bars(BARS);
    let days_words =
        |count: usize| wording.say("days", &[("count", i64::try_from(count).unwrap_or(i64::MAX).into())]);
    let tally = &one.tally;
    let times = [tally.operational, tally.degraded, tally.down, tally.maintenance.total(), tally.unknown];
    let mut said: [String; 5] = Default::default();
    for (said, seconds) in said.iter_mut().zip(times) {
        *said = measuring::seconds(wording, seconds)?;
    }
    let chart = one.operations.first().and_then(|first| {
        let chunk = |dates: &[super::ReviewedDay]| {
            let mut sum = Rollup::default();
            for rollup in dates.iter().filter_map(|day| first.days.get(&day.date)) {
                sum.merge(rollup);
            }
            first.on(&sum)
        };
        let drawn: Vec<Option<Percentiles>> = one.days.chunks(days).map(chunk).collect();
        Some((first, chart(&drawn)?, first.on(&first.sum)?))
    });
    let chart = chart.map(|(first, chart, all)| {
        let title = wording.say("response-times", &[("name", first.id.as_str().into())])?;
        chart.drawing(wording, title, ("report-response-label", &all, None), ends.clone())
    });
    Ok(Detail {
        name: wording.name(&one.id).to_owned(),
        environment: wording.environment(one.id.environment)?,
        bars: wording.drawn(&bars, "report-bars-label", if days == 1 { "days" } else { "report-bars" })?,
        each: wording.say("report-each", &[("days", days_words(days)?.into())])?,
        times: said,
        chart: chart.transpose()?,
    })
}
