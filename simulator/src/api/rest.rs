//! JSON over HTTP: documents and reference data. In the sandbox documents can be put there, read and taken away again.

use hyper::Method;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::{Call, Scene};
use crate::answer::{Answer, JSON};

/// More are not kept: the oldest goes.
const MOST_DRAFTS: usize = 100;

/// Documents that callers have put there, by number.
#[derive(Debug, Default)]
pub(crate) struct Drafts(Mutex<(u64, VecDeque<u64>)>);

impl Drafts {
    fn change<T>(&self, change: impl FnOnce(&mut u64, &mut VecDeque<u64>) -> T) -> T {
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, kept) = &mut *drafts;
        change(last, kept)
    }

    fn add(&self) -> u64 {
        self.change(|last, kept| {
            *last += 1;
            kept.push_back(*last);
            if kept.len() > MOST_DRAFTS {
                kept.pop_front();
            }
            *last
        })
    }

    fn has(&self, number: u64) -> bool {
        self.change(|_, kept| kept.contains(&number))
    }

    fn remove(&self, number: u64) -> bool {
        self.change(|_, kept| {
            let before = kept.len();
            kept.retain(|known| *known != number);
            kept.len() < before
        })
    }
}

/// What is asked of drafts; `None`: something else is.
fn draft(scene: &Scene<'_>, call: &Call<'_>) -> Option<Answer> {
    let name = call.path.strip_prefix("/documents")?;
    let said = |number: u64| json!({"id": format!("draft-{number}"), "status": "draft"});
    let missing = || Answer::problem(404, "Not Found", "no such draft");
    if name.is_empty() && call.method == Method::POST {
        if serde_json::from_slice::<serde_json::Value>(call.body).is_err() {
            return Some(Answer::problem(400, "Bad Request", "a document is JSON"));
        }
        let number = scene.drafts.add();
        let place = format!("/{}/{}/documents/draft-{number}", scene.environment, scene.api.id);
        return Some(Answer::json(201, &said(number)).with("Location", place));
    }
    let number = name.strip_prefix("/draft-")?.parse().ok()?;
    if call.method == Method::DELETE {
        let removed = scene.drafts.remove(number);
        return Some(if removed { Answer::new(204, JSON, "") } else { missing() });
    }
    let read = if scene.drafts.has(number) { Answer::json(200, &said(number)) } else { missing() };
    call.is_read().then_some(read)
}

pub(super) fn answer(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    if scene.environment == "sandbox"
        && let Some(answer) = draft(scene, call)
    {
        return answer;
    }
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
