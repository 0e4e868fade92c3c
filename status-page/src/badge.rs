//! Badges: one figure of an instance as a small drawing, for other people's pages.

use crate::{
    InstanceView, WordsError,
    when::percent,
    wording::{Wording, status_key},
    xml::escape,
};
use domain::{ApiId, Environment, InstanceId, Language, Status};

/// Where they are.
const FOLDER: &str = "/badges/";

/// One badge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Badge {
    instance: InstanceId,
    show: Show,
    pub(crate) language: Language,
}

/// What it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Show {
    Status,
    Availability,
    ResponseTime,
}

impl Badge {
    /// The badge that a path and a query name, whether or not there is such an instance.
    pub(crate) fn parse(path: &str, query: &str) -> Option<Self> {
        let (api, environment) = path.strip_prefix(FOLDER)?.strip_suffix(".svg")?.split_once('/')?;
        let instance =
            InstanceId { api: ApiId::parse(api).ok()?, environment: Environment::parse(environment)? };
        let show = match crate::form::value(query, "show").as_deref() {
            None | Some("status") => Show::Status,
            Some("availability") => Show::Availability,
            Some("response-time") => Show::ResponseTime,
            Some(_) => return None,
        };
        let language = match crate::form::value(query, "lang") {
            None => Language::En,
            Some(tag) => Language::ALL.into_iter().find(|language| language.tag() == tag)?,
        };
        Some(Self { instance, show, language })
    }

    /// The badge of an instance's status.
    pub(crate) const fn of(instance: InstanceId) -> Self {
        Self { instance, show: Show::Status, language: Language::En }
    }

    /// Where it is, without what the query adds.
    pub(crate) fn path(&self) -> String {
        format!("{FOLDER}{}/{}.svg", self.instance.api, self.instance.environment)
    }

    /// Its drawing; `None`: the audience sees no such instance.
    pub(crate) fn draw(&self, wording: &Wording<'_>) -> Result<Option<String>, WordsError> {
        let Some(instance) = wording.snapshot.instance(&self.instance) else {
            return Ok(None);
        };
        let place =
            format!("{} – {}", wording.name(&self.instance), wording.environment(self.instance.environment)?);
        let face = match self.show {
            Show::Status => status(wording, instance, place)?,
            Show::Availability => availability(wording, instance, &place)?,
            Show::ResponseTime => response_time(wording, instance, &place)?,
        };
        Ok(Some(face.svg(wording.language)))
    }
}

/// What stands on a badge.
struct Face {
    label: String,
    value: String,
    /// The title, beyond what stands on it.
    more: Option<String>,
    colours: (&'static str, &'static str),
}

fn status(wording: &Wording<'_>, instance: &InstanceView, label: String) -> Result<Face, WordsError> {
    // What cannot be recorded cannot be shown either.
    let shown = if wording.snapshot.unrecorded_since.is_some() { Status::Unknown } else { instance.shown };
    let more = match instance.since.filter(|_| wording.snapshot.unrecorded_since.is_none()) {
        Some(since) => {
            Some(format!("{} {}", wording.plain("since")?.to_lowercase(), wording.times().full(since).words))
        }
        None => None,
    };
    Ok(Face { label, value: wording.plain(status_key(shown))?, more, colours: colours(shown) })
}

fn availability(wording: &Wording<'_>, instance: &InstanceView, place: &str) -> Result<Face, WordsError> {
    let tally = instance.past.as_ref().map(|past| &past.last_quarter);
    let share = tally.and_then(|tally| wording.snapshot.policy.availability(tally));
    let measured = tally.and_then(domain::Tally::coverage).map(percent);
    Ok(Face {
        label: format!("{place} – {}", wording.plain("available-quarter")?),
        value: share.map_or_else(|| wording.plain("not-measured"), |share| Ok(percent(share)))?,
        more: measured
            .filter(|_| share.is_some())
            .map(|share| wording.say("measured-share", &[("share", share.into())]))
            .transpose()?,
        colours: colours(if share.is_some() { Status::Maintenance } else { Status::Unknown }),
    })
}

fn response_time(wording: &Wording<'_>, instance: &InstanceView, place: &str) -> Result<Face, WordsError> {
    let p95 = instance.past.as_ref().and_then(|past| past.latency).map(|took| Wording::latency(took.p95));
    let more =
        p95.clone().map(|p95| wording.say("response-time-more", &[("p95", p95.into())])).transpose()?;
    Ok(Face {
        label: format!("{place} – {}", wording.plain("response-time")?),
        colours: colours(if p95.is_some() { Status::Maintenance } else { Status::Unknown }),
        value: p95.map_or_else(|| wording.plain("not-measured"), Ok)?,
        more,
    })
}

/// Ground and ink, with a contrast of at least 4.5 to 1; as on pages.
const fn colours(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Operational => ("#007f3b", "#fff"),
        Status::Degraded => ("#ffb81c", "#212b32"),
        Status::PartialOutage => ("#b8490b", "#fff"),
        Status::MajorOutage => ("#d5281b", "#fff"),
        Status::Maintenance => ("#005eb8", "#fff"),
        Status::Unknown => ("#4c6272", "#fff"),
    }
}

impl Face {
    fn svg(&self, language: Language) -> String {
        let (left, right) = (width(&self.label), width(&self.value));
        let (ground, ink) = self.colours;
        let title = match &self.more {
            Some(more) => format!("{}: {}, {more}", self.label, self.value),
            None => format!("{}: {}", self.label, self.value),
        };
        let text = |x: u32, length: u32, ink: &str, text: &str| {
            format!(
                "<text x=\"{}\" y=\"14\" fill=\"{ink}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                x + PADDING,
                length - 2 * PADDING,
                escape(text)
            )
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" viewBox=\"0 0 {all} 20\" role=\"img\" \
             aria-labelledby=\"title\" lang=\"{lang}\" xml:lang=\"{lang}\">\n<title id=\"title\">{}</title>\n\
             <path fill=\"#212b32\" d=\"M0 0h{left}v20H0z\"/><path fill=\"{ground}\" d=\"M{left} 0h{right}v20H{left}z\"/>\n\
             <g font-family=\"Verdana, DejaVu Sans, Arial, sans-serif\" font-size=\"11\" aria-hidden=\"true\">{}{}</g>\n</svg>\n",
            escape(&title),
            text(0, left, "#fff", &self.label),
            text(left, right, ink, &self.value),
            all = left + right,
            lang = language.tag(),
        )
    }
}

const PADDING: u32 = 6;

/// What a text takes, with room on both sides, in about the widths of its font: the drawing holds it to that.
fn width(text: &str) -> u32 {
    let tenths: u32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '’' | '|' | '!' => 35,
            'f' | 'r' | 't' | ' ' | '(' | ')' | '-' => 45,
            'm' | 'w' | 'M' | 'W' | '%' | '@' | 'ŵ' | 'Ŵ' => 100,
            c if c.is_uppercase() => 78,
            _ => 67,
        })
        .sum();
    tenths.div_ceil(10) + 2 * PADDING
}
