//! `curiad report`: a service review of a stretch of time.

use super::Asking;
use crate::{
    cli::{ReportArgs, ReportFormat, When},
    exit::{Failed, SOFTWARE, USAGE},
    terminal::{Progress, put},
};
use domain::{ApiId, Configuration, Environment, InstanceId};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use status_page::{Renderer, Report};
use std::ops::Range;

pub(crate) async fn run(arguments: &ReportArgs, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let zone = &asking.configuration.site.time_zone;
    let range = range(arguments, asking.now, zone)?;
    let instances = instances(arguments, &asking.configuration)?;
    let (count, mut progress) = (instances.len(), Progress::new());
    let situation = asking.situation().await?;
    let report = Report::gather(&asking.store, situation, instances, range, asking.now, |place, instance| {
        progress.show(&format!("{} of {count}: {instance}", place + 1));
    })
    .await;
    progress.clear();
    let report = report?;
    let language = arguments.language.language();
    let broken = |error: status_page::RenderError| Failed::new(SOFTWARE, error.to_string());
    let text = match arguments.format {
        _ if as_json => format!("{:#}\n", report.json()),
        ReportFormat::Json => format!("{:#}\n", report.json()),
        ReportFormat::Csv => report.csv(),
        ReportFormat::Html => report.html(&Renderer::load().map_err(broken)?, language).map_err(broken)?,
    };
    put(&text, "the report")
}

/// What was asked for; else the month before this one.
fn range(arguments: &ReportArgs, now: Timestamp, zone: &TimeZone) -> Result<Range<Timestamp>, Failed> {
    let today = now.to_zoned(zone.clone()).date();
    let last_month = today.first_of_month().checked_sub(1.month()).unwrap_or(today);
    let from = arguments.from.unwrap_or(When::Day(last_month));
    let to = arguments.to.map_or_else(|| from.month_ends(zone), |to| to.ends(zone));
    let too_far = || Failed::new(USAGE, "the range is beyond what a calendar holds");
    let (from, to) = (from.begins(zone).ok_or_else(too_far)?, to.ok_or_else(too_far)?.min(now));
    if from >= to {
        let said = format!("the range is empty: it ends at {to:.0}, and begins at {from:.0}");
        return Err(Failed::new(USAGE, format!("{said}\nwhat is still to come has no history")));
    }
    Ok(from..to)
}

/// Those of the configuration that were asked for.
fn instances(arguments: &ReportArgs, configuration: &Configuration) -> Result<Vec<InstanceId>, Failed> {
    let wrong = |what: String, next: String| Failed::new(USAGE, format!("{what}\n{next}"));
    let environment = match arguments.environment.as_str() {
        "all" => None,
        word => Some(Environment::parse(word).ok_or_else(|| {
            let known = Environment::ALL.map(Environment::word).join(", ");
            wrong(format!("there is no environment '{word}'"), format!("it is all, or one of {known}"))
        })?),
    };
    if let Some(api) = &arguments.api
        && !ApiId::parse(api).is_ok_and(|api| configuration.apis.contains_key(&api))
    {
        let known: Vec<&str> = configuration.apis.keys().map(ApiId::as_str).collect();
        return Err(wrong(format!("there is no API '{api}'"), format!("it is one of {}", known.join(", "))));
    }
    let mut instances: Vec<InstanceId> = configuration.instances().collect();
    instances.retain(|one| {
        environment.is_none_or(|environment| one.environment == environment)
            && arguments.api.as_ref().is_none_or(|api| one.api.as_str() == api)
    });
    if instances.is_empty() {
        return Err(wrong(
            "there is no such instance in the configuration".to_owned(),
            "--environment all takes every environment".to_owned(),
        ));
    }
    Ok(instances)
}
