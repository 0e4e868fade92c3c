//! Names by which headers and queries carry credentials. A value under such a name is a secret: it does not belong in a
//! file, and is not shown.

/// Words that name a credential where they stand last: `Ocp-Apim-Subscription-Key`, `X-Auth-Token`, `client_secret`.
const LAST: [&str; 17] = [
    "apikey",
    "auth",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "key",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "session",
    "sig",
    "signature",
    "token",
];

/// The same, where the words before them are not told apart: `accesstoken`.
const ENDINGS: [&str; 5] = ["apikey", "accesskey", "subscriptionkey", "token", "secret"];

/// In front of such a word: what makes a request safe to repeat (`Idempotency-Key`), where a page begins
/// (`pageToken`), where something is kept.
const HARMLESS: [&str; 7] = ["cache", "continuation", "idempotency", "next", "page", "partition", "sync"];

/// What is filled in anew for each request is no secret.
const FRESH: &str = "{uuid}";

/// Whether a value under this name is a credential.
pub(super) fn is_one(name: &str, value: &str) -> bool {
    let words = words(name);
    let mut words: &[String] = &words;
    // `session_id`, but not `key_id`, which says which one.
    if let [before @ .., session, id] = words
        && (session.as_str(), id.as_str()) == ("session", "id")
    {
        words = words.get(..=before.len()).unwrap_or_default();
    }
    let Some((last, before)) = words.split_last() else { return false };
    let named = LAST.contains(&last.as_str())
        || last == "sessionid"
        || ENDINGS.iter().any(|ending| last.ends_with(ending));
    let harmless = before.last().is_some_and(|word| HARMLESS.contains(&word.as_str()));
    named && !harmless && value != FRESH
}

/// The first credential in the query of a path.
pub(super) fn in_query(path: &str) -> Option<&str> {
    let (_, query) = path.split_once('?')?;
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find(|(name, value)| is_one(name, value)).map(|(name, _)| name)
}

/// `X-Auth-Token`, `x_auth_token` and `xAuthToken` have the same words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase());
        if begins {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_known_by_its_name() {
        for name in [
            "Ocp-Apim-Subscription-Key",
            "api-key",
            "X-API-KEY",
            "apikey",
            "X-Auth-Token",
            "X-Access-Token",
            "accessToken",
            "accesstoken",
            "x-functions-key",
            "Client-Secret",
            "client_secret",
            "Session-Id",
            "sessionId",
            "password",
            "Authorization",
        ] {
            assert!(is_one(name, "hunter2"), "{name}");
            assert!(!is_one(name, FRESH), "{name}");
        }
    }

    #[test]
    fn what_is_sent_openly_is_none() {
        for name in [
            "Idempotency-Key",
            "pageToken",
            "_pagetoken_count",
            "X-Request-ID",
            "X-Correlation-ID",
            "NHSD-Session-URID",
            "Key-Id",
            "Accept",
            "Content-Type",
            "Prefer",
            "monkey",
            "_count",
            "family",
            "",
        ] {
            assert!(!is_one(name, "hunter2"), "{name}");
        }
    }

    #[test]
    fn a_query_is_looked_through() {
        assert_eq!(in_query("/_ping?a=1&token=hunter2"), Some("token"));
        assert_eq!(in_query("/_ping?token"), Some("token"));
        assert_eq!(in_query("/_ping?token={uuid}&_count=1"), None);
        assert_eq!(in_query("/token/password"), None);
    }
}
