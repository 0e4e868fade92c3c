//! SOAP 1.1 and 1.2: a service description and one operation, `GetDemographics`.

use super::{Call, Scene};
use crate::answer::{Answer, SOAP_11, SOAP_12};
use hyper::Method;

const ENVELOPE_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENVELOPE_12: &str = "http://www.w3.org/2003/05/soap-envelope";

pub(super) fn answer(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    if call.is_read() {
        if call.query.eq_ignore_ascii_case("wsdl") || call.query.eq_ignore_ascii_case("singleWsdl") {
            return description(scene);
        }
        return fault(405, "send an envelope by POST, or ask for ?wsdl");
    }
    if call.method != Method::POST {
        return fault(405, "send an envelope by POST");
    }
    let content_type = call.header("content-type").unwrap_or_default();
    let body = String::from_utf8_lossy(call.body);
    let newer = content_type.starts_with("application/soap+xml");
    if !newer && !content_type.starts_with("text/xml") {
        return fault(415, "SOAP 1.1 is text/xml, SOAP 1.2 is application/soap+xml");
    }
    if !newer && call.header("soapaction").is_none() {
        return fault(500, "SOAP 1.1 requires a SOAPAction header");
    }
    let namespace = if newer { ENVELOPE_12 } else { ENVELOPE_11 };
    if !body.contains("Envelope") || !body.contains(namespace) {
        return fault(500, "the body is no envelope of the version its content type names");
    }
    if !body.contains("GetDemographics") {
        return fault(500, "there is one operation: GetDemographics");
    }
    envelope(
        "<GetDemographicsResponse xmlns=\"urn:wales:nhs:wds\"><Status>OK</Status><Patient><NHSNumber>9990000018</NHSNumber>\
         <FamilyName>Prawf</FamilyName><GivenName>Enghraifft</GivenName></Patient></GetDemographicsResponse>",
        newer,
    )
}

/// An answer in an envelope.
pub(super) fn envelope(content: &str, newer: bool) -> Answer {
    let (namespace, content_type) = if newer { (ENVELOPE_12, SOAP_12) } else { (ENVELOPE_11, SOAP_11) };
    Answer::new(
        200,
        content_type,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"{namespace}\"><soap:Body>{content}</soap:Body></soap:Envelope>"
        ),
    )
}

/// A SOAP 1.1 fault.
pub(super) fn fault(status: u16, words: &str) -> Answer {
    let code = if status >= 500 { "Server" } else { "Client" };
    Answer::new(
        status,
        SOAP_11,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"{ENVELOPE_11}\"><soap:Body><soap:Fault>\
             <faultcode>soap:{code}</faultcode><faultstring>{words}</faultstring></soap:Fault></soap:Body></soap:Envelope>"
        ),
    )
}

fn description(scene: &Scene<'_>) -> Answer {
    Answer::new(
        200,
        SOAP_11,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><wsdl:definitions name=\"{}\" targetNamespace=\"urn:wales:nhs:wds\" \
             xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:tns=\"urn:wales:nhs:wds\"><wsdl:portType name=\"Demographics\">\
             <wsdl:operation name=\"GetDemographics\"/></wsdl:portType></wsdl:definitions>",
            scene.api.id
        ),
    )
}
