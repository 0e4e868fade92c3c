//! What several checks together say about where the fault is.

use crate::{Evidence, Incident, InstanceId, Layer, MAX_EVIDENCE, RequestId, Situation, Status, Text, Track};
use jiff::Timestamp;

/// Where an instance's trouble is, in a sentence.
///
/// `_ping` is answered by the gateway itself, `_status` by what is behind it (domain.md §2.2): one that is well
/// beside one that fails says where to look.
pub(crate) fn diagnose(
    situation: &Situation,
    instance: &InstanceId,
    status: Status,
    layer: Option<Layer>,
) -> Text {
    if status == Status::Unknown {
        return Text::new(
            "We cannot tell whether it works: no check comes back with an answer we can judge.",
            "Ni allwn ddweud a yw’n gweithio: nid oes yr un gwiriad yn dod yn ôl ag ateb y gallwn ei farnu.",
        );
    }
    let mut failing = tracks(situation, instance).filter(|track| track.status.is_down()).peekable();
    if failing.peek().is_some() && failing.all(|track| track.id.vantage.is_inbound()) {
        return of_a_job();
    }
    let answers = tracks(situation, instance).any(|track| track.status == Status::Operational);
    match layer {
        Some(Layer::Dns) => Text::new("Its name cannot be found.", "Ni ellir dod o hyd i’w enw."),
        Some(Layer::Connect) if answers => {
            Text::new("Some connections to it cannot be made.", "Ni ellir gwneud rhai cysylltiadau ag ef.")
        }
        Some(Layer::Connect) => Text::new("No connection can be made to it.", "Ni ellir cysylltu ag ef."),
        Some(Layer::Tls) => {
            Text::new("The secure connection to it fails.", "Mae’r cysylltiad diogel ag ef yn methu.")
        }
        Some(Layer::Token) => {
            Text::new("The token endpoint does not work.", "Nid yw’r gwasanaeth tocynnau yn gweithio.")
        }
        Some(Layer::Gateway) => Text::new(
            "The gateway answers with errors of its own.",
            "Mae porth yr API yn ateb gyda’i wallau ei hun.",
        ),
        Some(Layer::Backend) if answers => Text::new(
            "The gateway answers; the service behind it does not work.",
            "Mae porth yr API yn ateb; nid yw’r gwasanaeth y tu ôl iddo yn gweithio.",
        ),
        Some(Layer::Backend) => Text::new(
            "The service answers with errors, or says that it is down.",
            "Mae’r gwasanaeth yn ateb gyda gwallau, neu’n dweud nad yw’n gweithio.",
        ),
        Some(Layer::Contract) => {
            Text::new("It answers, but not as agreed.", "Mae’n ateb, ond nid fel y cytunwyd.")
        }
        Some(Layer::Ours) | None => Text::new("It answers, but slowly.", "Mae’n ateb, ond yn araf."),
    }
}

fn of_a_job() -> Text {
    Text::new(
        "A scheduled job of it has not been heard in time, or says that it failed.",
        "Ni chlywyd gan un o’i dasgau cyfnodol mewn pryd, neu mae’n dweud iddi fethu.",
    )
}

impl Incident {
    /// Whether only jobs are its trouble: of what probes pass on their way it says nothing.
    pub fn is_of_a_job(&self) -> bool {
        self.diagnosis == of_a_job()
    }
}

/// What began to run shortly before its trouble, which `began` then; and what the checks of an instance last said:
/// failing ones first.
pub(crate) fn evidence(
    situation: &Situation,
    instance: &InstanceId,
    began: Timestamp,
    now: Timestamp,
) -> Vec<Evidence> {
    let line = |track: &Track| {
        let latest = situation.latest.get(&track.id);
        let outcome = latest.and_then(|latest| latest.outcome.as_ref());
        let said = track.message.clone().unwrap_or_else(|| match track.status {
            Status::Operational => "works".to_owned(),
            Status::Degraded => "works, but slowly".to_owned(),
            Status::Unknown => "not known".to_owned(),
            Status::PartialOutage | Status::MajorOutage | Status::Maintenance => {
                track.status.plain().to_owned()
            }
        });
        let works = track.message.is_none() && track.status == Status::Operational;
        let answered = outcome
            .and_then(|outcome| outcome.http.as_ref())
            .filter(|_| !works)
            .map_or_else(String::new, |http| format!(", HTTP {}", http.status));
        let heard = track.id.vantage.is_inbound();
        let sent = outcome.filter(|_| !heard).and_then(|outcome| outcome.request_id.as_deref());
        Evidence {
            at: latest.map_or(now, |latest| latest.at),
            text: if heard {
                format!("{}: {said}", track.id.check.operation)
            } else {
                format!("{} from {}: {said}{answered}", track.id.check.operation, track.id.vantage)
            },
            request: sent.and_then(RequestId::parse),
        }
    };
    let mut all: Vec<&Track> = tracks(situation, instance).collect();
    all.sort_by_key(|track| (!track.status.is_trouble(), track.id.clone()));
    let release = situation.releases.get(instance).and_then(|release| release.beside(began));
    release.map(Evidence::from).into_iter().chain(all.into_iter().map(line)).take(MAX_EVIDENCE).collect()
}

fn tracks<'a>(situation: &'a Situation, instance: &'a InstanceId) -> impl Iterator<Item = &'a Track> {
    situation.configuration.tracks_of(instance).filter_map(|id| situation.tracks.get(&id).map(AsRef::as_ref))
}
