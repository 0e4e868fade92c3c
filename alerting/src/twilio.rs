//! Calls through Twilio (incident-systems.md §3.5). Not verified against the real service.
//!
//! A call has no key of ours: whether one was made is asked by its number and time. Calls that are known to be of another
//! notification are left out; of what another process made that is not known, and such a call is taken for ours: whoever
//! was rung has heard, and the next step comes in its time.

use crate::{Examined, Finding, SendError, Trace, Twilio, answer::Answer};
use domain::{Clock, Notification, Secret, Sent};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Mutex, time::Duration};
use store::crash_point;
use tokio::time::Instant;

const WHOM: &str = "Twilio";
/// An account's limit; more would wait there, unseen.
const APART: Duration = Duration::from_secs(1);
/// Rings so long, in seconds: most voicemails answer later.
const RINGS: &str = "25";
/// How far our clocks may differ.
const CLOCKS: SignedDuration = SignedDuration::from_secs(10);
/// Calls whose notification is remembered.
const MOST_PLACED: usize = 1_000;

/// Rings people up.
#[derive(Debug)]
pub(crate) struct VoiceService {
    settings: Twilio,
    client: Client,
    patience: Duration,
    /// When the next call may be made.
    next: Mutex<Option<Instant>>,
    /// Of which notification each call is, by its SID.
    placed: Mutex<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Placed {
    sid: String,
}

#[derive(Deserialize)]
struct Calls {
    calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
struct Call {
    sid: String,
    from: String,
    status: String,
    date_created: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

#[derive(Deserialize)]
struct Account {
    friendly_name: String,
    status: String,
}

impl VoiceService {
    pub(crate) const fn new(settings: Twilio, client: Client, patience: Duration) -> Self {
        Self { settings, client, patience, next: Mutex::new(None), placed: Mutex::new(BTreeMap::new()) }
    }

    /// Rings `number` up. Never safe to repeat: ask [`Self::trace`] first. `told_at`: our site, which is told what became of it.
    pub(crate) async fn call(
        &self,
        number: &Secret,
        words: &str,
        key: &str,
        told_at: Option<&str>,
    ) -> Result<Sent, SendError> {
        if let Some(at) = self.turn() {
            tokio::time::sleep_until(at).await;
        }
        let mut form = vec![
            ("To", number.reveal().to_owned()),
            ("From", self.settings.from.clone()),
            ("Twiml", words.to_owned()),
            ("Timeout", RINGS.to_owned()),
        ];
        if let Some(site) = told_at {
            // A key has nothing that a query would have to escape.
            form.push(("StatusCallback", format!("{site}/hooks/twilio/status?key={key}")));
            form.push(("StatusCallbackEvent", "answered".to_owned()));
            form.push(("StatusCallbackEvent", "completed".to_owned()));
        }
        let request = self.client.post(self.url("/Calls.json")).form(&form);
        crash_point!("call/before-send");
        let placed: Placed = self.ask(request).await?.json(WHOM)?;
        crash_point!("call/taken");
        if let Ok(mut known) = self.placed.lock() {
            if known.len() >= MOST_PLACED {
                known.clear();
            }
            known.insert(placed.sid.clone(), key.to_owned());
        }
        Ok(Sent::Accepted { provider_id: placed.sid })
    }

    /// What has become of the call of that notification.
    pub(crate) async fn trace(
        &self,
        number: &Secret,
        notification: &Notification,
    ) -> Result<Trace, SendError> {
        let since = notification.at - CLOCKS;
        let query = [("To", number.reveal()), ("StartTime>", &since.to_string()), ("PageSize", "50")];
        let calls: Calls =
            self.ask(self.client.get(self.url("/Calls.json")).query(&query)).await?.json(WHOM)?;
        crash_point!("call/traced");
        let known = self.placed.lock().map(|known| known.clone()).unwrap_or_default();
        let ours: Vec<&Call> = calls
            .calls
            .iter()
            .filter(|call| call.from == self.settings.from && call.is_since(since))
            .filter(|call| known.get(&call.sid).is_none_or(|key| *key == notification.key))
            .collect();
        Ok(meaning(&ours))
    }

    /// Asks for the account: `GET /Accounts/{Sid}.json`.
    pub(crate) async fn examine(&self, clock: &Clock) -> Examined {
        let seen = self.exchange(self.client.get(self.url(".json"))).await;
        let what = format!("{WHOM}: our account");
        let mend =
            "check `twilio.account`, `key` and `secret` in Twilio's console; nobody is rung up until then";
        let (finding, date) = match seen {
            Err(error) => (Finding::problem(what, error.why(), mend), None),
            Ok(answer) if !answer.status.is_success() => {
                (Finding::problem(what, refused(&answer).why(), mend), answer.date)
            }
            Ok(answer) => {
                let finding = match answer.json::<Account>(WHOM) {
                    Err(error) => Finding::problem(what, error.why(), mend),
                    Ok(account) if account.status == "active" => {
                        Finding::ok(what, format!("'{}' is active", account.friendly_name))
                    }
                    Ok(account) => Finding::problem(
                        what,
                        format!("'{}' is {}", account.friendly_name, account.status),
                        "see in Twilio's console why; nobody is rung up until it is active",
                    ),
                };
                (finding, answer.date)
            }
        };
        let ours = clock.now();
        let clock = date.map(|theirs| crate::ClockSeen { whose: WHOM.to_owned(), theirs, ours });
        Examined { findings: vec![finding], clock, certificate: None }
    }

    /// When the next call may be made: each has a second of its own.
    fn turn(&self) -> Option<Instant> {
        let mut next = self.next.lock().ok()?;
        let at = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
        *next = Some(at + APART);
        Some(at)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}{path}", self.settings.url, self.settings.account)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, SendError> {
        let answer = self.exchange(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Answer, SendError> {
        let (key, secret) = (&self.settings.key, self.settings.secret.reveal());
        Answer::to(request.basic_auth(key, Some(secret)).timeout(self.patience), WHOM).await
    }
}

impl Call {
    /// One that says no time is taken for new: it waits to be made.
    fn is_since(&self, since: Timestamp) -> bool {
        let made = self.date_created.as_ref().and_then(|date| rfc2822::parse(date).ok());
        made.is_none_or(|made| made.timestamp() >= since)
    }
}

/// One that rings or rang is taken; that nobody took up is for another way, and at once.
fn meaning(calls: &[&Call]) -> Trace {
    let is = |words: &'static [&str]| calls.iter().find(move |call| words.contains(&call.status.as_str()));
    if let Some(call) = calls.iter().find(|call| !NOT_TAKEN_UP.contains(&call.status.as_str())) {
        return Trace::Taken(Sent::Accepted { provider_id: call.sid.clone() });
    }
    match is(&["busy", "no-answer"]) {
        Some(call) => Trace::Impossible { why: format!("{WHOM}: {}", call.status) },
        None if calls.is_empty() => Trace::Unknown,
        None => Trace::Failed,
    }
}

const NOT_TAKEN_UP: [&str; 4] = ["busy", "no-answer", "failed", "canceled"];

/// By status and code, never by its message: that may quote a number.
fn refused(answer: &Answer) -> SendError {
    let code = answer.json::<Refusal>(WHOM).map(|refusal| format!("error {}", refusal.code));
    let code = code.unwrap_or_default();
    match answer.status {
        StatusCode::BAD_REQUEST => {
            answer.refused(WHOM, &format!("{code}; check the number and `twilio.from`"))
        }
        StatusCode::UNAUTHORIZED => {
            answer.refused(WHOM, &format!("{code}; check `twilio.key` and its secret"))
        }
        _ => answer.refused(WHOM, &code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traced(statuses: &[&str]) -> Trace {
        let calls: Vec<Call> = statuses
            .iter()
            .map(|status| Call {
                sid: (*status).to_owned(),
                from: String::new(),
                status: (*status).to_owned(),
                date_created: None,
            })
            .collect();
        meaning(&calls.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_call_that_rings_or_rang_is_not_made_again_and_one_that_nobody_took_up_is_for_another_way() {
        for taken in ["queued", "ringing", "in-progress", "completed"] {
            let sent = Sent::Accepted { provider_id: taken.to_owned() };
            assert_eq!(traced(&["failed", taken]), Trace::Taken(sent));
        }
        assert!(matches!(traced(&["failed", "busy"]), Trace::Impossible { .. }));
        assert_eq!(traced(&["failed"]), Trace::Failed);
        assert_eq!(traced(&[]), Trace::Unknown);
    }

    #[test]
    fn a_call_of_before_is_another_one() {
        let call = |date: Option<&str>| Call {
            sid: String::new(),
            from: String::new(),
            status: String::new(),
            date_created: date.map(str::to_owned),
        };
        let since = "2026-11-21T00:10:00Z".parse().unwrap();
        assert!(call(Some("Sat, 21 Nov 2026 00:10:01 +0000")).is_since(since));
        assert!(!call(Some("Sat, 21 Nov 2026 00:09:59 +0000")).is_since(since));
        assert!(call(None).is_since(since));
    }
}
