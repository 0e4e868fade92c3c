//! The front page: the sentence, what is wrong now, the matrix, planned work.

use crate::{
    ApiView, InstanceView, Page, WordsError,
    filter::{Filter, FilterForm},
    incidents::{Block, block},
    past::rank,
    planned::{PlannedLine, running_or_next},
    sentence::{Sentence, sentence},
    when::When,
    wording::{Bars, Link, Shape, Wording},
};
use domain::{Environment, Status};
use serde::Serialize;
use std::cmp::Reverse;

/// What the front page's template needs.
#[derive(Debug, Serialize)]
pub(crate) struct Front {
    sentence: Sentence,
    blocks: Vec<Block>,
    unposted: Vec<Unposted>,
    planned: Vec<PlannedLine>,
    columns: Vec<Link>,
    rows: Vec<Row>,
    legend: Vec<Shape>,
    filter: Option<FilterForm>,
    checked: Option<When>,
}

/// Confirmed trouble that nothing was published about yet.
#[derive(Debug, Serialize)]
struct Unposted {
    shape: Shape,
    title: Link,
    since: Option<When>,
}

/// An API's line of the matrix.
#[derive(Debug, Serialize)]
struct Row {
    name: Link,
    cells: Vec<Cell>,
}

/// One instance in the matrix; without a shape the API does not exist there.
#[derive(Debug, Serialize)]
struct Cell {
    environment: String,
    shape: Option<Shape>,
    /// While maintenance is laid over trouble, what is measured.
    under: Option<String>,
    since: Option<When>,
    /// While maintenance is on, its end.
    until: Option<When>,
    strip: Option<Bars>,
}

/// Builds the front page's view; of the matrix only what `filter` lets through.
pub(crate) fn front(wording: &Wording<'_>, filter: &Filter) -> Result<Front, WordsError> {
    let snapshot = wording.snapshot;
    let apis = filter.apis(snapshot);
    let shown: Vec<Environment> =
        snapshot.environments.iter().copied().filter(|one| filter.shows(*one)).collect();
    Ok(Front {
        sentence: sentence(wording)?,
        blocks: snapshot.open_incidents().map(|view| block(wording, view)).collect::<Result<_, _>>()?,
        unposted: unposted(wording)?,
        planned: running_or_next(wording)?,
        columns: shown
            .iter()
            .map(|environment| {
                Ok(Link {
                    href: wording.href(&Page::Environment(*environment)),
                    text: wording.environment(*environment)?,
                })
            })
            .collect::<Result<_, WordsError>>()?,
        filter: if snapshot.as_files { None } else { filter.form(wording, apis.len())? },
        rows: apis.into_iter().map(|view| row(wording, view, &shown)).collect::<Result<_, _>>()?,
        legend: legend(wording)?,
        checked: snapshot
            .instances()
            .filter_map(|instance| instance.checked_at)
            .max()
            .map(|at| wording.times().second(at)),
    })
}

fn unposted(wording: &Wording<'_>) -> Result<Vec<Unposted>, WordsError> {
    let told = |instance: &InstanceView| {
        wording
            .snapshot
            .open_incidents()
            .any(|view| view.affects.contains(&instance.id) || view.held_back.contains(&instance.id))
    };
    let mut untold: Vec<&InstanceView> = wording
        .snapshot
        .instances()
        .filter(|instance| instance.shown.is_trouble() && !told(instance))
        .collect();
    untold.sort_by_key(|instance| (rank(instance.shown), Reverse(instance.id.environment)));
    untold
        .into_iter()
        .map(|instance| {
            Ok(Unposted {
                shape: wording.shape(instance.shown)?,
                title: Link {
                    href: wording.href(&Page::Api(instance.id.api.clone())),
                    text: wording.trouble(&instance.id, instance.shown)?,
                },
                since: instance.since.map(|at| wording.short(at)),
            })
        })
        .collect()
}

fn row(wording: &Wording<'_>, view: &ApiView, shown: &[Environment]) -> Result<Row, WordsError> {
    let cell = |environment| -> Result<Cell, WordsError> {
        let instance = view.instances.iter().find(|instance| instance.id.environment == environment);
        Ok(Cell {
            environment: wording.environment(environment)?,
            shape: instance.map(|instance| wording.shape(instance.shown)).transpose()?,
            under: instance.map(|instance| under(wording, instance)).transpose()?.flatten(),
            since: instance.and_then(|instance| since(wording, instance)),
            until: instance.and_then(|instance| until(wording, instance)),
            strip: instance.map(|instance| wording.strip(instance)).transpose()?,
        })
    };
    Ok(Row {
        name: Link {
            href: wording.href(&Page::Api(view.api.id.clone())),
            text: wording.text(&view.api.name).to_owned(),
        },
        cells: shown.iter().map(|environment| cell(*environment)).collect::<Result<_, _>>()?,
    })
}

/// Maintenance is laid over and never hides.
pub(crate) fn under(wording: &Wording<'_>, instance: &InstanceView) -> Result<Option<String>, WordsError> {
    if instance.shown == Status::Maintenance && instance.measured != Status::Operational {
        Ok(Some(wording.shape(instance.measured)?.word))
    } else {
        Ok(None)
    }
}

/// Since when it is not well, or what is underneath is not.
pub(crate) fn since(wording: &Wording<'_>, instance: &InstanceView) -> Option<When> {
    let since = instance.since.filter(|_| instance.measured != Status::Operational)?;
    Some(wording.short(since))
}

/// Until when planned work lasts.
pub(crate) fn until(wording: &Wording<'_>, instance: &InstanceView) -> Option<When> {
    let now = wording.snapshot.as_of;
    let covers = |stretch: &&crate::Planned| stretch.concerns(&instance.id) && stretch.runs(now);
    let ends = wording.snapshot.planned.iter().filter(covers).map(|stretch| stretch.to).max()?;
    (instance.shown == Status::Maintenance).then(|| wording.short(ends))
}

/// Every status once, for the legend.
pub(crate) fn legend(wording: &Wording<'_>) -> Result<Vec<Shape>, WordsError> {
    Status::ALL.into_iter().map(|status| wording.shape(status)).collect()
}
