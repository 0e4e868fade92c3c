//! Subscriptions in words: the form, what became of it, and the pages behind the links of e-mails.

use crate::{
    Page, Snapshot, WordsError, form,
    item::Item,
    scope::Scope,
    subscribe::{self, Act},
    wording::{Link, Wording},
};
use domain::{ApiId, Environment, InstanceId, Kinds, Language, Pace};
use serde::Serialize;

/// What is chosen in the form.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) api: Option<ApiId>,
    pub(crate) environment: Option<Environment>,
    pub(crate) kinds: Kinds,
    pub(crate) pace: Pace,
    pub(crate) language: Language,
    back: bool,
}

/// What became of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is kept.
    Taken,
    /// Nobody has to wait: it works.
    Works,
    /// There is no such subscription any more.
    Over,
    /// It is not kept, as far as we know.
    Later,
    WrongAddress,
    WrongPlace,
}

/// The form, or what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Form {
    pub(crate) title: String,
    lead: String,
    /// Beside the field, and above the form.
    wrong: Option<String>,
    /// The field that is wrong.
    field: &'static str,
    /// What was done: then there is no form.
    said: Option<String>,
    back: bool,
    apis: Vec<Item>,
    environments: Vec<Item>,
    kinds: Vec<Item>,
    paces: Vec<Item>,
    languages: Vec<Item>,
}

/// The page behind a link.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    pub(crate) title: String,
    lead: String,
    action: String,
    /// What is written on the button; `None`: there is nothing to press.
    button: Option<String>,
    said: bool,
}

const fn kinds_word(kinds: Kinds) -> &'static str {
    match kinds {
        Kinds::All => "all",
        Kinds::Incidents => "incidents",
        Kinds::Planned => "planned",
    }
}

const fn pace_word(pace: Pace) -> &'static str {
    match pace {
        Pace::Immediate => "immediate",
        Pace::Daily => "daily",
    }
}

const KINDS: [Kinds; 3] = [Kinds::All, Kinds::Incidents, Kinds::Planned];
const PACES: [Pace; 2] = [Pace::Immediate, Pace::Daily];

impl Asked {
    /// From a query or a form's body: what is not there, or not for this audience, is not chosen.
    pub(crate) fn parse(text: &str, language: Language, snapshot: &Snapshot) -> Self {
        let given = |name| form::value(text, name).unwrap_or_default();
        let (kinds, pace, tongue) = (given("kinds"), given("pace"), given("language"));
        Self {
            api: subscribe::api(&given("api"), snapshot),
            environment: subscribe::environment(&given("environment"), snapshot),
            kinds: KINDS.into_iter().find(|one| kinds_word(*one) == kinds).unwrap_or(Kinds::All),
            pace: PACES.into_iter().find(|one| pace_word(*one) == pace).unwrap_or(Pace::Immediate),
            language: Language::ALL.into_iter().find(|one| one.tag() == tongue).unwrap_or(language),
            back: given("when") == "back",
        }
    }

    /// Nothing chosen.
    pub(crate) const fn nothing(language: Language) -> Self {
        Self { api: None, environment: None, kinds: Kinds::All, pace: Pace::Immediate, language, back: false }
    }

    /// To be told once, when it works again.
    pub(crate) const fn is_back(&self) -> bool {
        self.back
    }

    pub(crate) fn instance(&self) -> Option<InstanceId> {
        Some(InstanceId { api: self.api.clone()?, environment: self.environment? })
    }

    /// What is chosen, as it was parsed: the same in both languages.
    pub(crate) fn query(&self) -> String {
        let pairs = [
            self.api.as_ref().map(|api| format!("api={api}")),
            self.environment.map(|environment| format!("environment={environment}")),
            (self.kinds != Kinds::All).then(|| format!("kinds={}", kinds_word(self.kinds))),
            (self.pace != Pace::Immediate).then(|| format!("pace={}", pace_word(self.pace))),
            self.back.then(|| "when=back".to_owned()),
        ];
        pairs.into_iter().flatten().collect::<Vec<_>>().join("&")
    }
}

/// Where somebody asks to be told of an instance when it works again.
pub(crate) fn back_href(wording: &Wording<'_>, instance: &InstanceId) -> String {
    let (api, environment) = (&instance.api, instance.environment);
    format!("{}?api={api}&environment={environment}&when=back", wording.href(&Page::Subscribe))
}

/// Where somebody asks to be told of what `page` is about.
pub(crate) fn link(wording: &Wording<'_>, page: &Page) -> Result<Link, WordsError> {
    let query = match Scope::of(page) {
        Some(Scope::Api(api)) => format!("?api={api}"),
        Some(Scope::Environment(environment)) => format!("?environment={environment}"),
        Some(Scope::All) | None => String::new(),
    };
    Ok(Link { href: wording.href(&Page::Subscribe) + &query, text: wording.plain("sub-link")? })
}

/// The form, or what became of it.
pub(crate) fn form(
    wording: &Wording<'_>,
    asked: &Asked,
    outcome: Option<Outcome>,
) -> Result<Form, WordsError> {
    let instance = asked.instance().filter(|_| asked.back);
    let title = match &instance {
        Some(instance) => wording.say(
            "sub-back-title",
            &[
                ("name", wording.name(instance).to_owned().into()),
                ("place", wording.environment(instance.environment)?.into()),
            ],
        )?,
        None => wording.plain("sub-title")?,
    };
    let wrong = match outcome {
        Some(Outcome::WrongAddress) => Some("sub-wrong-address"),
        Some(Outcome::WrongPlace) => Some("sub-wrong-place"),
        Some(Outcome::Later) => Some("sub-later"),
        Some(Outcome::Taken | Outcome::Works | Outcome::Over) | None => None,
    };
    let said = match outcome {
        Some(Outcome::Taken) if asked.back => Some("sub-back-taken"),
        Some(Outcome::Taken) => Some("sub-taken"),
        Some(Outcome::Works) => Some("sub-works"),
        Some(Outcome::Over | Outcome::Later | Outcome::WrongAddress | Outcome::WrongPlace) | None => None,
    };
    let kinds = KINDS.into_iter().map(|one| {
        let word = kinds_word(one);
        Ok(Item::new(word, wording.plain(&format!("sub-kinds-{word}"))?, asked.kinds == one))
    });
    let paces = PACES.into_iter().map(|one| {
        let word = pace_word(one);
        Ok(Item::new(word, wording.plain(&format!("sub-pace-{word}"))?, asked.pace == one))
    });
    let languages = Language::ALL.into_iter().map(|one| {
        let name = match one {
            Language::En => "English",
            Language::Cy => "Cymraeg",
        };
        Item::new(one.tag(), name, asked.language == one)
    });
    let wrong = wrong.map(|key| wording.plain(key)).transpose()?;
    Ok(Form {
        title: match &wrong {
            Some(_) => format!("{}: {title}", wording.plain("sub-wrong")?),
            None => title,
        },
        lead: wording.plain(if asked.back { "sub-back-lead" } else { "sub-lead" })?,
        wrong,
        field: if outcome == Some(Outcome::WrongAddress) { "email" } else { "api" },
        said: said.map(|key| wording.plain(key)).transpose()?,
        back: instance.is_some(),
        apis: Item::apis(wording, asked.api.as_ref()),
        environments: Item::environments(wording, asked.environment)?,
        kinds: kinds.collect::<Result<_, WordsError>>()?,
        paces: paces.collect::<Result<_, WordsError>>()?,
        languages: languages.collect(),
    })
}

/// The page behind a link of an e-mail.
pub(crate) fn done(
    wording: &Wording<'_>,
    act: Act,
    path: &str,
    outcome: Option<Outcome>,
) -> Result<Done, WordsError> {
    let (title, lead) = match (act, outcome) {
        (Act::Confirm, None) => ("sub-confirm-title", "sub-confirm-lead"),
        (Act::Confirm, Some(Outcome::Taken)) => ("sub-confirmed-title", "sub-confirmed-lead"),
        (Act::Confirm, Some(Outcome::Over)) => ("sub-over-title", "sub-over-lead"),
        (Act::Stop, None) => ("sub-stop-title", "sub-stop-lead"),
        (Act::Stop, Some(Outcome::Taken | Outcome::Over)) => ("sub-stopped-title", "sub-stopped-lead"),
        (Act::Confirm | Act::Stop, Some(_)) => ("sub-wrong", "sub-later"),
    };
    let button = match (act, outcome) {
        (Act::Confirm, None | Some(Outcome::Later)) => Some("sub-confirm-go"),
        (Act::Stop, None | Some(Outcome::Later)) => Some("sub-stop-go"),
        (Act::Confirm | Act::Stop, Some(_)) => None,
    };
    Ok(Done {
        title: wording.plain(title)?,
        lead: wording.plain(lead)?,
        action: format!("{path}?lang={}", wording.language),
        button: button.map(|key| wording.plain(key)).transpose()?,
        said: outcome.is_some(),
    })
}
