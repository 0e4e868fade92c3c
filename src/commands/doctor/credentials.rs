//! What probes prove with who asks: whether there is a token for it, and how long our own certificates are good.

use super::{
    Asked, Group, Question,
    place::{days, plural},
};
use crate::config::duration_text;
use alerting::{Examined, Finding};
use domain::{Check, Credential, Failure, FailureKind};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// An own certificate that ends sooner is to be renewed now.
const CERTIFICATE_DAYS: i64 = 14;
/// Token endpoints that are asked: more are not of more use, and no doctor asks a nation for tokens.
const MOST: usize = 100;

/// One token from each endpoint for each client.
pub(super) fn questions(asked: &Arc<Asked>) -> Vec<Question> {
    let mut known = HashSet::new();
    let checks = with_credential(asked);
    let clients = checks.filter(|(_, credential)| {
        let certificate = credential.certificate.clone();
        credential.oauth2().is_some_and(|oauth2| known.insert((Arc::clone(oauth2), certificate)))
    });
    clients
        .take(MOST)
        .filter_map(|(check, credential)| {
            let oauth2 = credential.oauth2()?;
            let about = format!("tokens for {} ({})", oauth2.client_id, check.id.instance);
            let (asking, credential, what) = (Arc::clone(asked), Arc::clone(credential), about.clone());
            Some(Question::new(Group::Credentials, about, async move {
                let had = asking.prober.sign_in(&credential).await;
                Examined { findings: vec![token(what, &credential, had)], ..Examined::default() }
            }))
        })
        .collect()
}

/// How long each of our own certificates is good.
pub(super) fn certificates(asked: &Asked) -> Vec<(Group, Finding)> {
    let now = asked.clock.now();
    let mut known = HashSet::new();
    let probes = with_credential(asked).filter_map(|(check, credential)| {
        Some((
            check.id.instance.to_string(),
            "check `mtls` in the API's file",
            credential.certificate.as_ref()?,
        ))
    });
    let desks = asked.loaded.configuration.desks.iter().filter_map(|(id, desk)| {
        Some((format!("service desk {id}"), "check `mtls` in curiad.yaml", desk.certificate.as_ref()?))
    });
    let shown = probes.chain(desks).filter_map(|(whose, where_it_is, certificate)| {
        let chain = certificate.chain.clone();
        known.insert(chain.clone()).then_some((whose, where_it_is, chain))
    });
    let findings = shown.map(|(whose, where_it_is, chain)| {
        let what = format!("own certificate ({whose})");
        match prober::certificate_ends(chain.reveal()) {
            Err(why) => Finding::problem(what, why, where_it_is),
            Ok(ends) if ends <= now => Finding::problem(
                what,
                format!("it ended on {}", ends.strftime("%-d %b %Y")),
                "renew it: until then nothing can be told of what asks for it",
            ),
            Ok(ends) => {
                let left = days(ends, now);
                let detail = format!("ends in {}", plural(usize::try_from(left).unwrap_or(0), "day"));
                if left < CERTIFICATE_DAYS {
                    Finding::warning(what, detail, "renew it; the file is read again when it changes")
                } else {
                    Finding::ok(what, detail)
                }
            }
        }
    });
    findings.map(|finding| (Group::Credentials, finding)).collect()
}

fn with_credential(asked: &Asked) -> impl Iterator<Item = (&Arc<Check>, &Arc<Credential>)> {
    let checks = asked.loaded.configuration.checks.values();
    checks.filter_map(|check| Some((check, check.credential.as_ref()?)))
}

fn token(what: String, credential: &Credential, had: Result<Option<Duration>, Failure>) -> Finding {
    let url = credential.token_url().unwrap_or_default();
    match had {
        Ok(lasts) => {
            let lasts = lasts.map(|lasts| Duration::from_secs(lasts.as_secs())).unwrap_or_default();
            Finding::ok(what, format!("{url} gives one, good for {}", duration_text(lasts)))
        }
        Err(failure) => Finding::problem(what, failure.message, mend(failure.kind)),
    }
}

fn mend(kind: FailureKind) -> &'static str {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else is in the way is told in its own words"
    )]
    match kind {
        FailureKind::CredentialRefused => {
            "check client_id, secret or key, kid and algorithm with those who run the endpoint; until then nothing can \
             be told of what needs its tokens"
        }
        FailureKind::ClientCertificate => "check `mtls` with those who run the endpoint",
        FailureKind::RateLimited => "ask those who run the endpoint how often we may ask",
        FailureKind::TokenUnreachable => "check `token_url`, the network between, and the endpoint itself",
        FailureKind::TokenBroken => "check `token_url`, then tell those who run the endpoint",
        _ => "look at this machine first",
    }
}
