//! *Is it me?* on an API's page: what each layer last said, what a caller meets, the errors of a day, what to try.

use crate::{
    InstanceView, Page, WordsError,
    is_it_me_page::{class_key, theirs_key},
    when::When,
    wording::{Shape, Wording},
};
use domain::{Layer, LayerSays, OurOutcome, Status, Theirs, Verdict, Yours, layers};
use serde::Serialize;

/// What an API's page says of one environment.
#[derive(Debug, Serialize)]
pub(crate) struct Here {
    caller: String,
    layers: Vec<(String, Shape, String, When)>,
    errors: Vec<ErrorLine>,
    /// Errors were counted.
    counted: bool,
    tries: Vec<String>,
    /// `None`: there is nobody to ask.
    ask: Option<String>,
}

/// How often one class of errors was met.
#[derive(Debug, Serialize)]
struct ErrorLine {
    what: String,
    count: String,
    last: When,
}

/// What the page of an API says of one environment.
pub(crate) fn here(wording: &Wording<'_>, instance: &InstanceView) -> Result<Here, WordsError> {
    let tracks = instance
        .operations
        .iter()
        .filter(|operation| operation.check.heartbeat().is_none())
        .flat_map(|operation| operation.tracks.iter().map(move |track| (operation, track)));
    let last: Vec<_> = tracks
        .filter(|(_, track)| !track.expired)
        .filter_map(|(operation, track)| Some((&operation.check, track.seen.as_ref()?, track.last?.1)))
        .collect();
    let seen: Vec<_> =
        last.iter().map(|(check, seen, verdict)| (*seen, *verdict, check.credential.is_some())).collect();
    let said = layers(&seen)
        .into_iter()
        .map(|(layer, says, at)| {
            let (verdict, what) = match says {
                LayerSays::Good => (Some(Verdict::Pass), wording.plain("me-layer-good")?),
                LayerSays::Failed(class) => (Some(Verdict::Fail), wording.plain(class_key(class))?),
                LayerSays::NotReached => (None, wording.plain("me-layer-not-reached")?),
            };
            Ok((layer_name(wording, layer)?, wording.verdict(verdict)?, what, wording.times().second(at)))
        })
        .collect::<Result<_, WordsError>>()?;
    let ours: Vec<OurOutcome> =
        last.iter().map(|(check, seen, verdict)| OurOutcome::of(&check.id, seen, *verdict)).collect();
    let likely = domain::is_it_me(None, &ours, instance.shown == Status::Maintenance);
    let caller = match (likely.theirs, likely.we_looked) {
        (Some(Theirs::Fails(class)), _) => {
            wording.say("me-caller-fails", &[("text", wording.plain(class_key(class))?.into())])?
        }
        (Some(Theirs::Planned), _) => wording.plain("me-caller-planned")?,
        (Some(Theirs::Slow), _) => wording.plain("me-caller-slow")?,
        (Some(Theirs::RefusesUsToo), _) | (None, false) => wording.plain("me-caller-unknown")?,
        (Some(Theirs::OnlySome) | None, _) => wording.plain("me-caller-good")?,
    };
    let mut tries = vec![wording.plain(&format!("me-try-{}", likely.theirs.map_or("good", theirs_key)))?];
    if likely.theirs.is_none() && likely.we_looked {
        for yours in [Yours::Credential, Yours::Access, Yours::Network] {
            tries.push(wording.plain(&format!("me-yours-{}", yours.word()))?);
        }
    }
    let errors = instance.past.as_ref().and_then(|past| past.errors.as_deref());
    Ok(Here {
        caller,
        layers: said,
        counted: errors.is_some(),
        errors: errors
            .unwrap_or_default()
            .iter()
            .map(|error| {
                let count = i64::try_from(error.count).unwrap_or(i64::MAX);
                Ok(ErrorLine {
                    what: wording.plain(class_key(error.class))?,
                    count: wording.say("me-times", &[("count", count.into())])?,
                    last: wording.times().second(error.last_at),
                })
            })
            .collect::<Result<_, WordsError>>()?,
        tries,
        ask: (!wording.snapshot.as_files).then(|| {
            let (api, environment) = (&instance.id.api, instance.id.environment);
            format!("{}?api={api}&environment={environment}", wording.href(&Page::IsItMe))
        }),
    })
}

fn layer_name(wording: &Wording<'_>, layer: Layer) -> Result<String, WordsError> {
    wording.plain(match layer {
        Layer::Dns => "layer-name-dns",
        Layer::Connect => "layer-name-connect",
        Layer::Tls => "layer-name-tls",
        Layer::Token => "layer-name-token",
        Layer::Gateway => "layer-name-gateway",
        Layer::Backend => "layer-name-backend",
        Layer::Contract => "layer-name-contract",
        Layer::Ours => "layer-name-ours",
    })
}
