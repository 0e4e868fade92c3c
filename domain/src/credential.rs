//! How a probe proves who asks: levels 0 to 4 of the RESTful API standard (domain.md §1.4), as values.

use crate::Secret;
use std::sync::Arc;

/// What the probes of an instance prove with who asks. Nobody reads the secrets in it but the prober.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Credential {
    /// What each request carries; `None`: nothing.
    pub access: Option<Access>,
    /// What each connection shows where it is asked to, that to the token endpoint too.
    pub certificate: Option<ClientCertificate>,
}

/// What each request carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Access {
    /// A key of its own in a header (level 1).
    ApiKey {
        /// The header's name.
        header: String,
        /// The key.
        value: Secret,
    },
    /// A name and a password (level 2).
    Basic(Basic),
    /// A token that is fetched first (levels 3 and 4).
    Token(Arc<OAuth2>),
}

/// A name and a password (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Basic {
    /// The name: without `:`, which ends it.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// By what a token is had. Checks with an equal one share their tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OAuth2 {
    /// Where: without user, password, query and fragment, so that it may be shown.
    pub token_url: String,
    /// Who asks.
    pub client_id: String,
    /// What proves it.
    pub proof: Proof,
    /// For what; as it is sent.
    pub scope: Option<String>,
    /// Whom an assertion is made out to; `None`: the token endpoint.
    pub audience: Option<String>,
}

/// What proves to a token endpoint who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Proof {
    /// `client_credentials` with a secret (RFC 6749 §4.4).
    Secret {
        /// The secret.
        value: Secret,
        /// How it is sent.
        by: SecretBy,
    },
    /// `client_credentials` with a signed assertion of who the client is (RFC 7523 §2.2).
    PrivateKeyJwt(SigningKey),
    /// `jwt-bearer`: the signed assertion is itself the grant (RFC 7523 §2.1).
    JwtBearer(SigningKey),
}

/// How a client's secret is sent to a token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SecretBy {
    /// In the form, beside what is asked for: what endpoints may take.
    #[default]
    Form,
    /// As the password of HTTP Basic: what endpoints must take.
    Basic,
}

/// What assertions are signed with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SigningKey {
    /// The private key, PEM: PKCS#8, or PKCS#1 for RSA.
    pub pem: Secret,
    /// By which the other side knows the public key.
    pub kid: Option<String>,
    /// How it signs.
    pub algorithm: Algorithm,
}

/// Signatures of assertions (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSA PKCS#1 with SHA-256.
    Rs256,
    /// RSA PKCS#1 with SHA-384.
    Rs384,
    /// RSA PKCS#1 with SHA-512: what NHS platforms ask for.
    #[default]
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl Algorithm {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384];

    /// Its registered name, which is also the word in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }
}

/// What TLS connections show when the other side asks for a certificate of ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCertificate {
    /// The chain, ours first, PEM. It is no secret, but may stand where secrets do.
    pub chain: Secret,
    /// Its private key, PEM.
    pub key: Secret,
    /// When the first certificate of the chain ends; `None`: not known.
    pub ends: Option<jiff::Timestamp>,
}

impl Credential {
    /// Where its tokens come from, if it needs any.
    pub fn token_url(&self) -> Option<&str> {
        self.oauth2().map(|oauth2| oauth2.token_url.as_str())
    }

    /// By what its tokens are had, if it needs any.
    pub fn oauth2(&self) -> Option<&Arc<OAuth2>> {
        match &self.access {
            Some(Access::Token(oauth2)) => Some(oauth2),
            Some(Access::ApiKey { .. } | Access::Basic(_)) | None => None,
        }
    }

    /// Who asks, in words that hold no secret: a key or a password that was renewed leaves them as they were.
    pub fn identity(&self) -> Vec<&str> {
        let mut words = match &self.access {
            None => Vec::new(),
            Some(Access::ApiKey { header, .. }) => vec!["api_key", header],
            Some(Access::Basic(Basic { user, .. })) => vec!["basic", user],
            Some(Access::Token(oauth2)) => {
                let OAuth2 { token_url, client_id, proof, scope, audience } = &**oauth2;
                let proof = match proof {
                    Proof::Secret { .. } => "client_secret",
                    Proof::PrivateKeyJwt(_) => "private_key_jwt",
                    Proof::JwtBearer(_) => "jwt_bearer",
                };
                vec![
                    proof,
                    token_url,
                    client_id,
                    scope.as_deref().unwrap_or_default(),
                    audience.as_deref().unwrap_or_default(),
                ]
            }
        };
        words.extend(self.certificate.as_ref().map(|_| "mtls"));
        words
    }
}
