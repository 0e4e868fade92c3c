//! What one audience sees at one moment, with what was rendered from it so far.

use crate::{
    Audience, History, Page, RenderError, Renderer, Snapshot, besides::Besides, body::Body,
    document::Document, filter::Filter, frame::Place, instance_view::AllInstances, wall::wall,
};
use domain::{Language, Situation};
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Rendered pages that a view keeps.
const MAX_PAGES: usize = 2048;
/// Of them, front pages of which only a part was asked for: there are as many as visitors like.
const MAX_FILTERED: usize = 64;
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// A Snapshot with what was rendered from it so far.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) snapshot: Snapshot,
    pub(crate) situation: Situation,
    pages: Mutex<HashMap<Key, Arc<Body>>>,
    /// Somebody asked for a page of it.
    pub(crate) looked_at: AtomicBool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Page(Language, Page),
    Filtered(Language, Page, Filter),
    NotFound(Language),
    Said(Language, &'static str),
    Json(&'static str),
    Document(Document),
}

impl View {
    pub(crate) fn make(
        all: &AllInstances,
        (situation, history): (&Situation, &History),
        besides: &Besides,
        audience: Audience,
        (now, started_at): (Timestamp, Timestamp),
    ) -> Self {
        let mut snapshot = Snapshot::seeing(all, (situation, history), audience, (now, started_at));
        snapshot.standing = (audience == Audience::Internal).then(|| Arc::clone(&besides.standing));
        snapshot.unrecorded_since = besides.unrecorded_since;
        snapshot.configured_at = besides.standing.taken_at.unwrap_or(started_at);
        let internal = audience == Audience::Internal;
        snapshot.set_aside = Some(besides.set_aside.clone()).filter(|aside| internal && aside.count > 0);
        Self {
            snapshot,
            situation: situation.without_outcomes(),
            pages: Mutex::default(),
            looked_at: AtomicBool::new(false),
        }
    }

    /// Renders the front page in both languages.
    pub(crate) fn warm(&self, renderer: &Renderer) -> Result<(), RenderError> {
        for language in Language::ALL {
            self.rendered(renderer, language, &Page::Front)?;
        }
        Ok(())
    }

    /// The page, rendered now if it was not asked for before; `None`: there is no such page for this audience.
    pub(crate) fn page(
        &self,
        renderer: &Renderer,
        language: Language,
        page: &Page,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        self.looked_at.fetch_or(true, Ordering::Relaxed);
        self.rendered(renderer, language, page)
    }

    /// The front page or the wall view, of which only a part was asked for.
    pub(crate) fn filtered(
        &self,
        renderer: &Renderer,
        (language, page): (Language, &Page),
        filter: &Filter,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        self.looked_at.fetch_or(true, Ordering::Relaxed);
        self.kept(Key::Filtered(language, page.clone(), filter.clone()), || {
            let html = if *page == Page::Wall {
                wall(renderer, &self.snapshot, language, filter)?
            } else {
                renderer.front(&self.snapshot, language, filter)?
            };
            Ok(Some(Body::new(HTML, html.into_bytes())))
        })
    }

    fn rendered(
        &self,
        renderer: &Renderer,
        language: Language,
        page: &Page,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        self.kept(Key::Page(language, page.clone()), || {
            let html = renderer.page(&self.snapshot, language, page)?;
            Ok(html.map(|html| Body::new(HTML, html.into_bytes())))
        })
    }

    /// The one answer for all that is not there.
    pub(crate) fn not_found(
        &self,
        renderer: &Renderer,
        language: Language,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        self.kept(Key::NotFound(language), || {
            let html = renderer.not_found(&self.snapshot, language)?;
            Ok(Some(Body::new(HTML, html.into_bytes())))
        })
    }

    /// A page that says no more than why there is no other ([`Renderer::said`]).
    pub(crate) fn said(
        &self,
        renderer: &Renderer,
        language: Language,
        key: &'static str,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        self.kept(Key::Said(language, key), || {
            let html = renderer.said(&self.snapshot, language, &Place::Nowhere, key)?;
            Ok(Some(Body::new(HTML, html.into_bytes())))
        })
    }

    /// A JSON document made from the snapshot once.
    pub(crate) fn json(
        &self,
        name: &'static str,
        make: impl FnOnce(&Snapshot) -> String,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        self.kept(Key::Json(name), || {
            Ok(Some(Body::new("application/json", make(&self.snapshot).into_bytes())))
        })
    }

    /// A document for programs, made from the snapshot once; `None`: there is none such for this audience.
    pub(crate) fn document(
        &self,
        renderer: &Renderer,
        document: &Document,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        self.kept(Key::Document(document.clone()), || document.make(renderer, &self.snapshot))
    }

    fn kept(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<Option<Body>, RenderError>,
    ) -> Result<Option<Arc<Body>>, RenderError> {
        let pages = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = pages().get(&key) {
            return Ok(Some(body.clone()));
        }
        let Some(body) = make()? else {
            return Ok(None);
        };
        let body = Arc::new(body);
        let mut pages = pages();
        let is_filtered = |key: &Key| matches!(key, Key::Filtered(..));
        let filtered = || pages.keys().filter(|key| is_filtered(key)).count();
        if pages.len() < MAX_PAGES && (!is_filtered(&key) || filtered() < MAX_FILTERED) {
            pages.insert(key, body.clone());
        }
        Ok(Some(body))
    }
}
