//! Credentials made ready: what goes into a header at once, what is shown in a handshake, and where tokens come from.

mod certificate;
mod endpoint;
mod fetch;
mod jwt;
mod lookup;
mod tokens;

pub use certificate::{certificate_ends, check_client_certificate};
pub use jwt::check_signing_key;

pub(crate) use certificate::OwnCertificate;
pub(crate) use endpoint::Endpoints;
#[cfg(test)]
pub(crate) use fetch::issued;
pub(crate) use tokens::{Bearer, Fetching, Tokens};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Access, Basic, ClientCertificate, Credential, OAuth2};
use hyper::header::{self, HeaderName, HeaderValue};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A credential made ready.
#[derive(Clone, Default)]
pub(crate) struct Ready {
    /// What every request carries as it is.
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
    /// Where the tokens come from that every request carries.
    pub(crate) tokens: Option<Arc<Tokens>>,
    /// What is shown in handshakes.
    pub(crate) certificate: Option<Arc<OwnCertificate>>,
}

/// By what tokens are shared: who asks, and what the connection to the endpoint shows.
type Key = (Arc<OAuth2>, Option<ClientCertificate>);

/// All tokens there are, so that checks with the same credential share one. What no check needs any more is forgotten once
/// its token has ended.
#[derive(Default)]
pub(crate) struct Credentials {
    tokens: Mutex<HashMap<Key, Arc<Tokens>>>,
    /// Where they are fetched.
    pub(crate) endpoints: Endpoints,
}

impl Credentials {
    /// Makes a credential ready; the error says why it cannot be used, without its secrets.
    pub(crate) fn ready(&self, credential: &Credential) -> Result<Ready, String> {
        let certificate = credential
            .certificate
            .as_ref()
            .map(|certificate| OwnCertificate::new(certificate).map(Arc::new))
            .transpose()
            .map_err(|why| format!("our client certificate cannot be used: {why}"))?;
        let mut ready = Ready { certificate: certificate.clone(), ..Ready::default() };
        match &credential.access {
            None => {}
            Some(Access::ApiKey { header, value }) => {
                let name = HeaderName::try_from(header.as_str())
                    .map_err(|_| format!("'{header}' is not the name of a header"))?;
                ready.header = Some((name, secret_value(value.reveal())?));
            }
            Some(Access::Basic(pair)) => {
                ready.header = Some((header::AUTHORIZATION, secret_value(&basic(pair))?));
            }
            Some(Access::Token(oauth2)) => {
                ready.tokens = Some(self.tokens(oauth2, credential.certificate.as_ref(), certificate)?);
            }
        }
        Ok(ready)
    }

    fn tokens(
        &self,
        oauth2: &Arc<OAuth2>,
        shown: Option<&ClientCertificate>,
        certificate: Option<Arc<OwnCertificate>>,
    ) -> Result<Arc<Tokens>, String> {
        let key = (Arc::clone(oauth2), shown.cloned());
        let mut all = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&key) {
            return Ok(Arc::clone(known));
        }
        let tokens = Arc::new(Tokens::new(oauth2, certificate, self.endpoints.at(&oauth2.token_url))?);
        all.retain(|_, tokens| Arc::strong_count(tokens) > 1 || tokens.lasts().is_some());
        all.insert(key, Arc::clone(&tokens));
        Ok(tokens)
    }
}

/// A header's value that nothing prints.
fn secret_value(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| "its credential cannot be sent as a header; is there a line break in it?".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// How a name and a password are sent (RFC 7617 §2).
pub(crate) fn basic(pair: &Basic) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", pair.user, pair.password.reveal())))
}
