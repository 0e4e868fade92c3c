//! From a Snapshot to HTML: the templates, loaded and checked once, and the frame around every page.

use crate::{
    Page, Snapshot, Words, WordsError, accessibility, api_page,
    filter::Filter,
    frame::{Place, frame},
    front, incidents, is_it_me_page, measuring, planned, subscribe_page,
    wall::wall,
    wording::Wording,
};
use domain::Language;
use fluent_bundle::FluentValue;
use rust_embed::RustEmbed;
use serde::Serialize;
use std::{borrow::Cow, sync::Arc};
use tera::{Context, Kwargs, State, Tera, TeraResult};

#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The words.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// A template.
    #[error("a template of the status page is broken: {0}; mend it and build again")]
    Template(String),
    /// The page's view does not fit its template.
    #[error("the view of a page cannot be handed to its template: {0}")]
    View(String),
}

impl From<tera::Error> for RenderError {
    fn from(error: tera::Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self::Template(text)
    }
}

/// Makes pages.
#[derive(Debug)]
pub struct Renderer {
    tera: Tera,
    pub(crate) words: Arc<Words>,
}

impl Renderer {
    /// Loads words and templates; a typo in either is found here, not by a visitor.
    pub fn load() -> Result<Self, RenderError> {
        let words = Arc::new(Words::load()?);
        let mut tera = Tera::default();
        let said = words.clone();
        tera.register_function("t", move |args: Kwargs, state: &State<'_>| -> TeraResult<String> {
            translate(&said, &args, state)
        });
        let mut sources = Vec::new();
        for name in Templates::iter() {
            let source = Templates::get(&name)
                .and_then(|file| String::from_utf8(file.data.into_owned()).ok())
                .ok_or_else(|| RenderError::Template(format!("{name} cannot be read as text")))?;
            sources.push((name.into_owned(), source));
        }
        tera.add_raw_templates(sources)?;
        Ok(Self { tera, words })
    }

    /// The page in `language`; `None` when the snapshot's audience has no such page.
    pub(crate) fn page(
        &self,
        snapshot: &Snapshot,
        language: Language,
        page: &Page,
    ) -> Result<Option<String>, RenderError> {
        let wording = self.wording(snapshot, language);
        let title = |key: &str| wording.plain(key).map_err(RenderError::from);
        let html = match page {
            Page::Front => self.front(snapshot, language, &Filter::default())?,
            Page::Wall => wall(self, snapshot, language, &Filter::default())?,
            Page::Api(id) => {
                let Some(api) = snapshot.api(id) else {
                    return Ok(None);
                };
                let view = api_page::one_api(&wording, api)?;
                self.html("api.html", &wording, &Place::Page(page), wording.text(&api.api.name), &view)?
            }
            Page::Environment(environment) => {
                if !snapshot.environments.contains(environment) {
                    return Ok(None);
                }
                let view = api_page::one_environment(&wording, *environment)?;
                self.html(
                    "environment.html",
                    &wording,
                    &Place::Page(page),
                    &wording.environment(*environment)?,
                    &view,
                )?
            }
            Page::Incidents => {
                let view = incidents::incidents(&wording)?;
                self.html("incidents.html", &wording, &Place::Page(page), &title("incidents")?, &view)?
            }
            Page::Month(month) => {
                let Some(view) = incidents::of_month(&wording, *month)? else {
                    return Ok(None);
                };
                let title = view.title.clone();
                self.html("month.html", &wording, &Place::Page(page), &title, &view)?
            }
            Page::Incident(id) => {
                let Some(incident) = snapshot.incidents.iter().find(|view| view.incident.id == *id) else {
                    return Ok(None);
                };
                let view = incidents::one_incident(&wording, incident)?;
                let title = wording.incident_title(incident)?;
                self.html("incident.html", &wording, &Place::Page(page), &title, &view)?
            }
            Page::Maintenance => {
                let view = planned::maintenance(&wording)?;
                self.html("maintenance.html", &wording, &Place::Page(page), &title("maintenance")?, &view)?
            }
            Page::Measuring => {
                let view = measuring::measuring(&wording)?;
                self.html("measuring.html", &wording, &Place::Page(page), &title("measuring")?, &view)?
            }
            Page::IsItMe => {
                let view = is_it_me_page::form(&wording, &is_it_me_page::Choice::default(), None)?;
                self.html("is-it-me.html", &wording, &Place::Page(page), &title("me-title")?, &view)?
            }
            Page::Subscribe => {
                if !snapshot.takes_subscriptions() {
                    return Ok(None);
                }
                let asked = subscribe_page::Asked::nothing(language);
                let view = subscribe_page::form(&wording, &asked, None)?;
                self.html("subscribe.html", &wording, &Place::Page(page), &view.title, &view)?
            }
            Page::Accessibility => {
                let title = title("accessibility")?;
                let view = accessibility::statement(&wording);
                self.html("accessibility.html", &wording, &Place::Page(page), &title, &view)?
            }
        };
        Ok(Some(html))
    }

    /// The front page, of its matrix only what `filter` lets through.
    pub(crate) fn front(
        &self,
        snapshot: &Snapshot,
        language: Language,
        filter: &Filter,
    ) -> Result<String, RenderError> {
        let wording = self.wording(snapshot, language);
        let view = front::front(&wording, filter)?;
        let place = Place::Asked(&Page::Front, filter.query());
        self.html("front.html", &wording, &place, wording.text(&snapshot.site.title), view)
    }

    /// The one answer to every path that is not, or not for this audience; it does not say which.
    pub(crate) fn not_found(&self, snapshot: &Snapshot, language: Language) -> Result<String, RenderError> {
        let wording = self.wording(snapshot, language);
        let title = wording.plain("not-found")?;
        self.html("not-found.html", &wording, &Place::Nowhere, &title, &Nothing {})
    }

    /// A page that says no more than why there is no other: `key` is its title, and with `-more` what stands below.
    pub(crate) fn said(
        &self,
        snapshot: &Snapshot,
        language: Language,
        place: &Place<'_>,
        key: &str,
    ) -> Result<String, RenderError> {
        let wording = self.wording(snapshot, language);
        let (title, more) = (wording.plain(key)?, wording.plain(&format!("{key}-more"))?);
        self.html("said.html", &wording, place, &title, &Said { more })
    }

    pub(crate) fn wording<'a>(&'a self, snapshot: &'a Snapshot, language: Language) -> Wording<'a> {
        Wording { words: &self.words, snapshot, language }
    }

    /// Renders `template` with `view`, as a document of its own.
    pub(crate) fn document(
        &self,
        template: &str,
        language: Language,
        view: &impl Serialize,
    ) -> Result<String, RenderError> {
        let mut context =
            Context::from_serialize(view).map_err(|error| RenderError::View(error.to_string()))?;
        context.insert("lang", language.tag());
        Ok(self.tera.render(template, &context)?)
    }

    /// Renders `template` with `view`, inside the frame.
    pub(crate) fn html(
        &self,
        template: &str,
        wording: &Wording<'_>,
        place: &Place<'_>,
        title: &str,
        view: impl Serialize,
    ) -> Result<String, RenderError> {
        let mut context =
            Context::from_serialize(&view).map_err(|error| RenderError::View(error.to_string()))?;
        // The front page of a thousand APIs is what most memory is ever needed for: not for two forms of it beside the text.
        drop(view);
        context.insert("lang", wording.language.tag());
        context.insert("frame", &frame(wording, place, title)?);
        Ok(self.tera.render(template, &context)?)
    }
}

/// What a page says that says no more.
#[derive(Debug, Serialize)]
struct Said {
    more: String,
}

/// A page that needs no view.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing {}

/// `t(key="…", …)` of the templates: the words in the page's language.
fn translate(words: &Words, args: &Kwargs, state: &State<'_>) -> TeraResult<String> {
    let key = args.must_get::<&str>("key")?;
    let tag = state.get::<String>("lang")?.unwrap_or_default();
    let language = Language::ALL
        .into_iter()
        .find(|language| language.tag() == tag)
        .ok_or_else(|| tera::Error::message("a template says words without a language"))?;
    let mut values: Vec<(&'static str, FluentValue<'_>)> = Vec::new();
    // The variables that templates may pass; one that is missing here is found when the page is rendered in a test.
    for name in ["count", "all"] {
        if let Some(number) = args.get::<i64>(name)? {
            values.push((name, number.into()));
        }
    }
    for name in ["name", "when", "text", "who"] {
        if let Some(text) = args.get::<&str>(name)? {
            values.push((name, FluentValue::String(Cow::Owned(text.to_owned()))));
        }
    }
    words.find(language, key, &values).map_err(|error| tera::Error::message(error.to_string()))
}
