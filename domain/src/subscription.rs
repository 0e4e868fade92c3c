//! Who wants to be told by e-mail, of what: people from outside, of whom nothing is known but the address.

use crate::{ApiId, Environment, InstanceId, Language, ReferenceKey, Text, local};
use jiff::{Timestamp, ToSpan as _, civil::time, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Characters of the part of a reference that cannot be guessed: 160 bits.
const REFERENCE_LENGTH: usize = 32;
/// The hour of the day, local time, at which a day's news is sent in one e-mail.
const DAILY_AT: i8 = 8;

/// A mailbox as a stranger wrote it: never shown, in a log neither.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(String);

impl MailAddress {
    /// An address of the plain kind that mail servers everywhere take (RFC 5321): a local part of at most 64 characters without
    /// quotes, and a name of at least two parts; at most 254 characters of ASCII in all.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, host) = text.split_once('@')?;
        let of_local = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let dots = |part: &str| part.split('.').all(|word| !word.is_empty());
        let of_host = |word: &str| {
            let inner = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            inner && word.len() <= 63 && !word.starts_with('-') && !word.ends_with('-')
        };
        let is_right = text.len() <= 254
            && (1..=64).contains(&local.len())
            && local.chars().all(of_local)
            && dots(local)
            && host.contains('.')
            && dots(host)
            && host.split('.').all(of_host)
            && !host.ends_with(|c: char| c.is_ascii_digit());
        is_right.then(|| Self(text.to_owned()))
    }

    /// For the envelope of an e-mail.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What it has in common with other spellings that lead to the same mailbox: by it what one person gets is bounded.
    pub fn mailbox(&self) -> String {
        let lower = self.0.to_ascii_lowercase();
        let (local, host) = lower.split_once('@').unwrap_or((&lower, ""));
        format!("{}@{host}", local.split('+').next().unwrap_or(local))
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(***)")
    }
}

/// Names a subscription; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubscriptionId(pub i64);

impl SubscriptionId {
    /// What stands in the links of its e-mails: made by a keyed hash, so that it cannot be guessed and is kept nowhere.
    pub fn reference(self, key: &ReferenceKey) -> String {
        format!("{}-{}", self.0, key.word(&format!("subscription {}", self.0), REFERENCE_LENGTH))
    }

    /// The one that a reference names, if it was made with this key.
    pub fn find(reference: &str, key: &ReferenceKey) -> Option<Self> {
        let (number, _) = reference.split_once('-')?;
        let id = Self(number.parse().ok()?);
        // What differs is found by a hash of what was asked, not by the time that comparing takes.
        let hash = |text: &str| key.word(text, REFERENCE_LENGTH);
        (hash(&id.reference(key)) == hash(reference)).then_some(id)
    }
}

/// What somebody wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The language of the e-mails.
    pub language: Language,
    /// Asked for on the trusted network: of every environment, not of public ones alone.
    pub internal: bool,
    /// Only of this API.
    pub api: Option<ApiId>,
    /// Only of this environment.
    pub environment: Option<Environment>,
    /// Of which kinds.
    pub kinds: Kinds,
    /// When.
    pub pace: Pace,
}

/// Kinds of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kinds {
    /// All there are.
    All,
    /// Incidents alone.
    Incidents,
    /// Planned work alone.
    Planned,
}

/// When news is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// At once.
    Immediate,
    /// In one e-mail a day, at eight in the morning.
    Daily,
}

impl Pace {
    /// When news that came at `now` is due.
    pub fn due(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Immediate => now,
            Self::Daily => {
                let at =
                    |date: jiff::civil::Date| local::first(zone, date.to_datetime(time(DAILY_AT, 0, 0, 0)));
                let today = now.to_zoned(zone.clone()).date();
                let first = at(today);
                if first > now { first } else { at(today.checked_add(1.day()).unwrap_or(today)) }
            }
        }
    }
}

/// Something that happened, for those who want to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Made from what happened: told twice, it is sent once.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
    /// For the trusted network: it may name what is not public.
    pub internal: bool,
    /// It is about planned work, not an incident.
    pub planned: bool,
    /// What it is about, as far as its readers see.
    pub places: Vec<InstanceId>,
    /// And where, if it is about no instance.
    pub environment: Environment,
    /// The subject of an e-mail.
    pub title: Text,
    /// What is said, with a link.
    pub says: Text,
}

impl Wish {
    /// Whether `news` is what was wished for.
    pub fn is_for(&self, news: &News) -> bool {
        let kind = match self.kinds {
            Kinds::All => true,
            Kinds::Incidents => !news.planned,
            Kinds::Planned => news.planned,
        };
        let is_there = |environment: Environment| self.environment.is_none_or(|wanted| wanted == environment);
        let of_place = |place: &InstanceId| {
            is_there(place.environment) && self.api.as_ref().is_none_or(|api| *api == place.api)
        };
        let place = news.places.iter().any(of_place)
            || (news.places.is_empty() && self.api.is_none() && is_there(news.environment));
        kind && place && self.internal == news.internal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn news(planned: bool, places: &[(&str, Environment)]) -> News {
        let words = Text { en: "x".to_owned(), cy: "y".to_owned() };
        let places = places.iter().map(|(api, environment)| InstanceId {
            api: ApiId::parse(api).unwrap(),
            environment: *environment,
        });
        News {
            key: "public/C-1/1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            internal: false,
            planned,
            places: places.collect(),
            environment: Environment::Production,
            title: words.clone(),
            says: words,
        }
    }

    fn wish() -> Wish {
        Wish {
            language: Language::En,
            internal: false,
            api: None,
            environment: None,
            kinds: Kinds::All,
            pace: Pace::Immediate,
        }
    }

    #[test]
    fn an_address_is_one_that_mail_servers_take() {
        for right in ["a@b.cymru", " dev+curiad@mail.example.wales ", "O'Neil_1@x-y.nhs.uk"] {
            assert_eq!(MailAddress::parse(right).unwrap().reveal(), right.trim());
        }
        let long = format!("{}@example.wales", "a".repeat(65));
        for wrong in [
            "",
            "a",
            "@b.wales",
            "a@",
            "a@b",
            "a@b@c.wales",
            "a b@c.wales",
            "a@b.wales, c@d.wales",
            "a.@b.wales",
            "<a@b.wales>",
            "a@-b.wales",
            "a@b..wales",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a\r\nbcc:x@b.wales",
            "\"a\"@b.wales",
            "ŵ@b.wales",
            &long,
        ] {
            assert_eq!(MailAddress::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(format!("{:?}", MailAddress::parse("a@b.wales").unwrap()), "MailAddress(***)");
    }

    #[test]
    fn spellings_of_one_mailbox_are_one() {
        let mailbox = |text: &str| MailAddress::parse(text).unwrap().mailbox();
        assert_eq!(mailbox("Dev+1@Example.Wales"), mailbox("dev+2@example.wales"));
        assert_ne!(mailbox("dev@example.wales"), mailbox("dev@example.cymru"));
    }

    #[test]
    fn a_reference_is_found_by_the_key_it_was_made_with_alone() {
        let key = ReferenceKey([7; 32]);
        let reference = SubscriptionId(42).reference(&key);
        assert_eq!(SubscriptionId::find(&reference, &key), Some(SubscriptionId(42)));
        assert_eq!(SubscriptionId::find(&reference, &ReferenceKey([8; 32])), None);
        for wrong in ["", "42", "42-", "x-y", &reference.replace("42-", "43-"), &format!("+{reference}")] {
            assert_eq!(SubscriptionId::find(wrong, &key), None, "{wrong}");
        }
    }

    #[test]
    fn a_wish_is_of_one_place_one_kind_and_one_audience() {
        let sandbox = ("results", Environment::Sandbox);
        let both = news(false, &[sandbox, ("documents", Environment::Production)]);
        assert!(wish().is_for(&both));
        let of = |api: &str, environment| Wish { api: ApiId::parse(api).ok(), environment, ..wish() };
        assert!(of("results", None).is_for(&both));
        assert!(of("results", Some(Environment::Sandbox)).is_for(&both));
        assert!(!of("results", Some(Environment::Production)).is_for(&both), "that is the other API's");
        assert!(!of("letters", None).is_for(&both));
        let nowhere = news(false, &[]);
        assert!(wish().is_for(&nowhere) && !of("results", None).is_for(&nowhere));
        assert!(!Wish { kinds: Kinds::Planned, ..wish() }.is_for(&both));
        assert!(Wish { kinds: Kinds::Planned, ..wish() }.is_for(&news(true, &[sandbox])));
        assert!(!Wish { kinds: Kinds::Incidents, ..wish() }.is_for(&news(true, &[sandbox])));
        assert!(!Wish { internal: true, ..wish() }.is_for(&both), "nobody is told twice");
    }

    #[test]
    fn a_days_news_is_due_at_the_next_eight_in_the_morning_summer_or_winter() {
        let zone = TimeZone::get("Europe/London").unwrap();
        for (now, due) in [
            ("2026-11-21T07:59:59Z", "2026-11-21T08:00:00Z"),
            ("2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z"),
            ("2026-07-01T06:30:00Z", "2026-07-01T07:00:00Z"),
            ("2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z"),
        ] {
            assert_eq!(Pace::Daily.due(at(now), &zone), at(due), "{now}");
            assert_eq!(Pace::Immediate.due(at(now), &zone), at(now));
        }
    }
}
