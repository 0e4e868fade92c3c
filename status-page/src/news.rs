//! What happened, in words for those who asked to be told by e-mail: what was said of incidents, and what was announced of planned
//! work. Made from what pages are made from, so nobody is told what their page does not show.

use crate::{
    Audience, IncidentView, Page, RenderError, Site, WordsError, document::absolute, incidents::alone,
    view::View, wording::Wording,
};
use domain::{Environment, Incident, InstanceId, Language, Maintenance, News, PostSays, Status, Text};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Display;

/// What happened so long ago is no news.
const OLD: SignedDuration = SignedDuration::from_hours(24);
/// Work that is announced shortly before it begins is told of once.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(5);

impl Site {
    /// What happened within a day, as both audiences are told it, but for what `is_known` by its key. The same has the same key ever after.
    pub fn news(&self, is_known: impl Fn(&str) -> bool) -> Result<Vec<News>, RenderError> {
        let now = self.0.clock.now();
        let mut all = Vec::new();
        for audience in [Audience::Public, Audience::Internal] {
            let view = self.view(audience);
            let newsroom = Newsroom {
                view: &view,
                wordings: Language::ALL.map(|language| self.0.renderer.wording(&view.snapshot, language)),
                audience,
                now,
                is_known: &is_known,
            };
            for incident in &view.snapshot.incidents {
                newsroom.of_incident(incident, &mut all)?;
            }
            for planned in view.situation.maintenances.values() {
                newsroom.of_work(planned, &mut all)?;
            }
        }
        Ok(all)
    }

    /// Whether an instance works, and no incident that the audience sees troubles it. One that it does not see is not known to work.
    pub fn works(&self, instance: &InstanceId, internal: bool) -> bool {
        let view = self.view(if internal { Audience::Internal } else { Audience::Public });
        let snapshot = &view.snapshot;
        snapshot.instance(instance).is_some_and(|seen| {
            let troubled =
                |view: &IncidentView| view.affects.iter().chain(&view.held_back).any(|id| id == instance);
            seen.shown == Status::Operational && !snapshot.open_incidents().any(troubled)
        })
    }
}

struct Newsroom<'a> {
    view: &'a View,
    wordings: [Wording<'a>; 2],
    audience: Audience,
    now: Timestamp,
    is_known: &'a dyn Fn(&str) -> bool,
}

impl Newsroom<'_> {
    fn is_news(&self, at: Timestamp, key: &str) -> bool {
        at <= self.now && self.now.duration_since(at) < OLD && !(self.is_known)(key)
    }

    fn key(&self, of: &dyn Display, which: impl Display) -> String {
        let audience = if self.audience == Audience::Internal { "internal" } else { "public" };
        format!("{audience}/{of}/{which}")
    }

    fn both(&self, words: impl Fn(&Wording<'_>) -> Result<String, WordsError>) -> Result<Text, WordsError> {
        let [en, cy] = &self.wordings;
        Ok(Text { en: words(en)?, cy: words(cy)? })
    }

    fn of_incident(&self, view: &IncidentView, all: &mut Vec<News>) -> Result<(), WordsError> {
        let incident = &view.incident;
        for (number, post) in incident.posts.iter().enumerate() {
            let key = self.key(&incident.id, number + 1);
            if self.is_news(post.at, &key) {
                let says = |wording: &Wording<'_>| alone(wording, incident, &post.says);
                let over = match post.says {
                    PostSays::Resolved => Some("incident-resolved"),
                    PostSays::Recovered => Some("incident-recovering"),
                    PostSays::Investigating { .. }
                    | PostSays::Acknowledged
                    | PostSays::Returned { .. }
                    | PostSays::Words(_)
                    | PostSays::Phrases(_) => None,
                };
                all.push(self.incident(view, (post.at, key), over, says)?);
            }
        }
        let key = self.key(&incident.id, 0);
        if incident.posts.is_empty() && self.is_news(incident.opened_at, &key) {
            let says = |wording: &Wording<'_>| Ok(wording.text(&incident.diagnosis).to_owned());
            all.push(self.incident(view, (incident.opened_at, key), None, says)?);
        }
        Ok(())
    }

    fn incident(
        &self,
        view: &IncidentView,
        (at, key): (Timestamp, String),
        over: Option<&str>,
        says: impl Fn(&Wording<'_>) -> Result<String, WordsError>,
    ) -> Result<News, WordsError> {
        let incident: &Incident = &view.incident;
        Ok(News {
            key,
            at,
            internal: self.audience == Audience::Internal,
            planned: false,
            places: view.affects.iter().chain(&view.held_back).cloned().collect(),
            environment: incident.environment,
            title: self.both(|wording| {
                let title = wording.incident_title(view)?;
                Ok(match over {
                    Some(key) => format!("{}: {title}", wording.plain(key)?),
                    None => title,
                })
            })?,
            says: self.both(|wording| {
                let link = absolute(wording, &wording.href(&Page::Incident(incident.id)));
                let when = wording.times().full(at).words;
                Ok(format!("{when}\n{}\n\n{link}", says(wording)?))
            })?,
        })
    }

    fn of_work(&self, planned: &Maintenance, all: &mut Vec<News>) -> Result<(), WordsError> {
        let places = self.places(planned.environment, planned);
        if places.is_empty() {
            return Ok(());
        }
        let called_off = planned.ended_by.is_some() && planned.until <= planned.from;
        let mut moments = vec![("announced", "news-announced", planned.announced_at)];
        if planned.from.duration_since(planned.announced_at) > AT_ONCE && !called_off {
            moments.push(("begins", "news-begins", planned.from));
        }
        if planned.ended_by.is_some() {
            moments.push(("ended", "news-ended", planned.until));
        }
        for (word, says, at) in moments {
            let key = self.key(&format_args!("work-{}", planned.id), word);
            if !self.is_news(at, &key) {
                continue;
            }
            all.push(News {
                key,
                at,
                internal: self.audience == Audience::Internal,
                planned: true,
                places: places.clone(),
                environment: planned.environment,
                title: self.both(|wording| {
                    let environment = wording.environment(planned.environment)?;
                    let place = match places.first().filter(|_| planned.api.is_some()) {
                        Some(place) => format!("{}, {environment}", wording.name(place)),
                        None => environment,
                    };
                    wording.say(says, &[("name", place.into())])
                })?,
                says: self.both(|wording| {
                    let link = absolute(wording, &wording.href(&Page::Maintenance));
                    let (from, to) =
                        (wording.times().full(planned.from), wording.times().full(planned.until));
                    let why = wording.text(&planned.why);
                    Ok(format!("{} – {}\n{why}\n\n{link}", from.words, to.words))
                })?,
            });
        }
        Ok(())
    }

    /// The instances that the audience sees and that are worked on.
    fn places(&self, environment: Environment, planned: &Maintenance) -> Vec<InstanceId> {
        let instances = self.view.snapshot.apis.iter().flat_map(|api| &api.instances);
        let there = instances.filter(|instance| instance.id.environment == environment);
        there.filter(|instance| planned.concerns(&instance.id)).map(|instance| instance.id.clone()).collect()
    }
}
