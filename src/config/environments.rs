//! What is to happen in each environment.

use super::{
    names::Noun,
    nearest::{did_you_mean, nearest},
    problem::{Place, Rank},
    reading::{Reading, duration_text, parse_duration},
    retention,
    section::Section,
    tree::Node,
};
use domain::{
    Confirm, Cron, Declare, DeskId, Environment, EnvironmentPolicy, EscalationId, Flapping, Hold, HoursId,
    MajorPolicy, Priority, Publish, Storm, Visibility, Window,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

const HOLD: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 3_600);
const CONFIRM_EVERY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(7 * 24 * 3_600);

/// An environment's policy, and where its parts stand.
pub(super) struct EnvironmentDraft {
    pub policy: EnvironmentPolicy,
    pub place: Place,
    pub tell_place: Option<Place>,
    pub hold_place: Option<Place>,
    pub major_place: Option<Place>,
}

/// Reads the policies of the environments in use.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> BTreeMap<Environment, EnvironmentDraft> {
    let mut all = BTreeMap::new();
    let Some(entries) = reading.map(node, "environments") else {
        reading.names.unreadable(Noun::Environment);
        return all;
    };
    if entries.is_empty() {
        reading.wrong(&node.place, "no environment is in use");
    }
    for (name, node) in entries {
        let environment = parse(&name.word, &name.place, reading);
        // A misspelt one counts as what was meant: the misspelling is the problem, not who refers to it.
        let meant = nearest(&name.word, Environment::ALL.map(Environment::word));
        reading.names.define(Noun::Environment, meant.unwrap_or(&name.word), &name.place);
        let draft = policy(node, environment, reading);
        if let (Some(environment), Some(draft)) = (environment, draft) {
            all.insert(environment, draft);
        }
    }
    all
}

/// One of the five.
pub(super) fn parse(word: &str, place: &Place, reading: &mut Reading<'_>) -> Option<Environment> {
    let environment = Environment::parse(word);
    if environment.is_none() {
        let hint = did_you_mean(word, Environment::ALL.map(Environment::word));
        reading.problems.error(Rank::Shape, place, format!("unknown environment '{word}'"), hint);
    }
    environment
}

fn policy(
    node: &Node,
    environment: Option<Environment>,
    reading: &mut Reading<'_>,
) -> Option<EnvironmentDraft> {
    let mut section = Section::open(node, "an environment", reading)?;
    let visibility = section.required("visibility", reading).and_then(|node| {
        let choices = [("public", Visibility::Public), ("signed-in", Visibility::SignedIn)];
        reading.choice(node, "a visibility", &choices)
    });
    let confirm = section.optional("confirm", reading).map(|node| confirm(node, reading));
    let hold_node = section.optional("hold", reading);
    let hold = hold_node.map(|node| hold(node, reading));
    let flapping = section.optional("flapping", reading).map(|node| flapping(node, reading));
    let storm = section.optional("storm", reading).map(|node| storm(node, reading));
    let service_desk = section
        .optional("service_desk", reading)
        .and_then(|node| reading.reference(node, Noun::Desk, DeskId::parse));
    let tell = section.optional("tell", reading);
    let tell_provider = tell.is_some_and(|node| tell_provider(node, reading));
    let major_node = section.optional("major", reading);
    let major = major_node.and_then(|node| major(node, environment, reading));
    let publish = section.optional("publish", reading).and_then(|node| publish(node, reading));
    let maintenance = section.optional("maintenance", reading).map(|node| maintenance(node, reading));
    let retention = section.optional("retention", reading).map(|node| retention::read(node, reading));
    let place = section.place().clone();
    section.close(reading);
    let policy = EnvironmentPolicy {
        visibility: visibility?,
        confirm: confirm.unwrap_or_default(),
        hold: hold.unwrap_or_default(),
        flapping: flapping.unwrap_or_default(),
        storm: storm.unwrap_or_default(),
        service_desk,
        tell_provider,
        major,
        publish: publish.unwrap_or(Publish::ByHand),
        maintenance: maintenance.unwrap_or_default(),
        retention: retention.unwrap_or_default(),
    };
    let owner = |node: Option<&Node>| node.map(|node| node.owner.clone());
    let (tell_place, hold_place, major_place) = (owner(tell), owner(hold_node), owner(major_node));
    Some(EnvironmentDraft { policy, place, tell_place, hold_place, major_place })
}

fn confirm(node: &Node, reading: &mut Reading<'_>) -> Confirm {
    let default = Confirm::default();
    let Some(mut section) = Section::open(node, "confirm", reading) else { return default };
    let round = section.optional("fail", reading).and_then(|node| {
        reading.parsed(node, "a round such as '2 of 3'", |text| {
            let wrong = || format!("'{text}' is not a round such as '2 of 3' (at most 10)");
            let (fail, of) = text.split_once(" of ").ok_or_else(wrong)?;
            let fail = fail.parse::<u32>().map_err(|_| wrong())?;
            let of = of.parse::<u32>().map_err(|_| wrong())?;
            if 1 <= fail && fail <= of && of <= 10 { Ok((fail, of)) } else { Err(wrong()) }
        })
    });
    let every = section
        .optional("every", reading)
        .and_then(|node| reading.duration(node, "the time between the probes of a round", CONFIRM_EVERY));
    let recover =
        section.optional("recover", reading).and_then(|node| reading.number(node, "'recover'", 1..=20));
    section.close(reading);
    let (fail, of) = round.unwrap_or((default.fail, default.of));
    Confirm { fail, of, every: every.unwrap_or(default.every), recover: recover.unwrap_or(default.recover) }
}

fn hold(node: &Node, reading: &mut Reading<'_>) -> Hold {
    let mut hold = Hold::default();
    let Some(mut section) = Section::open(node, "hold", reading) else { return hold };
    let Hold { ticket, callout, degraded, resolve } = &mut hold;
    for (key, value) in
        [("ticket", ticket), ("callout", callout), ("degraded", degraded), ("resolve", resolve)]
    {
        let node = section.optional(key, reading);
        if let Some(duration) = node.and_then(|node| reading.duration(node, "a hold", HOLD)) {
            *value = duration;
        }
    }
    section.close(reading);
    hold
}

/// What comes back later than this is no flapping.
const REOPEN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 60 * 60);

fn flapping(node: &Node, reading: &mut Reading<'_>) -> Flapping {
    let mut flapping = Flapping::default();
    let Some(mut section) = Section::open(node, "flapping", reading) else { return flapping };
    let Flapping { reopen, unstable, within, steady } = &mut flapping;
    for (key, value) in [("reopen", reopen), ("within", within), ("steady", steady)] {
        let node = section.optional(key, reading);
        if let Some(duration) = node.and_then(|node| reading.duration(node, "a time of flapping", REOPEN)) {
            *value = duration;
        }
    }
    let times = section.optional("unstable", reading);
    if let Some(times) = times.and_then(|node| reading.number(node, "'unstable'", 1..=20)) {
        *unstable = times;
    }
    section.close(reading);
    flapping
}

/// What fails further apart is no storm.
const STORM: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(3_600);

fn storm(node: &Node, reading: &mut Reading<'_>) -> Storm {
    let default = Storm::default();
    let Some(mut section) = Section::open(node, "storm", reading) else { return default };
    let more_than = section
        .optional("more_than", reading)
        .and_then(|node| reading.number(node, "'more_than'", 1..=1_000));
    let within =
        section.optional("within", reading).and_then(|node| reading.duration(node, "a storm's time", STORM));
    section.close(reading);
    Storm { more_than: more_than.unwrap_or(default.more_than), within: within.unwrap_or(default.within) }
}

fn tell_provider(node: &Node, reading: &mut Reading<'_>) -> bool {
    let mut provider = false;
    for item in reading.list(node, "whom to tell").unwrap_or_default() {
        provider |= reading.choice(item, "somebody to tell", &[("provider", true)]).is_some();
    }
    provider
}

fn publish(node: &Node, reading: &mut Reading<'_>) -> Option<Publish> {
    reading.parsed(node, "when to publish", |text| match text {
        "automatic" => Ok(Publish::Automatic),
        "by-hand" => Ok(Publish::ByHand),
        _ => match text.strip_prefix("after ") {
            Some(duration) => match parse_duration(duration)? {
                duration if HOLD.contains(&duration) => Ok(Publish::After(duration)),
                _ => Err("a post waits for at most 24h".to_owned()),
            },
            None => Err(format!("'{text}' is none of: automatic, after 10m, by-hand")),
        },
    })
}

/// Whoever answered at 3 am may have fallen asleep over it.
const ANSWER_LASTS: Duration = Duration::from_secs(45 * 60);

fn major(node: &Node, environment: Option<Environment>, reading: &mut Reading<'_>) -> Option<MajorPolicy> {
    let mut section = Section::open(node, "a major policy", reading)?;
    let when = section.required("when", reading).and_then(|node| {
        reading.parsed(node, "a priority", |text| {
            let number = text.strip_prefix("priority ").and_then(|number| number.parse::<u8>().ok());
            let wrong = || format!("'{text}' is not a priority, 'priority 1' to 'priority 5'");
            number.and_then(Priority::new).ok_or_else(wrong)
        })
    });
    let hours = section
        .required("hours", reading)
        .and_then(|node| reading.reference(node, Noun::Hours, HoursId::parse));
    let mut escalation = |key, reading: &mut Reading<'_>| {
        let node = section.required(key, reading)?;
        reading.reference(node, Noun::Escalation, EscalationId::parse)
    };
    let in_hours = escalation("in_hours", reading);
    let out_of_hours = escalation("out_of_hours", reading);
    let limits = Duration::from_secs(5 * 60)..=Duration::from_secs(24 * 3_600);
    let answer_lasts = match section.optional("answer_lasts", reading) {
        None => Some(ANSWER_LASTS),
        Some(node) => reading.duration(node, "how long an answer lasts", limits),
    };
    let declare = match section.optional("declare", reading) {
        None => Some(Declare::Automatic),
        Some(node) => {
            let choices = [("automatic", Declare::Automatic), ("propose", Declare::Propose)];
            reading.choice(node, "how a major incident is declared", &choices)
        }
    };
    // In production callouts are the rule: there the key has no meaning, and is unknown.
    if environment != Some(Environment::Production) {
        let says = section.optional("calls_out", reading).and_then(|node| reading.boolean(node));
        if says != Some(true) && environment.is_some() {
            let hint = Some("add 'calls_out: true' if people are to be woken for it".to_owned());
            let message = "only production calls people out, unless this says so in as many words";
            reading.problems.error(Rank::Sense, section.place(), message, hint);
        }
    }
    section.close(reading);
    Some(MajorPolicy {
        when: when?,
        hours: hours?,
        in_hours: in_hours?,
        out_of_hours: out_of_hours?,
        declare: declare?,
        answer_lasts: answer_lasts?,
    })
}

fn maintenance(node: &Node, reading: &mut Reading<'_>) -> Vec<Window> {
    let items = reading.list(node, "windows").unwrap_or_default();
    items.iter().filter_map(|item| window(item, reading)).collect()
}

fn window(node: &Node, reading: &mut Reading<'_>) -> Option<Window> {
    let mut section = Section::open(node, "a window", reading)?;
    let cron = section
        .required("cron", reading)
        .and_then(|node| reading.parsed(node, "a cron expression", Cron::parse));
    let lasts =
        section.required("for", reading).and_then(|node| reading.duration(node, "a window's length", WINDOW));
    let why = section.required("why", reading).and_then(|node| reading.bilingual(node, "a window's reason"));
    let place = section.place_of("for").unwrap_or(section.place());
    section.close(reading);
    if let Some((cron, lasts)) = cron.as_ref().zip(lasts)
        && let Some(period) = shortest_period(cron)
        && lasts >= period
    {
        let (lasts, period) = (duration_text(lasts), duration_text(period));
        let message = format!("a window of {lasts} does not end before the next begins, {period} later");
        reading.problems.error(Rank::Sense, place, message, None);
    }
    Some(Window { cron: cron?, lasts: lasts?, why: why? })
}

/// The shortest time from one beginning of a window to the next, the clocks' changes aside: of the first two hundred.
fn shortest_period(cron: &Cron) -> Option<Duration> {
    let mut beginnings = std::iter::successors(cron.next(Timestamp::UNIX_EPOCH, &TimeZone::UTC), |at| {
        cron.next(*at, &TimeZone::UTC)
    });
    let mut before = beginnings.next()?;
    let periods = beginnings.take(200).map(|at| at.duration_since(std::mem::replace(&mut before, at)));
    periods.map(SignedDuration::unsigned_abs).min()
}
