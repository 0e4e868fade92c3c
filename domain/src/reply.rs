//! What people answer by text: read from their words, and folded in.
//!
//! An incident's number is its reply code: distinct, and short enough to be typed at 3 am. Nobody may be taken to have an
//! incident by mistake, and telephones answer by themselves ("I am driving, back in 5 minutes"): so a number counts only
//! if whoever sent it was called for that incident, and nothing takes one but a text that says nothing but yes. A no needs less:
//! it only has the next called.

use crate::{
    Answer, Callout, Incident, IncidentId, IncidentStatus, NotificationKind, Often, PersonId, Way, answered,
    fold::Fold,
    telling::{person_channel, send},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Of a text so much is read; one that is longer is no answer but a letter.
const READ: usize = 300;
/// Numbers that are kept of a text.
const MOST_NUMBERS: usize = 4;
/// What we say back to one call: beyond it, two machines are talking.
const MOST_REPLIES: usize = 4;
/// What we took from a text is news for so long.
const EXPIRES: SignedDuration = SignedDuration::from_mins(15);

/// Of several things somebody was called for, one that has been over for less than this may still be meant.
const STILL_MEANT: SignedDuration = SignedDuration::from_mins(30);
/// A carrier's clock, which says when a text was sent, may be so far behind ours.
const OTHER_CLOCK: SignedDuration = SignedDuration::from_mins(2);

const YES: [&str; 21] = [
    "y", "yes", "yep", "ok", "okay", "ack", "mine", "taken", "got", "it", "i", "i'm", "on", "have", "ie",
    "ydw", "iawn", "derbyn", "gen", "fi", "gennyf",
];
/// Beside an answer they change nothing; by themselves they are none.
const POLITE: [&str; 5] = ["please", "thanks", "thank", "you", "diolch"];
const NO: [&str; 20] = [
    "n", "no", "not", "nope", "cannot", "cant", "can't", "pass", "next", "busy", "unable", "na", "nac",
    "nage", "nid", "methu", "pasio", "nesaf", "ddim", "prysur",
];
const TEST: [&str; 2] = ["test", "prawf"];

/// A text of a person, as far as it can be an answer. Its words are not kept: whatever they say may be about anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Numbers in it, which may be incidents'.
    numbers: Vec<u64>,
    wish: Wish,
}

/// What it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    /// To take it: nothing stands beside that, and beside the number, but words that say so.
    Take,
    /// To call the next.
    Pass,
    /// It is only a test.
    Test,
    /// It cannot be told.
    Unclear,
}

impl Reply {
    /// Reads a text. `42`, `C-42` and `42 yes` take it; `42 no`, `NO 42` pass it on; also in Welsh.
    pub fn parse(text: &str) -> Self {
        let mut numbers = Vec::new();
        let (mut yes, mut no, mut is_test, mut other) = (false, false, false, text.chars().count() > READ);
        for word in words(text) {
            if let Ok(number) = word.parse() {
                if numbers.len() < MOST_NUMBERS && !numbers.contains(&number) {
                    numbers.push(number);
                }
            } else if NO.contains(&&*word) {
                no = true;
            } else if TEST.contains(&&*word) {
                is_test = true;
            } else if YES.contains(&&*word) {
                yes = true;
            } else if word != "c" && !POLITE.contains(&&*word) {
                other = true;
            }
        }
        let wish = if no && (!other || !numbers.is_empty()) {
            Wish::Pass
        } else if other {
            Wish::Unclear
        } else if !numbers.is_empty() {
            Wish::Take
        } else if is_test {
            Wish::Test
        } else if yes {
            Wish::Take
        } else {
            Wish::Unclear
        };
        Self { numbers, wish }
    }
}

/// In small letters; digits apart from letters (`no42`).
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut kind = None;
    for c in text.chars().take(READ) {
        let c = if c == '’' { '\'' } else { c };
        let now = match c {
            '0'..='9' => Some(true),
            c if c.is_alphabetic() || c == '\'' => Some(false),
            _ => None,
        };
        if now.is_some() && now != kind {
            words.push(String::new());
        }
        kind = now;
        if let Some(word) = words.last_mut().filter(|_| now.is_some()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// Who was called for what, and by which number of call.
struct Called {
    incident: IncidentId,
    callout: Callout,
    /// When they were first called for it, since it failed this time; `None`: only before that.
    since: Option<Timestamp>,
}

/// A text came from a telephone that is that of `people`; `id`: the carrier's name for it, the same when it tells it again.
pub(crate) fn receive(
    fold: &mut Fold,
    (people, id): (&[PersonId], &str),
    reply: &Reply,
    at: Timestamp,
) -> Result<String, String> {
    if was_heard(fold, people, id) {
        let said = "that text was heard already".to_owned();
        return if reply.numbers.is_empty() { Err(said) } else { Ok(said) };
    }
    let called = all_called(fold, people);
    let meant = meant(fold, &called, reply, at);
    let answer = match reply.wish {
        Wish::Pass => Answer::CallNext,
        Wish::Take | Wish::Test | Wish::Unclear => Answer::Mine,
    };
    if let (Some(one), false) = (meant, reply.wish == Wish::Unclear) {
        let said = answered::answered(fold, &one.callout.reference, (answer, Some(Way::Text)), at);
        say_back(fold, one, id, Some(answer));
        return said;
    }
    // Whom nobody waits for has not answered anything.
    let Some(waits) = called.iter().rev().find(|one| is_open(fold, one)) else {
        return Err("nobody waits for an answer from that telephone".to_owned());
    };
    if let Some(mut incident) = fold.incident(waits.incident) {
        let name = fold.person(&waits.callout.person);
        let text = format!("{name} sent a text that is no answer; their words are not kept");
        incident.note_often(at, Often::Unclear, &name, text);
        fold.put_incident(incident);
    }
    say_back(fold, waits, id, None);
    Err("the text is no answer".to_owned())
}

/// Whether a carrier tells a text again: it may have been handed over since, or the text mean something else by now.
fn was_heard(fold: &Fold, people: &[PersonId], id: &str) -> bool {
    let running = fold.after.incidents.values().filter_map(|incident| incident.escalation.as_ref());
    let mut all = running.flat_map(|running| &running.callouts);
    all.any(|callout| people.contains(&callout.person) && callout.replies.iter().any(|said| said == id))
}

/// All that one of these people was called for, oldest first; of each incident the last call.
fn all_called(fold: &Fold, people: &[PersonId]) -> Vec<Called> {
    let last = |incident: &Incident| {
        let callouts = &incident.escalation.as_ref()?.callouts;
        let mut theirs = callouts.iter().filter(|callout| people.contains(&callout.person));
        let since = theirs.clone().map(|callout| callout.at).find(|at| *at >= incident.opened_at);
        Some(Called { incident: incident.id, callout: theirs.next_back()?.clone(), since })
    };
    fold.after.incidents.values().filter_map(|incident| last(incident)).collect()
}

/// The one thing that can be meant.
fn meant<'c>(fold: &Fold, called: &'c [Called], reply: &Reply, at: Timestamp) -> Option<&'c Called> {
    if !reply.numbers.is_empty() {
        return only(called.iter().filter(|one| reply.numbers.contains(&one.incident.0)));
    }
    // Nobody says yes to what they were not called for yet, or to what failed another time.
    let said_before = |one: &&Called| {
        let over = fold.incident(one.incident).is_none_or(|incident| !incident.is_open());
        one.since.map_or(!over, |since| at + OTHER_CLOCK < since)
    };
    let open = |test: bool| {
        let of_it = move |incident: &Incident| incident.is_open() && incident.is_test() == test;
        let called = called.iter().filter(move |one| !said_before(one));
        called.filter(move |one| fold.incident(one.incident).is_some_and(|incident| of_it(&incident)))
    };
    if reply.wish == Wish::Test {
        return only(open(true));
    }
    let waiting = |one: &&Called| {
        fold.incident(one.incident)
            .is_some_and(|incident| incident.status == IncidentStatus::Open && !incident.is_test())
    };
    if open(false).next().is_none() {
        return only(open(true));
    }
    if reply.wish == Wish::Pass {
        // What works again, and what they have themselves, waits for nobody; but whoever cannot go on says so.
        let watched = |one: &&Called| {
            fold.incident(one.incident).is_some_and(|incident| {
                let theirs = incident.acknowledged.as_ref().and_then(|taken| taken.person.as_ref());
                incident.status == IncidentStatus::Recovering || theirs == Some(&one.callout.person)
            })
        };
        let waits = open(false).any(|one| waiting(&one));
        return if waits { only(open(false).filter(waiting)) } else { only(open(false).filter(watched)) };
    }
    // Who was just told to stand down thanks for that: of several it cannot be told which is meant.
    let lately = |one: &&Called| {
        fold.incident(one.incident).is_some_and(|incident| {
            let over = incident.resolved_at.is_some_and(|at| fold.now.duration_since(at) < STILL_MEANT);
            // What they had themselves before they were called for the rest, or another has had for long, is settled; of a part
            // its wider trouble called anew.
            let settled = incident.acknowledged.as_ref().is_some_and(|taken| {
                let mut others = called.iter().filter(|other| other.incident != one.incident).filter(waiting);
                let theirs = taken.person.as_ref() == Some(&one.callout.person);
                (theirs && others.all(|other| other.callout.at > taken.at))
                    || fold.now.duration_since(taken.at) >= STILL_MEANT
            });
            let open = incident.is_open() && !settled;
            !incident.is_test() && !said_before(one) && (open || (over && incident.part_of.is_none()))
        })
    };
    only(called.iter().filter(lately)).filter(waiting)
}

fn only<T>(mut of: impl Iterator<Item = T>) -> Option<T> {
    let first = of.next()?;
    of.next().is_none().then_some(first)
}

fn is_open(fold: &Fold, one: &Called) -> bool {
    fold.incident(one.incident).is_some_and(|incident| incident.is_open())
}

/// What we took from it, so that nobody believes they have what they have not.
fn say_back(fold: &mut Fold, to: &Called, id: &str, answer: Option<Answer>) {
    let Some(mut incident) = fold.incident(to.incident) else { return };
    let Some(callout) = incident.callout_mut(to.callout.number) else { return };
    if callout.replies.len() >= MOST_REPLIES || callout.replies.iter().any(|said| said == id) {
        return;
    }
    callout.replies.push(id.to_owned());
    fold.put_incident(incident);
    let kind = NotificationKind::Heard { callout: to.callout.number, answer };
    let channel = person_channel(Way::Text, to.callout.person.clone());
    send(fold, to.incident, &format!("heard/{id}"), kind, channel, EXPIRES);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<u64>, Wish) {
        let Reply { numbers, wish } = Reply::parse(text);
        (numbers, wish)
    }

    #[test]
    fn a_number_takes_it_and_a_no_beside_it_passes_it_on() {
        for text in
            ["42", " 42. ", "C-42", "c42", "42 yes", "OK 42!", "42 got it thanks", "42 iawn", "I have 42"]
        {
            assert_eq!(read(text), (vec![42], Wish::Take), "{text}");
        }
        for text in
            ["42 no", "NO 42", "no42", "42N", "can’t take 42", "pass on 42", "42 na", "methu 42", "42, pasio"]
        {
            assert_eq!(read(text), (vec![42], Wish::Pass), "{text}");
        }
    }

    #[test]
    fn a_telephone_that_answers_by_itself_takes_nothing_though_it_names_the_very_number() {
        for text in [
            "I am driving, back in 42 minutes",
            "Who is 42?",
            "42 what",
            "Rwy’n gyrru, yn ôl mewn 42 munud",
            "You have 42 new messages",
        ] {
            assert_eq!(read(text), (vec![42], Wish::Unclear), "{text}");
        }
        assert_eq!(read("42 diolch"), (vec![42], Wish::Take));
        assert_eq!(read("In a meeting, can’t talk. Ring 42"), (vec![42], Wish::Pass), "the next is called");
    }

    #[test]
    fn without_a_number_only_a_plain_word_is_an_answer() {
        for text in ["yes", "OK", "Got it", "ie", "Derbyn"] {
            assert_eq!(read(text), (vec![], Wish::Take), "{text}");
        }
        for text in ["no", "N", "Pass", "na"] {
            assert_eq!(read(text), (vec![], Wish::Pass), "{text}");
        }
        for text in ["TEST", "prawf", "test ok"] {
            assert_eq!(read(text), (vec![], Wish::Test), "{text}");
        }
        assert_eq!(read("OK thanks"), (vec![], Wish::Take));
        for text in [
            "",
            "?!",
            "thank you",
            "Diolch",
            "I'm driving with Driving Focus turned on.",
            "yes who is this",
            "no idea",
        ] {
            assert_eq!(read(text), (vec![], Wish::Unclear), "{text}");
        }
    }

    #[test]
    fn whatever_comes_is_read_within_bounds() {
        let many = (1..1000).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(read(&many).0, [1, 2, 3, 4]);
        assert_eq!(read(&"y".repeat(5000)).1, Wish::Unclear);
        assert_eq!(read("99999999999999999999999"), (vec![], Wish::Unclear));
        assert_eq!(read("ŵ ŷ 🙂 '' 4\u{0}2").0, [4, 2]);
    }
}
