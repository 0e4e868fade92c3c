//! A certificate that is not good: one cause for all that show it (DESIGN §5).

use crate::{
    Ahead, ApiId, Cause, Environment, FailureKind, Health, IncidentId, Language, Layer, Outcome, Text,
    cause::{open, worse},
    children::{hold_back, take_in_children},
    duty,
    fold::Fold,
    remark, showing,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// A certificate that instances of an environment show.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShownCertificate {
    /// The environment of those that show it.
    pub environment: Environment,
    /// Hex SHA-256.
    pub fingerprint: String,
}

impl fmt::Display for ShownCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.fingerprint)
    }
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Ended(Timestamp),
    NotYet,
    Untrusted,
    OtherName,
}

/// A certificate that is not good, and why.
pub(crate) struct Bad {
    shown: ShownCertificate,
    wrong: Wrong,
}

/// The certificate that an instance shows and that is not good, if that is where it fails.
pub(crate) fn bad(fold: &Fold, health: &Health) -> Option<Bad> {
    outcomes(fold, health).find_map(|outcome| bad_in(outcome, health.instance.environment))
}

fn bad_in(outcome: &Outcome, environment: Environment) -> Option<Bad> {
    let ends_first = outcome.certificate.as_ref()?;
    let chain = outcome.transcript.as_ref().map_or(&[][..], |transcript| transcript.chain.as_slice());
    let kinds = [
        (FailureKind::CertificateExpired, Wrong::Ended(ends_first.not_after)),
        (FailureKind::CertificateNotYetValid, Wrong::NotYet),
        (FailureKind::CertificateUntrusted, Wrong::Untrusted),
        (FailureKind::CertificateName, Wrong::OtherName),
    ];
    let seen = outcome.failure.as_ref()?.kind;
    let (_, wrong) = kinds.into_iter().find(|(kind, _)| *kind == seen)?;
    // One above it in the chain may be that of many others, which are good.
    let own = chain.first().filter(|_| !matches!(wrong, Wrong::Ended(_)));
    let fingerprint = own.map_or(&ends_first.fingerprint, |own| &own.fingerprint).clone();
    Some(Bad { shown: ShownCertificate { environment, fingerprint }, wrong })
}

/// Whether an instance fails because of the certificate that is this `cause`. While nothing else has been seen to be wrong
/// with it, as after a start, it does.
pub(crate) fn is_shown_by(fold: &Fold, cause: &Cause, health: &Health) -> bool {
    let Cause::Certificate(certificate) = cause else { return false };
    if health.layer != Some(Layer::Tls) || health.instance.environment != certificate.environment {
        return false;
    }
    match bad(fold, health) {
        Some(bad) => bad.shown == *certificate,
        None => outcomes(fold, health).all(|outcome| outcome.failure.is_none()),
    }
}

/// What was seen last of an instance that fails in the protected connection.
fn outcomes<'a>(fold: &'a Fold, health: &'a Health) -> impl Iterator<Item = &'a Outcome> {
    let tracks =
        fold.after.configuration.tracks_of(&health.instance).filter(|_| health.layer == Some(Layer::Tls));
    tracks.filter_map(|id| fold.after.outcome(&id).map(AsRef::as_ref))
}

/// An instance fails because its certificate is not good: it is held back by the certificate's incident, which opens if
/// there is none. That it ends soon is no news then.
pub(crate) fn showing(fold: &mut Fold, bad: Bad, health: &Health) {
    let diagnosis = words(fold, &bad);
    let ahead = Cause::Ahead(Ahead::Certificate(bad.shown.fingerprint.clone()));
    let cause = Cause::Certificate(bad.shown);
    let known = fold.after.open_incident(&cause).map(|incident| incident.id);
    let id = known.unwrap_or_else(|| open(fold, cause, health, diagnosis));
    let Some(mut incident) = fold.incident(id) else { return };
    if worse(health.status, incident.worst) {
        remark::worsened(&mut incident, health.status, fold.now);
    }
    hold_back(fold, incident, &health.instance);
    name_api(fold, id);
    take_in_children(fold, id, &health.instance);
    let foreseen = fold.after.open_incident(&ahead).map(|incident| (**incident).clone());
    if let Some(foreseen) = foreseen.filter(|_| matches!(bad.wrong, Wrong::Ended(_))) {
        duty::taken_in(fold, foreseen, id, "the certificate has ended");
    }
}

/// The API at fault is that of all who show it, if they are of one.
fn name_api(fold: &mut Fold, id: IncidentId) {
    let Some(mut incident) = fold.incident(id) else { return };
    let apis: BTreeSet<ApiId> = showing::those(fold, &incident).map(|held| held.api.clone()).collect();
    incident.api = apis.first().filter(|_| apis.len() == 1).cloned();
    fold.put_incident(incident);
}

fn words(fold: &Fold, bad: &Bad) -> Text {
    let fingerprint = &bad.shown.fingerprint;
    let (en, cy) = match bad.wrong {
        Wrong::Ended(at) => {
            let local = at.to_zoned(fold.after.configuration.site.time_zone.clone());
            let on = |language: Language| {
                format!("{} {} {}", local.day(), language.month(local.date()), local.year())
            };
            (
                format!("ended on {}", on(Language::En)),
                format!("Daeth y dystysgrif i ben ar {}", on(Language::Cy)),
            )
        }
        Wrong::NotYet => ("is not valid yet".to_owned(), "Nid yw’r dystysgrif yn ddilys eto".to_owned()),
        Wrong::Untrusted => (
            "is signed by nobody that is trusted, or its chain is not complete".to_owned(),
            "Ni lofnodwyd y dystysgrif gan neb yr ymddiriedir ynddo, neu nid yw ei chadwyn yn gyflawn"
                .to_owned(),
        ),
        Wrong::OtherName => {
            ("is for another name".to_owned(), "Mae’r dystysgrif ar gyfer enw arall".to_owned())
        }
    };
    Text::new(
        format!("The certificate {en}: it has to be replaced wherever it is shown (SHA-256 {fingerprint})."),
        format!("{cy}: rhaid ei hadnewid ble bynnag y’i dangosir (SHA-256 {fingerprint})."),
    )
}
