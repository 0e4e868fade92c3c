//! SOAP 1.1 and 1.2: envelopes, and the faults in them.

use crate::{dialect::Complaint, scrub::scrubbed, xml::Xml};
use domain::{FailureKind, Layer};

/// The envelope's namespace in SOAP 1.1.
pub const ENVELOPE_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The envelope's namespace in SOAP 1.2.
pub const ENVELOPE_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// Whether `text` is an envelope with a body in this `namespace`, and if not, why.
pub fn check_envelope(text: &str, namespace: &str) -> Result<(), String> {
    let xml = Xml::parse(text).map_err(|why| format!("it cannot be read: {why}"))?;
    match xml.root() {
        Some((found, "Envelope")) if found == namespace => match xml.find(&[(namespace, "Body")]) {
            Some(_) => Ok(()),
            None => Err("it has no Body".to_owned()),
        },
        Some((ENVELOPE_11, "Envelope")) => Err("it is one of SOAP 1.1".to_owned()),
        Some((ENVELOPE_12, "Envelope")) => Err("it is one of SOAP 1.2".to_owned()),
        _ => Err("its outermost element is not an Envelope".to_owned()),
    }
}

/// What is wrong with an answer, by its own words: a fault, or that it is no envelope.
pub(crate) fn complaint(xml: &Result<Xml<'_>, String>) -> Option<Complaint> {
    let no_envelope = |why: &str| Complaint {
        layer: Layer::Contract,
        kind: FailureKind::BadBody,
        words: format!("the answer is no SOAP envelope: {why}"),
        decides: false,
    };
    let xml = match xml {
        Ok(xml) => xml,
        Err(why) => return Some(no_envelope(why)),
    };
    match xml.root() {
        Some((ENVELOPE_11, "Envelope")) => fault_11(xml),
        Some((ENVELOPE_12, "Envelope")) => fault_12(xml),
        _ => Some(no_envelope("its outermost element is another")),
    }
}

fn fault_11(xml: &Xml<'_>) -> Option<Complaint> {
    let fault = xml.find(&[(ENVELOPE_11, "Body"), (ENVELOPE_11, "Fault")])?;
    let code = xml.child(fault, "faultcode").map(|code| xml.text_of(code)).unwrap_or_default();
    Some(fault_of(&code, None))
}

fn fault_12(xml: &Xml<'_>) -> Option<Complaint> {
    let fault = xml.find(&[(ENVELOPE_12, "Body"), (ENVELOPE_12, "Fault")])?;
    let value = |within| xml.child(within, "Value").map(|value| xml.text_of(value));
    let code = xml.child(fault, "Code");
    let subcode = code.and_then(|code| xml.child(code, "Subcode")).and_then(value);
    Some(fault_of(&code.and_then(value).unwrap_or_default(), subcode.as_deref()))
}

/// Codes of WS-Security: what is wrong is how we prove who we are (OASIS, Web Services Security: SOAP Message Security 1.1,
/// §12). SOAP 1.1 has them as its code, SOAP 1.2 as a subcode.
const OF_OUR_CREDENTIAL: [&str; 8] = [
    "UnsupportedSecurityToken",
    "UnsupportedAlgorithm",
    "InvalidSecurity",
    "InvalidSecurityToken",
    "FailedAuthentication",
    "FailedCheck",
    "SecurityTokenUnavailable",
    "MessageExpired",
];

/// Codes of whoever hands a message on to the service and does not take it (W3C, WS-Addressing 1.0 SOAP Binding, §6.4; the
/// last two are those of WCF's dispatcher).
const OF_OUR_MESSAGE: [&str; 5] = [
    "ActionNotSupported",
    "InvalidAddressingHeader",
    "MessageAddressingHeaderRequired",
    "ContractFilterMismatch",
    "DeserializationFailed",
];

/// A fault of this code. Its text is not told: it may be about a patient.
fn fault_of(code: &str, subcode: Option<&str>) -> Complaint {
    let local = |name: &str| name.rsplit(':').next().unwrap_or_default().trim().to_owned();
    let (code, finest) = (local(code), local(subcode.unwrap_or(code)));
    let has = |all: &[&str]| all.contains(&finest.as_str());
    // SOAP 1.1 lets a code be refined behind dots: Client.Authentication.
    let mut refined = code.split('.');
    let (layer, kind, whose) = match refined.next().unwrap_or_default() {
        _ if has(&OF_OUR_CREDENTIAL) || refined.any(|part| part == "Authentication") => {
            (Layer::Gateway, FailureKind::AccessRefused, "our credential is refused")
        }
        "Client" | "Sender" | "VersionMismatch" | "MustUnderstand" | "DataEncodingUnknown" => {
            (Layer::Contract, FailureKind::RequestRefused, "the service does not take what was asked")
        }
        _ if has(&OF_OUR_MESSAGE) => {
            (Layer::Contract, FailureKind::RequestRefused, "the service does not take what was asked")
        }
        _ => (Layer::Backend, FailureKind::ServerError, "the service failed"),
    };
    let said = if code.is_empty() { "without a code".to_owned() } else { scrubbed(&code) };
    let finer = subcode.map(|subcode| format!(" / {}", scrubbed(subcode.trim()))).unwrap_or_default();
    Complaint { layer, kind, words: format!("{whose}: SOAP Fault {said}{finer}"), decides: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(namespace: &str, body: &str) -> String {
        format!("<e:Envelope xmlns:e=\"{namespace}\"><e:Header/><e:Body>{body}</e:Body></e:Envelope>")
    }

    fn check(answer: &str, expected: Option<(Layer, FailureKind, &str)>) {
        let complaint = complaint(&Xml::parse(answer));
        let seen = complaint.as_ref().map(|c| (c.layer, c.kind, c.words.as_str()));
        assert_eq!(seen, expected, "{answer}");
    }

    #[test]
    fn a_fault_is_told_by_its_code_and_not_by_its_text() {
        for (code, layer, kind, words) in [
            ("e:Server", Layer::Backend, FailureKind::ServerError, "the service failed: SOAP Fault Server"),
            (
                "Server.Db",
                Layer::Backend,
                FailureKind::ServerError,
                "the service failed: SOAP Fault Server.Db",
            ),
            (
                "soap:Client",
                Layer::Contract,
                FailureKind::RequestRefused,
                "the service does not take what was asked: SOAP Fault Client",
            ),
            ("own:E17", Layer::Backend, FailureKind::ServerError, "the service failed: SOAP Fault E17"),
            ("", Layer::Backend, FailureKind::ServerError, "the service failed: SOAP Fault without a code"),
        ] {
            let fault = format!(
                "<e:Fault><faultcode>{code}</faultcode><faultstring>Claf 9434765919</faultstring></e:Fault>"
            );
            check(&envelope(ENVELOPE_11, &fault), Some((layer, kind, words)));
        }
        let newer = |code: &str| {
            let value =
                format!("<e:Value>e:{code}</e:Value><e:Subcode><e:Value>m:Gone</e:Value></e:Subcode>");
            let fault = format!("<e:Fault><e:Code>{value}</e:Code><e:Reason/></e:Fault>");
            envelope(ENVELOPE_12, &fault)
        };
        let words = "the service failed: SOAP Fault Receiver / m:Gone";
        check(&newer("Receiver"), Some((Layer::Backend, FailureKind::ServerError, words)));
        let words = "the service does not take what was asked: SOAP Fault Sender / m:Gone";
        check(&newer("Sender"), Some((Layer::Contract, FailureKind::RequestRefused, words)));
    }

    #[test]
    fn a_fault_of_our_credential_or_message_is_not_the_services() {
        let refused = (Layer::Gateway, FailureKind::AccessRefused);
        let not_taken = (Layer::Contract, FailureKind::RequestRefused);
        let failed = (Layer::Backend, FailureKind::ServerError);
        for (code, meaning) in [
            ("wsse:FailedAuthentication", refused),
            ("x:InvalidSecurity", refused),
            ("MessageExpired", refused),
            ("e:Client.Authentication", refused),
            ("Server.Authentication", refused),
            ("a:ActionNotSupported", not_taken),
            ("a:DeserializationFailed", not_taken),
            ("a:DestinationUnreachable", failed),
            ("a:InternalServiceFault", failed),
        ] {
            let fault = format!("<e:Fault><faultcode>{code}</faultcode></e:Fault>");
            let complaint = complaint(&Xml::parse(&envelope(ENVELOPE_11, &fault))).unwrap();
            assert_eq!((complaint.layer, complaint.kind), meaning, "{code}");
            let beside = complaint.beside(500, b"");
            assert_eq!((beside.layer, beside.kind), meaning, "{code} with its status 500");
        }
        for (code, subcode, meaning) in [
            ("Sender", "wsse:InvalidSecurityToken", refused),
            ("Receiver", "wsse:FailedCheck", refused),
            ("Sender", "wsa:ActionNotSupported", not_taken),
            ("Receiver", "a:InternalServiceFault", failed),
        ] {
            let subcode = format!("<e:Subcode><e:Value>{subcode}</e:Value></e:Subcode>");
            let fault = format!("<e:Fault><e:Code><e:Value>e:{code}</e:Value>{subcode}</e:Code></e:Fault>");
            let complaint = complaint(&Xml::parse(&envelope(ENVELOPE_12, &fault))).unwrap();
            assert_eq!((complaint.layer, complaint.kind), meaning, "{code} {subcode}");
        }
    }

    #[test]
    fn an_envelope_without_a_fault_is_well_and_all_else_is_none() {
        check(&envelope(ENVELOPE_11, "<ok/>"), None);
        check(&envelope(ENVELOPE_12, "<Fault/>"), None);
        for other in ["", "{}", "<html/>", "<!DOCTYPE x><x/>", "<a><b></a>"] {
            let complaint = complaint(&Xml::parse(other)).unwrap();
            assert_eq!((complaint.layer, complaint.kind), (Layer::Contract, FailureKind::BadBody), "{other}");
        }
    }

    #[test]
    fn an_envelope_is_of_its_version_and_has_a_body() {
        assert_eq!(check_envelope(&envelope(ENVELOPE_11, ""), ENVELOPE_11), Ok(()));
        let why = |text: &str, namespace| check_envelope(text, namespace).unwrap_err();
        assert_eq!(why(&envelope(ENVELOPE_11, ""), ENVELOPE_12), "it is one of SOAP 1.1");
        assert_eq!(why("<Envelope/>", ENVELOPE_11), "its outermost element is not an Envelope");
        assert_eq!(why("<", ENVELOPE_11), "it cannot be read: not well-formed XML at line 1, column 2");
    }
}
