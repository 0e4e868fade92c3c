//! What Notify tells us about a text it took. Pure: the route is the status page's, the wiring the program's.

use domain::{IncidentId, Receipt, Secret, Sent};
use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;

/// Why a callback's body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not the JSON that Notify documents.
    #[error("not a delivery receipt of GOV.UK Notify: line {line}, column {column}")]
    Shape {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
}

#[derive(Deserialize)]
struct Callback {
    #[serde(default)]
    reference: Option<String>,
    status: String,
}

/// Whether `authorization` (the header, whole) carries one of our callback tokens, compared in constant time.
/// While a token is exchanged for another, both are good.
pub fn is_from_notify(authorization: &str, tokens: &[Secret]) -> bool {
    let Some(offered) = authorization.strip_prefix("Bearer ") else {
        return false;
    };
    tokens.iter().filter(|token| !token.reveal().is_empty()).any(|token| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.reveal().as_bytes());
        let tag = hmac::sign(&key, token.reveal().as_bytes());
        hmac::verify(&key, offered.as_bytes(), tag.as_ref()).is_ok()
    })
}

/// Reads a delivery receipt told at `at`. `None`: about a message that is not ours, or one still on its way;
/// the right answer is 200 all the same.
pub fn receipt(body: &[u8], at: Timestamp) -> Result<Option<Receipt>, ReceiptError> {
    let callback: Callback = serde_json::from_slice(body)
        .map_err(|error| ReceiptError::Shape { line: error.line(), column: error.column() })?;
    let why = |words: &str| Sent::GivenUp { why: format!("GOV.UK Notify: {words} ({})", callback.status) };
    let outcome = match callback.status.as_str() {
        "delivered" | "sent" => Sent::Delivered,
        "permanent-failure" => why("the number does not exist or refuses texts"),
        "temporary-failure" => why("the telephone is off or out of reach"),
        "technical-failure" => why("trouble between Notify and its provider"),
        _ => return Ok(None),
    };
    let ours = callback.reference.as_deref().and_then(|reference| {
        // `C-42-k3f9xq/callout/3/text`
        let (start, _) = reference.split_once('/')?;
        let (incident, _) = start.rsplit_once('-')?;
        Some((reference.to_owned(), IncidentId::parse(incident)?))
    });
    Ok(ours.map(|(notification, incident)| Receipt { notification, incident, at, outcome }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reference: &str, status: &str) -> Option<Receipt> {
        let body = serde_json::json!({
            "id": "740e5834-3a29-46b4-9a6f-16142fde533a", "reference": reference, "to": "07700900003",
            "status": status, "created_at": "2026-11-21T03:14:00.000000Z", "completed_at": null, "sent_at": null,
            "notification_type": "sms", "template_id": "f33517ff-2a88-4f6e-b855-c550268ce08a", "template_version": 1,
        });
        receipt(body.to_string().as_bytes(), "2026-11-21T03:15:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_receipt_names_the_notification_its_incident_and_what_became_of_it() {
        let receipt = read("C-42-k3f9xq/callout/3/text", "delivered").unwrap();
        assert_eq!(receipt.notification, "C-42-k3f9xq/callout/3/text");
        assert_eq!(receipt.incident, IncidentId(42));
        assert_eq!(receipt.outcome, Sent::Delivered);
        for status in ["permanent-failure", "temporary-failure", "technical-failure"] {
            let receipt = read("C-42-k3f9xq/callout/3/text", status).unwrap();
            assert!(matches!(receipt.outcome, Sent::GivenUp { .. }), "{status}");
        }
    }

    #[test]
    fn what_is_not_ours_or_not_over_is_no_receipt() {
        assert_eq!(read("somebody-elses", "delivered"), None);
        assert_eq!(read("C-42-k3f9xq/callout/3/text", "sending"), None);
        assert!(receipt(b"{}", Timestamp::UNIX_EPOCH).is_err());
    }

    #[test]
    fn only_a_bearer_of_one_of_our_tokens_is_believed() {
        let tokens = [Secret::new("old-token"), Secret::new("new-token"), Secret::new("")];
        assert!(is_from_notify("Bearer old-token", &tokens));
        assert!(is_from_notify("Bearer new-token", &tokens));
        for wrong in ["Bearer new-toke", "Bearer new-token2", "new-token", "Bearer ", "bearer new-token", ""]
        {
            assert!(!is_from_notify(wrong, &tokens), "{wrong}");
        }
    }
}
