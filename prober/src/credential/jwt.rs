//! Assertions of who a client is: signed JWTs (RFC 7523 §3, RFC 7515).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Algorithm, SigningKey};
use jiff::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, RsaEncoding, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Map, Value, json};
use std::fmt;
use uuid::Uuid;

/// An assertion is good for so long, in seconds: NHS platforms accept no more than five minutes.
const LIFE: i64 = 300;

const NO_KEY: &str = "there is no PEM private key in it: PKCS#8, or PKCS#1 for RSA, without a passphrase";
const RSA: &str = "this is no RSA key of 2048 to 4096 bits, which RS256, RS384 and RS512 sign with";
const CURVE: &str = "this is no EC key of the algorithm's curve: P-256 for ES256, P-384 for ES384";
const SEC1: &str =
    "an EC key must be PKCS#8 ('BEGIN PRIVATE KEY'): openssl pkcs8 -topk8 -nocrypt makes it so";

/// Whether assertions can be signed with this key; an error says why not, without quoting it.
pub fn check_signing_key(key: &SigningKey) -> Result<(), &'static str> {
    Signer::new(key).map(drop)
}

/// Signs assertions.
pub(crate) struct Signer {
    key: Key,
    algorithm: Algorithm,
    kid: Option<String>,
    random: SystemRandom,
}

enum Key {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ec(Box<EcdsaKeyPair>),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// What an assertion says of whom.
pub(crate) struct Claims<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) audience: &'a str,
}

impl Signer {
    pub(crate) fn new(key: &SigningKey) -> Result<Self, &'static str> {
        let random = SystemRandom::new();
        let der = PrivateKeyDer::from_pem_slice(key.pem.reveal().as_bytes()).map_err(|_| NO_KEY)?;
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let pair = if let PrivateKeyDer::Pkcs1(der) = &der {
                RsaKeyPair::from_der(der.secret_pkcs1_der())
            } else {
                RsaKeyPair::from_pkcs8(der.secret_der())
            };
            pair.map(|pair| Key::Rsa(Box::new(pair), encoding)).map_err(|_| RSA)
        };
        let ec = |curve| {
            if matches!(&der, PrivateKeyDer::Sec1(_)) {
                return Err(SEC1);
            }
            let pair = EcdsaKeyPair::from_pkcs8(curve, der.secret_der(), &random);
            pair.map(|pair| Key::Ec(Box::new(pair))).map_err(|_| CURVE)
        };
        let pair = match key.algorithm {
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        }?;
        Ok(Self { key: pair, algorithm: key.algorithm, kid: key.kid.clone(), random })
    }

    /// An assertion made now; `None`: this host has no random numbers.
    pub(crate) fn sign(&self, claims: &Claims<'_>, now: Timestamp) -> Option<String> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.algorithm.word().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Some(kid) = &self.kid {
            header.insert("kid".to_owned(), kid.as_str().into());
        }
        let seconds = now.as_second();
        let claims = json!({
            "iss": claims.client_id,
            "sub": claims.client_id,
            "aud": claims.audience,
            "jti": Uuid::new_v4().to_string(),
            "iat": seconds,
            "exp": seconds + LIFE,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&Value::Object(header)), part(&claims));
        let signature = match &self.key {
            Key::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &self.random, signed.as_bytes(), &mut signature).ok()?;
                signature
            }
            Key::Ec(pair) => pair.sign(&self.random, signed.as_bytes()).ok()?.as_ref().to_vec(),
        };
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
