//! Every day a machine is called by the very way of a real callout: that calls leave is known before one must.

use crate::{Callout, Cause, Incident, PersonId, Situation, TestCall, Way, fold::Fold, local, test_call};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

/// Who is called every day, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyTest {
    /// One of the people: a machine's mailbox or telephone.
    pub call: PersonId,
    /// At this time, by the site's clock.
    pub at: Time,
}

/// How long a daily test took from hop to hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hops {
    /// From its time of the day until it was decided; a program that was away then is late.
    pub decided: SignedDuration,
    /// From there until a carrier had it by every way; `None`: by one of them it did not arrive.
    pub accepted: Option<SignedDuration>,
    /// From there until the carrier says that it arrived; `None`: it has not said so.
    pub delivered: Option<SignedDuration>,
    /// From there until it was answered; `None`: it was not, as most machines do not.
    pub answered: Option<SignedDuration>,
}

/// Calls, when it is time and today's has not been. Says when it is time next.
pub(crate) fn call(fold: &mut Fold) -> Timestamp {
    let configuration = fold.configuration();
    let Some(daily) = &configuration.daily_test else { return Timestamp::MAX };
    let zone = &configuration.site.time_zone;
    let today = zone.to_datetime(fold.now).date();
    let due = time_of(daily, today, zone);
    if fold.now < due {
        return due;
    }
    let done = |incident: &Incident| matches!(&incident.cause, Cause::Test(TestCall::Daily { on, .. }) if *on >= today);
    if !fold.after.incidents.values().any(|incident| done(incident)) {
        let test = TestCall::Daily { person: daily.call.clone(), on: today };
        test_call::call(fold, test, "it is called every day".to_owned());
    }
    time_of(daily, today.tomorrow().unwrap_or(today), zone)
}

fn time_of(daily: &DailyTest, day: Date, zone: &TimeZone) -> Timestamp {
    local::first(zone, day.to_datetime(daily.at))
}

/// When the next one is, where the last that is over did not arrive: until then nothing shows that a call would.
pub(crate) fn failed(situation: &Situation, now: Timestamp) -> Option<Timestamp> {
    let daily = situation.configuration.daily_test.as_ref()?;
    let mut over = situation.incidents.values().rev().filter(|incident| !incident.is_open());
    let last = over.find(|incident| matches!(incident.cause, Cause::Test(TestCall::Daily { .. })))?;
    if arrived(last) {
        return None;
    }
    let zone = &situation.configuration.site.time_zone;
    let today = zone.to_datetime(now).date();
    let days = [today, today.tomorrow().unwrap_or(today)];
    days.into_iter().map(|day| time_of(daily, day, zone)).find(|at| *at > now)
}

/// Whether it was brought to the telephone, and a mail server had it in time: of an e-mail nobody says more.
pub(crate) fn arrived(test: &Incident) -> bool {
    callout(test).is_some_and(|callout| {
        callout.ways.iter().all(|way| match way {
            Way::Text | Way::Voice => callout.delivered.contains(way),
            Way::Email | Way::Webhook => taken(callout, *way, test.opened_at + test_call::DAILY_LASTS),
        })
    })
}

fn callout(test: &Incident) -> Option<&Callout> {
    test.escalation.as_ref()?.callouts.first()
}

/// That it may have arrived is no proof.
fn taken(callout: &Callout, way: Way, until: Timestamp) -> bool {
    let accepted = callout.accepted.iter().any(|(accepted, at)| *accepted == way && *at < until);
    callout.delivered.contains(&way) || (accepted && !callout.given_up.contains(&way))
}

impl Situation {
    /// How the last daily test went; `None`: there was none lately.
    pub fn last_daily_test(&self) -> Option<Hops> {
        let (test, on) = self.incidents.values().rev().find_map(|incident| {
            let Cause::Test(TestCall::Daily { on, .. }) = &incident.cause else { return None };
            Some((incident, *on))
        })?;
        let due = self.configuration.daily_test.as_ref();
        let due = due.map_or(test.opened_at, |daily| time_of(daily, on, &self.configuration.site.time_zone));
        let callout = callout(test)?;
        let since = |at: Timestamp| at.duration_since(test.opened_at).max(SignedDuration::ZERO);
        let last = callout.accepted.iter().map(|(_, at)| since(*at)).max();
        Some(Hops {
            decided: test.opened_at.duration_since(due).max(SignedDuration::ZERO),
            accepted: last.filter(|_| arrived(test)),
            delivered: callout.delivered_at.map(since),
            answered: callout.answer.map(|(at, _)| since(at)),
        })
    }
}
