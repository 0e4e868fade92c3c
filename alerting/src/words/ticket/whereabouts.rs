//! Where the fault is and where it is not.

use super::is_ahead;
use crate::words::facts::Facts;
use domain::{Cause, InstanceId, Language, Layer};

pub(super) fn place(facts: &Facts<'_>, language: Language) -> String {
    let incident = facts.incident;
    let mut lines = Vec::new();
    let diagnosis = facts.diagnosis(language);
    // Of what is to come it is said above.
    if !diagnosis.is_empty() && !is_ahead(facts) {
        lines.push(diagnosis);
    }
    if let Some(layer) = incident.layer.filter(|_| !incident.is_of_a_job()) {
        let (at, (layer, not)) = match language {
            Language::En => ("Fails at", words_en(layer)),
            Language::Cy => ("Mae'n methu yn", words_cy(layer)),
        };
        lines.push(format!("{at}: {layer}. {not}").trim_end().to_owned());
    }
    let (affected, of_storm, because, depends) = match language {
        Language::En => (
            "Affected",
            "Still failing, without tickets of their own",
            "Fail because of it, without tickets of their own",
            ("Depends on", "not found to be the cause"),
        ),
        Language::Cy => (
            "Effeithir ar",
            "Yn dal i fethu, heb eu tocynnau eu hunain",
            "Yn methu o'i herwydd, heb eu tocynnau eu hunain",
            ("Yn dibynnu ar", "ni chanfuwyd mai dyna'r achos"),
        ),
    };
    if !incident.affects.is_empty() {
        lines.push(format!("{affected}: {}", facts.names(&incident.affects, language)));
    }
    if !incident.held_back.is_empty() {
        let label = if matches!(incident.cause, Cause::Storm(_)) { of_storm } else { because };
        lines.push(format!("{label}: {}", facts.names(&incident.held_back, language)));
    }
    let others: Vec<_> = facts
        .api()
        .into_iter()
        .flat_map(|api| &api.depends_on)
        .map(|api| InstanceId { api: api.clone(), environment: incident.environment })
        .filter(|instance| !incident.affects.contains(instance))
        .collect();
    if !others.is_empty() && !is_ahead(facts) {
        lines.push(format!("{} {}: {}", depends.0, facts.names(&others, language), depends.1));
    }
    lines.join("\n")
}

/// A layer in words an agent can pass on, and what it is not: a probe that fails at a layer has passed those before it.
const fn words_en(layer: Layer) -> (&'static str, &'static str) {
    match layer {
        Layer::Dns => ("its name (DNS)", ""),
        Layer::Connect => ("the connection", "Not the name: that resolves."),
        Layer::Tls => (
            "the protected connection or its certificate (TLS)",
            "Not the name or the network: a connection is made.",
        ),
        Layer::Token => ("sign-in (the token endpoint)", "Not the network: the token endpoint is reached."),
        Layer::Gateway => ("the API gateway", "Not the name, the network or the certificate."),
        Layer::Backend => (
            "the service behind the API gateway",
            "Not the name, the network, the certificate or the gateway.",
        ),
        Layer::Contract => {
            ("the answer, which is not what was agreed", "Not the network or the gateway: it answers.")
        }
        Layer::Ours => ("Curiad's own side", ""),
    }
}

/// The same in Welsh.
const fn words_cy(layer: Layer) -> (&'static str, &'static str) {
    match layer {
        Layer::Dns => ("ei enw (DNS)", ""),
        Layer::Connect => ("y cysylltiad", "Nid yr enw: gellir dod o hyd i hwnnw."),
        Layer::Tls => {
            ("y cysylltiad diogel neu ei dystysgrif (TLS)", "Nid yr enw na'r rhwydwaith: gwneir cysylltiad.")
        }
        Layer::Token => (
            "y mewngofnodi (lle ceir tocynnau mynediad)",
            "Nid y rhwydwaith: cyrhaeddir y man lle ceir tocynnau mynediad.",
        ),
        Layer::Gateway => ("porth yr API", "Nid yr enw, y rhwydwaith na'r dystysgrif."),
        Layer::Backend => {
            ("y gwasanaeth y tu ôl i borth yr API", "Nid yr enw, y rhwydwaith, y dystysgrif na'r porth.")
        }
        Layer::Contract => ("yr ateb, nad yw fel y cytunwyd", "Nid y rhwydwaith na'r porth: mae'n ateb."),
        Layer::Ours => ("ochr Curiad ei hun", ""),
    }
}
