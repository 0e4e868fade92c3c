//! *Is it me?* in words: the form, and what is answered.

use crate::{
    Page, WordsError,
    is_it_me::{Answer, Asked},
    item::Item,
    when::When,
    wording::{Link, Shape, Wording},
};
use domain::{CallerSaw, ErrorClass, OurOutcome, Status, Theirs, Whose};
use serde::Serialize;

/// What callers get most, for the form.
const STATUSES: [u16; 14] = [200, 400, 401, 403, 404, 405, 407, 409, 422, 429, 500, 502, 503, 504];

/// What is chosen in the form.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    asked: Option<Asked>,
}

/// The page: the form, and the answer where something was asked.
#[derive(Debug, Serialize)]
pub(crate) struct Form {
    apis: Vec<Item>,
    environments: Vec<Item>,
    statuses: Vec<Item>,
    /// As a form's own field for a time wants it: local, to the minute.
    at: String,
    wrong: Option<String>,
    told: Option<Told>,
}

/// What is answered, in one language.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    about: Link,
    environment: String,
    at: When,
    saw: Option<String>,
    shape: Shape,
    whose: String,
    /// The likely causes, each with what to try.
    causes: Vec<(String, String)>,
    ours: Vec<Seen>,
}

/// One outcome of ours in words.
#[derive(Debug, Serialize)]
struct Seen {
    operation: String,
    shape: Shape,
    what: String,
    at: When,
}

/// The form, as yet empty, or with what is wrong in it.
pub(crate) fn form(
    wording: &Wording<'_>,
    choice: &Choice,
    wrong: Option<&'static str>,
) -> Result<Form, WordsError> {
    let asked = choice.asked.as_ref();
    let snapshot = wording.snapshot;
    let saw = asked.and_then(|asked| asked.saw);
    let other = saw.filter(|saw| matches!(saw, CallerSaw::Status(status) if !STATUSES.contains(status)));
    let known = STATUSES.into_iter().map(CallerSaw::Status);
    let statuses = known.chain([CallerSaw::Timeout, CallerSaw::NoConnection]).chain(other);
    Ok(Form {
        // Nobody reads files to somebody who asks.
        apis: if snapshot.as_files {
            Vec::new()
        } else {
            Item::apis(wording, asked.map(|asked| &asked.instance.api))
        },
        environments: Item::environments(wording, asked.map(|asked| asked.instance.environment))?,
        statuses: statuses
            .map(|one| Ok(Item::new(one.word(), saw_in_words(wording, one)?, saw == Some(one))))
            .collect::<Result<_, WordsError>>()?,
        at: asked
            .and_then(|asked| asked.at)
            .map(|at| at.to_zoned(snapshot.site.time_zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string())
            .unwrap_or_default(),
        wrong: wrong
            .map(|name| {
                wording.plain(match name {
                    "at" => "me-wrong-at",
                    "status" => "me-wrong-status",
                    "later" => "me-later",
                    _ => "me-wrong-missing",
                })
            })
            .transpose()?,
        told: None,
    })
}

impl Form {
    /// What was asked, as it was parsed: the same in both languages.
    pub(crate) fn query(&self) -> String {
        let chosen = |items: &[Item]| items.iter().find(|item| item.chosen).map(|item| item.value.clone());
        let pairs = [
            ("api", chosen(&self.apis)),
            ("environment", chosen(&self.environments)),
            ("status", chosen(&self.statuses)),
            ("at", Some(self.at.replace(':', "%3A")).filter(|at| !at.is_empty())),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// The form with its answer.
pub(crate) fn answer(wording: &Wording<'_>, answer: &Answer) -> Result<Form, WordsError> {
    let form = form(wording, &Choice { asked: Some(answer.asked.clone()) }, None)?;
    Ok(Form { told: Some(Told::of(wording, answer)?), ..form })
}

fn saw_in_words(wording: &Wording<'_>, saw: CallerSaw) -> Result<String, WordsError> {
    match saw {
        CallerSaw::Status(status) => Ok(match reason(status) {
            "" => status.to_string(),
            reason => format!("{status} {reason}"),
        }),
        CallerSaw::Timeout => wording.plain("me-saw-timeout"),
        CallerSaw::NoConnection => wording.plain("me-saw-no-connection"),
    }
}

/// The phrase of the protocol, which has no Welsh.
fn reason(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default()
}

impl Told {
    pub(crate) fn of(wording: &Wording<'_>, answer: &Answer) -> Result<Self, WordsError> {
        let (asked, likely) = (&answer.asked, answer.likely);
        let (status, whose) = match likely.whose() {
            Whose::You => (Status::Operational, "me-whose-you"),
            Whose::Api if matches!(likely.theirs, Some(Theirs::Planned)) => {
                (Status::Maintenance, "me-whose-planned")
            }
            Whose::Api if matches!(likely.theirs, Some(Theirs::Fails(_))) => {
                (Status::MajorOutage, "me-whose-api")
            }
            Whose::Api => (Status::Degraded, "me-whose-api"),
            Whose::Both => (Status::MajorOutage, "me-whose-both"),
            Whose::Nobody => (Status::Operational, "me-whose-nobody"),
            Whose::Unknown => (Status::Unknown, "me-whose-unknown"),
        };
        let mut causes = Vec::new();
        if let Some(theirs) = likely.theirs {
            causes.push(cause(wording, theirs_key(theirs), theirs)?);
        }
        if let Some(yours) = likely.yours {
            let key = yours.word();
            let pair = [format!("me-yours-{key}"), format!("me-try-{key}")];
            causes.push((wording.plain(&pair[0])?, wording.plain(&pair[1])?));
        }
        Ok(Self {
            about: Link {
                href: wording.href(&Page::Api(asked.instance.api.clone())),
                text: wording.name(&asked.instance).to_owned(),
            },
            environment: wording.environment(asked.instance.environment)?,
            at: wording.short(asked.at.unwrap_or(wording.snapshot.as_of)),
            saw: asked.saw.map(|saw| saw_in_words(wording, saw)).transpose()?,
            shape: wording.shape(status)?,
            whose: wording.plain(whose)?,
            causes,
            ours: answer.ours.iter().map(|outcome| seen(wording, outcome)).collect::<Result<_, _>>()?,
        })
    }

    /// For programs: one paragraph.
    pub(crate) fn in_short(&self) -> String {
        let ours =
            self.ours.iter().map(|seen| format!("{}: {}, {}.", seen.operation, seen.what, seen.at.words));
        let causes = self.causes.iter().flat_map(|(cause, advice)| [cause.clone(), advice.clone()]);
        std::iter::once(format!("{}.", self.whose)).chain(ours).chain(causes).collect::<Vec<_>>().join(" ")
    }
}

fn cause(wording: &Wording<'_>, key: &str, theirs: Theirs) -> Result<(String, String), WordsError> {
    let says = match theirs {
        Theirs::Fails(class) => {
            wording.say("me-theirs-fails", &[("text", wording.plain(class_key(class))?.into())])?
        }
        Theirs::Slow | Theirs::RefusesUsToo | Theirs::OnlySome | Theirs::Planned => {
            wording.plain(&format!("me-theirs-{key}"))?
        }
    };
    Ok((says, wording.plain(&format!("me-try-{key}"))?))
}

pub(crate) const fn theirs_key(theirs: Theirs) -> &'static str {
    match theirs {
        Theirs::Fails(_) => "fails",
        Theirs::Slow => "slow",
        Theirs::RefusesUsToo => "refuses-us-too",
        Theirs::OnlySome => "only-some",
        Theirs::Planned => "planned",
    }
}

fn seen(wording: &Wording<'_>, outcome: &OurOutcome) -> Result<Seen, WordsError> {
    let what = match (outcome.class, outcome.status) {
        (None, Some(status)) => wording.say("me-got-status", &[("text", status.to_string().into())])?,
        (None, None) => wording.plain("me-got-good")?,
        (Some(class), Some(status)) if !matches!(class, ErrorClass::Late | ErrorClass::SaysUnwell) => {
            format!("{} ({status})", wording.plain(class_key(class))?)
        }
        (Some(class), _) => wording.plain(class_key(class))?,
    };
    Ok(Seen {
        operation: outcome.check.operation.to_string(),
        shape: wording.verdict(Some(outcome.verdict))?,
        what,
        at: wording.times().second(outcome.at),
    })
}

/// The key of what a caller meets.
pub(crate) const fn class_key(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::NameNotFound => "class-name-not-found",
        ErrorClass::NoConnection => "class-no-connection",
        ErrorClass::NotSecure => "class-not-secure",
        ErrorClass::NoToken => "class-no-token",
        ErrorClass::Refused => "class-refused",
        ErrorClass::TooMany => "class-too-many",
        ErrorClass::GatewayError => "class-gateway-error",
        ErrorClass::ServerError => "class-server-error",
        ErrorClass::NoAnswer => "class-no-answer",
        ErrorClass::WrongAnswer => "class-wrong-answer",
        ErrorClass::SaysUnwell => "class-says-unwell",
        ErrorClass::Late => "class-late",
        ErrorClass::Job => "class-job",
        ErrorClass::Ours => "class-ours",
    }
}
