//! FHIR R4: a patient, diagnostic reports, the capability statement. Every person in it is made up.

use serde_json::{Value, json};

use super::{Call, Scene};
use crate::answer::Answer;

pub(super) fn answer(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    if !call.is_read() {
        return Answer::outcome(405, "not-supported", "only reading is supported");
    }
    let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    match segments.as_slice() {
        ["metadata"] => Answer::fhir(200, &capability(scene)),
        ["Patient", number] => patient(number),
        ["Patient"] => Answer::outcome(400, "required", "name a patient: /Patient/{NHS number}"),
        ["DiagnosticReport"] => reports(call),
        ["DiagnosticReport", id] => Answer::fhir(200, &report(id, "9990000018")),
        _ => Answer::outcome(404, "not-found", "no such resource"),
    }
}

/// True for ten digits whose last is the modulus-11 check digit of the others.
pub(crate) fn is_nhs_number(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(10)).collect();
    let Some([head @ .., check]) = digits.as_deref() else {
        return false;
    };
    if head.len() != 9 {
        return false;
    }
    let sum: u32 = head.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 11 == *check
}

fn patient(number: &str) -> Answer {
    if !is_nhs_number(number) {
        return Answer::outcome(400, "value", "Missing or invalid NHS number");
    }
    if !number.starts_with("999") {
        // Numbers that begin with 999 are never given to a person; this world knows no others.
        return Answer::outcome(404, "not-found", "Patient not found");
    }
    Answer::fhir(
        200,
        &json!({
            "resourceType": "Patient",
            "id": number,
            "meta": {"versionId": "3", "profile": ["https://fhir.nhs.wales/StructureDefinition/DataStandardsWales-Patient"]},
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number}],
            "name": [{"use": "official", "family": "Prawf", "given": ["Enghraifft"]}],
            "gender": "unknown",
            "birthDate": "1970-01-01",
            "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "cy"}]}, "preferred": true}],
        }),
    )
    .with("ETag", "W/\"3\"")
}

fn reports(call: &Call<'_>) -> Answer {
    let Some(number) = call.parameter("patient") else {
        return Answer::outcome(400, "required", "the patient parameter is required");
    };
    if !is_nhs_number(&number) {
        return Answer::outcome(400, "value", "Missing or invalid NHS number");
    }
    let entries: Vec<Value> =
        ["r-1001", "r-1002"].iter().map(|id| json!({"resource": report(id, &number)})).collect();
    Answer::fhir(
        200,
        &json!({"resourceType": "Bundle", "type": "searchset", "total": entries.len(), "entry": entries}),
    )
}

fn report(id: &str, number: &str) -> Value {
    json!({
        "resourceType": "DiagnosticReport",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "26604007", "display": "Complete blood count"}]},
        "subject": {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number}},
        "conclusion": "Within the reference range",
    })
}

fn capability(scene: &Scene<'_>) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-05",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "software": {"name": scene.api.title, "version": scene.api.version},
        "rest": [{"mode": "server", "resource": [{"type": "Patient", "interaction": [{"code": "read"}]},
            {"type": "DiagnosticReport", "interaction": [{"code": "read"}, {"code": "search-type"}]}]}],
    })
}

#[cfg(test)]
mod tests {
    use super::is_nhs_number;

    #[test]
    fn an_nhs_number_is_ten_digits_with_the_right_check_digit() {
        assert!(is_nhs_number("9990000018"));
        assert!(is_nhs_number("9434765919"));
        for wrong in ["", "9990000019", "999000001", "99900000180", "999000001x"] {
            assert!(!is_nhs_number(wrong), "{wrong}");
        }
    }
}
