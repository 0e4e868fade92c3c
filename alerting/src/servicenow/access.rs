//! How we prove to a desk who we are; an OAuth token is kept until shortly before it ends.

use crate::{Auth, SendError, answer::Answer};
use domain::Secret;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A token is fetched anew so long before it ends.
const MARGIN: Duration = Duration::from_secs(60);
/// A token is taken to live no longer than this, whatever its issuer says.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(super) struct Access {
    auth: Auth,
    token: Mutex<Option<Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    value: Secret,
    until: Instant,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: u64,
}

impl Access {
    pub(super) const fn new(auth: Auth) -> Self {
        Self { auth, token: Mutex::new(None) }
    }

    /// Adds the proof to a request. The lock is never held while a token is fetched: at worst two are.
    pub(super) async fn prove(
        &self,
        request: RequestBuilder,
        client: &Client,
        token_url: &str,
        patience: Duration,
    ) -> Result<RequestBuilder, SendError> {
        match &self.auth {
            Auth::Certificate => Ok(request),
            Auth::Basic { user, password } => Ok(request.basic_auth(user, Some(password.reveal()))),
            Auth::OAuth2 { client_id, client_secret } => {
                let known = self.kept().filter(|token| Instant::now() < token.until);
                let token = if let Some(token) = known {
                    token
                } else {
                    let form = [
                        ("grant_type", "client_credentials"),
                        ("client_id", client_id),
                        ("client_secret", client_secret.reveal()),
                    ];
                    let ask = client.post(token_url).form(&form).timeout(patience);
                    self.keep(fetch(ask).await?)
                };
                Ok(request.bearer_auth(token.value.reveal()))
            }
        }
    }

    /// Forgets the token, if there was one: then another try may succeed.
    pub(super) fn forget(&self) -> bool {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    fn kept(&self) -> Option<Token> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, token: Token) -> Token {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        token
    }
}

async fn fetch(ask: RequestBuilder) -> Result<Token, SendError> {
    const WHOM: &str = "the service desk's token endpoint";
    let answer = Answer::to(ask, WHOM).await?;
    if !answer.status.is_success() {
        return Err(super::refused(&answer, WHOM, "check the OAuth client's id and secret"));
    }
    let issued: Issued = answer.json(WHOM)?;
    let lasts = Duration::from_secs(issued.expires_in).min(LONGEST);
    // A token that lives shorter than twice the margin is still used for half its life.
    let until = Instant::now() + lasts.saturating_sub(MARGIN).max(lasts / 2);
    Ok(Token { value: Secret::new(issued.access_token), until })
}
