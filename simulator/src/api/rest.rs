//! JSON over HTTP: documents and reference data.

use serde_json::json;

use super::{Call, Scene};
use crate::answer::Answer;

pub(super) fn answer(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    if !call.is_read() {
        return Answer::problem(405, "Method Not Allowed", "only reading is supported")
            .with("Allow", "GET, HEAD");
    }
    let segments: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["documents"] => Answer::json(
            200,
            &json!({"total": 2, "documents": [
                {"id": "d-2001", "type": "Discharge letter", "language": "cy", "created": "2026-03-02T09:15:00Z"},
                {"id": "d-2002", "type": "Clinic letter", "language": "en", "created": "2026-04-17T14:40:00Z"},
            ]}),
        ),
        ["documents", id @ ("d-2001" | "d-2002")] => {
            Answer::json(200, &json!({"id": id, "contentType": "text/plain", "text": "A document about nobody."}))
        }
        ["lists"] => Answer::json(
            200,
            &json!({"version": scene.api.version, "lists": ["health-boards", "specialties", "languages"]}),
        ),
        ["lists", "health-boards"] => Answer::json(
            200,
            &json!({"list": "health-boards", "items": [
                {"code": "7A1", "en": "Betsi Cadwaladr University Health Board", "cy": "Bwrdd Iechyd Prifysgol Betsi Cadwaladr"},
                {"code": "7A4", "en": "Cardiff and Vale University Health Board", "cy": "Bwrdd Iechyd Prifysgol Caerdydd a'r Fro"},
                {"code": "7A7", "en": "Powys Teaching Health Board", "cy": "Bwrdd Iechyd Addysgu Powys"},
            ]}),
        )
        .with("Cache-Control", "max-age=3600"),
        ["lists", list @ ("specialties" | "languages")] => {
            Answer::json(200, &json!({"list": list, "items": [{"code": "1", "en": "One", "cy": "Un"}]}))
        }
        _ => Answer::problem(404, "Not Found", "no such path"),
    }
}
