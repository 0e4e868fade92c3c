//! Who rings people up.

use super::{address, reading::Reading, section::Section, tree::Node};
use alerting::Twilio;
use domain::Secret;

/// Twilio's own address.
const TWILIO_URL: &str = "https://api.twilio.com";
/// Length of what follows the two letters of a SID.
const SID: usize = 32;

/// Reads Twilio's account, and by what its callbacks are known.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<(Twilio, Vec<Secret>)> {
    let mut section = Section::open(node, "twilio", reading)?;
    let url = match section.optional("url", reading) {
        None => Some(TWILIO_URL.to_owned()),
        Some(node) => reading.protected_url(node),
    };
    let account = section.required("account", reading).and_then(|node| sid(node, "AC", reading));
    let key = section.required("key", reading).and_then(|node| sid(node, "SK", reading));
    let secret = section.required("secret", reading).and_then(|node| reading.secret(node, |_| Ok(())));
    let token = section.required("auth_token", reading).and_then(|node| reading.secret(node, |_| Ok(())));
    let before = section.optional("auth_token_before", reading);
    let before = before.and_then(|node| reading.secret(node, |_| Ok(())));
    let from = section.required("from", reading).and_then(|node| {
        reading.parsed(node, "a telephone number", |text| {
            address::telephone(text).map(|()| text.to_owned()).map_err(str::to_owned)
        })
    });
    section.close(reading);
    let twilio = Twilio { url: url?, account: account?, key: key?, secret: secret?, from: from? };
    Some((twilio, [token, before].into_iter().flatten().collect()))
}

/// Twilio's names of things: two letters that say what, and 32 hexadecimal digits.
fn sid(node: &Node, kind: &str, reading: &mut Reading<'_>) -> Option<String> {
    reading.parsed(node, "a SID of Twilio's", |text| {
        let digits = text.strip_prefix(kind).unwrap_or_default();
        if digits.len() == SID && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(text.to_owned())
        } else {
            Err(format!("'{text}' is none: {kind} and 32 hexadecimal digits, from Twilio's console"))
        }
    })
}
