//! How the probes of an instance prove who asks: levels 0 to 4 of the RESTful API standard (domain.md §1.4).

use super::{
    address, expect,
    problem::{Place, Rank},
    reading::Reading,
    section::Section,
    tree::Node,
};
use domain::{
    Access, Algorithm, Basic, ClientCertificate, Credential, OAuth2, Proof, Secret, SecretBy, SigningKey,
};
use jiff::Timestamp;
use std::sync::Arc;

/// Longest name, scope, audience and kid, in characters.
const MAX_WORD: usize = 1_024;

/// Headers that no credential may take the place of.
const NOT_A_KEYS: [&str; 6] =
    ["host", "content-length", "transfer-encoding", "connection", "user-agent", "x-request-id"];

/// A credential, and what of it depends on the day.
pub(super) struct AuthDraft {
    pub credential: Credential,
    /// When our own certificate ends, and where it stands; `None` too while secrets are left out.
    pub ends: Option<(Timestamp, Place)>,
}

impl AuthDraft {
    /// Says what is wrong with showing it at an instance's URL.
    pub(super) fn check_way(&self, node: &Node, url: &str, reading: &mut Reading<'_>) {
        if self.credential.access.is_some() && !protected(node, url, reading) {
            return;
        }
        let secured = url.starts_with("https:") || url.starts_with("tls:");
        if self.credential.certificate.is_some() && !secured {
            let message = "'mtls' has no meaning here: a certificate is shown over https and tls alone";
            reading.problems.error(Rank::Sense, &node.place, message, None);
        }
    }
}

/// Reads `auth`; `None`: nobody asks who we are, or it cannot be read.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<AuthDraft> {
    match node.as_word() {
        Some("none") => return None,
        Some(_) => {
            let hint = Some("the other word is 'none': nobody asks who we are".to_owned());
            let message = "auth is one of 'api_key', 'basic', 'oauth2' and 'mtls', with its keys";
            reading.problems.error(Rank::Shape, &node.place, message, hint);
            return None;
        }
        None => {}
    }
    let mut section = Section::open(node, "an instance's auth", reading)?;
    let api_key = section.optional("api_key", reading);
    let basic = section.optional("basic", reading);
    let oauth2 = section.optional("oauth2", reading);
    let mtls = section.optional("mtls", reading);
    let misspelt = section.misspells(&["api_key", "basic", "oauth2", "mtls"]);
    let place = section.place();
    section.close(reading);
    let mut ways = [api_key, basic, oauth2].into_iter().flatten();
    if let (Some(_), Some(second)) = (ways.next(), ways.next()) {
        let message = "one of 'api_key', 'basic' and 'oauth2', not two; only 'mtls' may stand beside one";
        reading.problems.error(Rank::Sense, &second.owner, message, None);
    }
    if [api_key, basic, oauth2, mtls].iter().all(Option::is_none) && !misspelt {
        let hint = Some("write 'auth: none', or leave it out, where nobody asks who we are".to_owned());
        let message = "no way to prove who asks: 'api_key', 'basic', 'oauth2' or 'mtls' is needed";
        reading.problems.error(Rank::Missing, place, message, hint);
    }
    let api_key = api_key.and_then(|node| self::api_key(node, reading));
    let basic = basic.and_then(|node| self::basic(node, "basic", reading)).map(Access::Basic);
    let oauth2 = oauth2.and_then(|node| self::oauth2(node, reading));
    let (certificate, ends) = mtls.and_then(|node| self::mtls(node, reading)).unzip();
    let access = api_key.or(basic).or_else(|| oauth2.map(|oauth2| Access::Token(Arc::new(oauth2))));
    Some(AuthDraft { credential: Credential { access, certificate }, ends: ends.flatten() })
}

fn api_key(node: &Node, reading: &mut Reading<'_>) -> Option<Access> {
    let mut section = Section::open(node, "api_key", reading)?;
    let header = section.required("header", reading).and_then(|node| {
        reading.parsed(node, "the name of a header", |text| {
            if !expect::is_header_name(text) {
                return Err(format!("'{text}' is not the name of a header"));
            }
            if NOT_A_KEYS.contains(&text.to_ascii_lowercase().as_str()) {
                return Err(format!("the header '{text}' is set by the program"));
            }
            Ok(text.to_owned())
        })
    });
    let value = section.required("value", reading).and_then(|node| reading.secret(node, sendable));
    section.close(reading);
    Some(Access::ApiKey { header: header?, value: value? })
}

/// A name and a password.
pub(super) fn basic(node: &Node, what: &'static str, reading: &mut Reading<'_>) -> Option<Basic> {
    let mut section = Section::open(node, what, reading)?;
    let user = section.required("user", reading).and_then(|node| {
        let user = word(node, "a name", reading)?;
        if user.contains(':') {
            reading.wrong(&node.place, "a user's name may not hold ':', which ends it");
        }
        Some(user)
    });
    let password = section.required("password", reading).and_then(|node| reading.secret(node, |_| Ok(())));
    section.close(reading);
    Some(Basic { user: user?, password: password? })
}

fn oauth2(node: &Node, reading: &mut Reading<'_>) -> Option<OAuth2> {
    let mut section = Section::open(node, "an instance's oauth2", reading)?;
    let token_url = section.required("token_url", reading).and_then(|node| token_url(node, reading));
    let client_id =
        section.required("client_id", reading).and_then(|node| word(node, "a client's id", reading));
    let secret = section.optional("client_secret", reading);
    let by_node = section.optional("client_secret_by", reading);
    let private_key_jwt = section.optional("private_key_jwt", reading);
    let jwt_bearer = section.optional("jwt_bearer", reading);
    let scope = section.optional("scope", reading).and_then(|node| word(node, "a scope", reading));
    let audience = section.optional("audience", reading).and_then(|node| word(node, "an audience", reading));
    let keys = ["client_secret", "private_key_jwt", "jwt_bearer"];
    let misspelt = section.misspells(&keys);
    let place = section.place();
    section.close(reading);
    let given: Vec<&Node> = [secret, private_key_jwt, jwt_bearer].into_iter().flatten().collect();
    match given.as_slice() {
        [] if misspelt => {}
        [] => {
            let message = "oauth2 needs one of the keys 'client_secret', 'private_key_jwt', 'jwt_bearer'";
            reading.problems.error(Rank::Missing, place, message, None);
        }
        [_] => {}
        [_, second, ..] => {
            let message = "exactly one of 'client_secret', 'private_key_jwt', 'jwt_bearer', not two";
            reading.problems.error(Rank::Sense, &second.owner, message, None);
        }
    }
    let ways = [("form", SecretBy::Form), ("basic", SecretBy::Basic)];
    let by = by_node.and_then(|node| reading.choice(node, "a way to send a client's secret", &ways));
    if let Some(node) = by_node.filter(|_| secret.is_none() && !given.is_empty()) {
        let message = "'client_secret_by' says how 'client_secret' is sent, and none is here";
        reading.problems.error(Rank::Sense, &node.owner, message, None);
    }
    let by = by.unwrap_or_default();
    let secret = secret.and_then(|node| reading.secret(node, |_| Ok(())));
    let secret = secret.map(|value| Proof::Secret { value, by });
    let private_key_jwt =
        private_key_jwt.and_then(|node| signing_key(node, reading)).map(Proof::PrivateKeyJwt);
    let jwt_bearer = jwt_bearer.and_then(|node| signing_key(node, reading)).map(Proof::JwtBearer);
    let proof = secret.or(private_key_jwt).or(jwt_bearer)?;
    Some(OAuth2 { token_url: token_url?, client_id: client_id?, proof, scope, audience })
}

fn signing_key(node: &Node, reading: &mut Reading<'_>) -> Option<SigningKey> {
    let mut section = Section::open(node, "a signing key", reading)?;
    let kid = section.optional("kid", reading).and_then(|node| word(node, "a key's id", reading));
    let algorithm = section.optional("algorithm", reading).map(|node| {
        reading.choice(node, "an algorithm", &Algorithm::ALL.map(|algorithm| (algorithm.word(), algorithm)))
    });
    // One that cannot be read is said already: no key fits it.
    let known = algorithm.is_none_or(|algorithm| algorithm.is_some());
    let algorithm = algorithm.flatten().unwrap_or_default();
    let key = |pem| SigningKey { pem, kid: kid.clone(), algorithm };
    let pem =
        section.required("key", reading).and_then(|node| {
            reading.secret(node, |pem| {
                if known { prober::check_signing_key(&key(Secret::new(pem))) } else { Ok(()) }
            })
        });
    section.close(reading);
    pem.map(key)
}

/// A certificate of ours; when it ends and where it stands, unless secrets are left out.
pub(super) type Shown = (ClientCertificate, Option<(Timestamp, Place)>);

pub(super) fn mtls(node: &Node, reading: &mut Reading<'_>) -> Option<Shown> {
    let mut section = Section::open(node, "mtls", reading)?;
    let chain_node = section.required("certificate", reading);
    let chain =
        chain_node.and_then(|node| reading.secret(node, |pem| prober::certificate_ends(pem).map(drop)));
    let key_node = section.required("key", reading);
    let key = key_node.and_then(|node| {
        reading.secret(node, |pem| match &chain {
            Some(chain) if !chain.reveal().is_empty() => {
                prober::check_client_certificate(&ClientCertificate {
                    chain: chain.clone(),
                    key: Secret::new(pem),
                    ends: None,
                })
            }
            Some(_) | None => Ok(()),
        })
    });
    section.close(reading);
    let (chain, key) = (chain?, key?);
    let ends = prober::certificate_ends(chain.reveal()).ok();
    let certificate = ClientCertificate { chain, key, ends };
    Some((certificate, ends.zip(chain_node.map(|node| node.place.clone()))))
}

/// Where tokens are had. It is shown in incidents, so it holds nothing that may be a secret.
fn token_url(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let url = reading.parsed(node, "a URL", |text| {
        let url = address::web_url(text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("a token endpoint's URL may hold neither '?' nor '#' here".to_owned());
        }
        if let Some(what) = address::never_dialled(text) {
            return Err(format!("no credential is ever sent to {what}"));
        }
        Ok(text.to_owned())
    })?;
    protected(node, &url, reading).then_some(url)
}

/// Whether what is shown there is protected on its way; says so if not.
fn protected(node: &Node, url: &str, reading: &mut Reading<'_>) -> bool {
    if url.starts_with("http:") && !address::is_loopback(url) {
        let hint = Some("use https://".to_owned());
        let message = "our credential would cross the network unprotected";
        reading.problems.error(Rank::Sense, &node.place, message, hint);
        return false;
    }
    true
}

fn word(node: &Node, what: &str, reading: &mut Reading<'_>) -> Option<String> {
    let text = reading.text(node, what)?;
    if text.len() > MAX_WORD || text.chars().any(char::is_control) {
        reading.wrong(&node.place, format!("{what} is one line of at most {MAX_WORD} characters"));
        return None;
    }
    Some(text.to_owned())
}

/// Whether a header can hold it.
fn sendable(text: &str) -> Result<(), &'static str> {
    let fits = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err("a header holds printable ASCII on one line") }
}
