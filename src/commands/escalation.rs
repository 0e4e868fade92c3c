//! `curiad escalation simulate`: who would get what and when, by the rules themselves over a clock of its own.

use crate::{
    cli::{EscalationCommand, SimulateArgs},
    commands::{
        muted::{WINDOW, by_planned, by_silence},
        rota::{Attended, local},
    },
    exit::{Failed, USAGE, Usage},
    terminal::{Ink, Terminal, wrapped},
};
use domain::{
    ApiId, Cause, Change, Channel, Configuration, Decision, Environment, Event, Failure, FailureKind,
    Incident, InstanceId, Language, Layer, Message, Notification, NotificationKind, Outcome, Receipt,
    ReferenceKey, Remembered, Sent, Situation, Told, TrackId, decide, duration_words, next_due,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use status_page::rfc3339;
use std::{collections::BTreeSet, sync::Arc};

/// The width of a line, with the times before it.
const COLUMNS: usize = 110;
const MARGIN: usize = 28;
/// All is seen to be well for so long before the failure, and longer than the slowest check waits for its turn.
const WELL_BEFORE: SignedDuration = SignedDuration::from_mins(2);
/// Farther from now than this nobody knows who is on call.
const FARTHEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);
/// The recorder looks at least so often; what the rules wait for, they say themselves.
const LOOK: SignedDuration = SignedDuration::from_secs(15);

pub(crate) fn run(
    command: &EscalationCommand,
    attended: &Attended,
    now: Timestamp,
    as_json: bool,
) -> Result<(), Failed> {
    let configuration = &attended.configuration;
    let EscalationCommand::Simulate(arguments) = command;
    let failing = instance(configuration, arguments)?;
    let zone = &configuration.site.time_zone;
    let at = arguments.at.map_or(Some(now), |at| at.at(zone));
    let lasts = SignedDuration::from_mins(i64::from(arguments.minutes));
    let near = |at: &Timestamp| at.duration_since(now).abs() <= FARTHEST;
    let at = at.filter(near).ok_or_else(|| {
        Failed::new(USAGE, "that is more than ten years from now\nname a time with --at that is nearer")
    })?;
    let until = at + lasts;
    let rehearsal = Rehearsal::of(attended, &failing, at, until);
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&rehearsal.json());
    } else {
        rehearsal.show(terminal);
    }
    Ok(())
}

fn instance(configuration: &Configuration, arguments: &SimulateArgs) -> Result<InstanceId, Failed> {
    let known = ApiId::parse(&arguments.api).ok().and_then(|id| configuration.apis.get(&id));
    let api = known.ok_or_else(|| Usage::unknown("API", &arguments.api, configuration.apis.keys()))?;
    let word = &arguments.environment;
    let environment = Environment::parse(word)
        .filter(|environment| api.instances.contains_key(environment))
        .ok_or_else(|| Usage::unknown("environment of this API", word, api.instances.keys()))?;
    Ok(InstanceId { api: api.id.clone(), environment })
}

/// What the rules make of one failure, if every carrier and desk takes all at once, and nobody answers.
struct Rehearsal<'a> {
    configuration: &'a Arc<Configuration>,
    failing: &'a InstanceId,
    at: Timestamp,
    until: Timestamp,
    situation: Situation,
    told: Vec<Notification>,
}

impl<'a> Rehearsal<'a> {
    fn of(attended: &'a Attended, failing: &'a InstanceId, at: Timestamp, until: Timestamp) -> Self {
        let configuration = &attended.configuration;
        let remembered = Remembered {
            silences: attended.silences.clone(),
            maintenances: attended.maintenances.clone(),
            ..Remembered::nothing(ReferenceKey([0; 32]))
        };
        let situation = Situation::new(Arc::clone(configuration), remembered);
        let mut rehearsal = Self { configuration, failing, at, until, situation, told: Vec::new() };
        rehearsal.play();
        rehearsal
    }

    fn play(&mut self) {
        let begins = self.at - WELL_BEFORE;
        let checks = self.configuration.checks.values().filter(|check| check.heartbeat().is_none());
        let tracks: Vec<TrackId> = checks
            .flat_map(|check| {
                check.from.iter().map(|vantage| TrackId { check: check.id.clone(), vantage: vantage.clone() })
            })
            .collect();
        let mut due: BTreeSet<(Timestamp, TrackId, bool)> = BTreeSet::new();
        due.extend(tracks.into_iter().map(|track| (begins, track, false)));
        let mut now = begins;
        while now < self.until {
            while let Some((at, track, confirm)) = due.pop_first() {
                if at > now {
                    due.insert((at, track, confirm));
                    break;
                }
                due.extend(
                    self.probed(&track, confirm, now).into_iter().map(|(at, track)| (at, track, true)),
                );
                if let Some(check) = self.configuration.checks.get(&track.check).filter(|_| !confirm) {
                    due.insert((next_due(&track, check.every, now), track, false));
                }
            }
            due.extend(self.event(&Event::Due, now).into_iter().map(|(at, track)| (at, track, true)));
            let next = due.first().map(|(at, ..)| *at);
            let asked = self.situation.next_action_at(now);
            let next = [next, asked].into_iter().flatten().filter(|at| *at > now).min();
            now = next.map_or(now + LOOK, |next| next.min(now + LOOK));
        }
    }

    /// A probe at `now`, and those that it makes the rules ask for.
    fn probed(&mut self, track: &TrackId, confirm: bool, now: Timestamp) -> Vec<(Timestamp, TrackId)> {
        let fails = track.check.instance == *self.failing && now >= self.at;
        let failure = fails.then(|| Failure {
            layer: Layer::Backend,
            kind: FailureKind::BackendUnavailable,
            message: "it does not work".to_owned(),
        });
        let seen = Outcome::new(track.check.clone(), track.vantage.clone(), now);
        self.event(&Event::Outcome(Arc::new(Outcome { failure, confirm, ..seen })), now)
    }

    fn event(&mut self, event: &Event, now: Timestamp) -> Vec<(Timestamp, TrackId)> {
        let Decision { after, changes, probes, .. } = decide(&self.situation, event, now);
        self.situation = after;
        let told = changes.into_iter().filter_map(|change| match change {
            Change::Notify(told) => Some(told),
            Change::Track(_)
            | Change::Status(_)
            | Change::Release(_)
            | Change::Incident(_)
            | Change::Withdraw(_)
            | Change::Silence(_)
            | Change::Maintenance(_)
            | Change::Override(_)
            | Change::Proof(_) => None,
        });
        let told: Vec<Notification> = told.collect();
        let mut wanted: Vec<_> = probes.into_iter().map(|wanted| (wanted.at, wanted.track)).collect();
        for told in told {
            let receipt = Receipt {
                notification: told.key.clone(),
                incident: told.incident,
                at: now,
                outcome: if told.kind == NotificationKind::TicketOpen {
                    Sent::Ticket { number: "(its number)".into(), record: "simulated".into(), mismatch: None }
                } else {
                    Sent::Accepted { provider_id: "simulated".into() }
                },
            };
            let arrives = matches!(told.channel, Channel::Text(_))
                .then(|| Receipt { outcome: Sent::Delivered, ..receipt.clone() });
            self.told.push(told);
            for receipt in [receipt].into_iter().chain(arrives) {
                let said = Told { at: now, what: Message::Receipt(receipt) };
                wanted.extend(self.event(&Event::Told(said), now));
            }
        }
        wanted
    }

    /// Those of the failure; what else the configuration foresees or tests has nothing to do with it.
    fn incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        let is_of_it =
            |incident: &&Arc<Incident>| !matches!(incident.cause, Cause::Ahead(_)) && !incident.is_test();
        self.situation.incidents.values().filter(is_of_it)
    }

    /// What is told of them.
    fn told(&self) -> Vec<&Notification> {
        let known: BTreeSet<_> = self.incidents().map(|incident| incident.id).collect();
        self.told.iter().filter(|told| known.contains(&told.incident)).collect()
    }

    /// By what it is muted when it begins, and until when.
    fn muted(&self) -> Vec<(String, Timestamp)> {
        let silences =
            self.situation.silences.values().filter(|silence| silence.covers(self.failing, self.at));
        let silences = silences.map(|one| (by_silence(one), one.until));
        let planned =
            self.situation.maintenances.values().filter(|planned| planned.covers(self.failing, self.at));
        let planned = planned.map(|one| (by_planned(one), one.overruns_until()));
        let zone = &self.configuration.site.time_zone;
        let policy = self.configuration.policy(self.failing.environment);
        let windows = policy.into_iter().flat_map(|policy| &policy.maintenance);
        let windows = windows.filter_map(|window| window.covering(self.at, zone));
        let windows = windows.map(|(_, to)| (WINDOW.to_owned(), to));
        silences.chain(planned).chain(windows).collect()
    }

    fn show(&self, terminal: Terminal) {
        let zone = &self.configuration.site.time_zone;
        let name = self.configuration.apis.get(&self.failing.api).map_or("", |api| &api.name.en);
        let (environment, at) = (self.failing.environment, local(self.at, zone));
        let lasts = duration_words(self.until.duration_since(self.at), Language::En);
        terminal.line(&format!("If {name} ({environment}) fails on {at} for {lasts}, and nobody answers:"));
        for (why, until) in self.muted() {
            terminal
                .line(&terminal.ink(Ink::Yellow, &format!("muted until {} by {why}", local(until, zone))));
        }
        for incident in self.incidents() {
            let major = if incident.major.is_some() { ", major" } else { "" };
            let head = format!("{}  {}{major}  {}", incident.id, incident.priority, incident.cause);
            terminal.line(&format!("\n{}", terminal.ink(Ink::Bold, &head)));
            for entry in &incident.timeline {
                self.line(terminal, entry.at, &entry.text, zone);
            }
        }
        if self.incidents().next().is_none() {
            terminal.line("\nno incident in this time");
        } else if !self.told().iter().any(|told| matches!(told.kind, NotificationKind::Callout { .. })) {
            terminal.line("\nnobody is called in this time");
        }
    }

    fn line(&self, terminal: Terminal, at: Timestamp, text: &str, zone: &TimeZone) {
        let clock = at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
        let after = duration_words(at.duration_since(self.at), Language::En);
        let times = format!("  {clock}  {:<14}", format!("+{after}"));
        let lines =
            wrapped(text, terminal.columns(COLUMNS) - MARGIN).join(&format!("\n{}", " ".repeat(MARGIN)));
        terminal.line(&format!("{}  {lines}", terminal.ink(Ink::Dim, &times)));
    }

    fn json(&self) -> Value {
        let after = |at: Timestamp| at.duration_since(self.at).as_secs();
        let incidents: Vec<Value> = self
            .incidents()
            .map(|incident| {
                let line = |at: Timestamp, text: &str| {
                    json!({ "at": rfc3339(at), "after_seconds": after(at), "text": text })
                };
                let timeline = incident.timeline.iter().map(|entry| line(entry.at, &entry.text));
                json!({
                    "id": incident.id.to_string(),
                    "cause_key": incident.cause.to_string(),
                    "priority": incident.priority.to_string(),
                    "major": incident.major.is_some(),
                    "timeline": timeline.collect::<Vec<_>>(),
                })
            })
            .collect();
        let told = self.told().into_iter().map(|told| {
            json!({
                "at": rfc3339(told.not_before),
                "after_seconds": after(told.not_before),
                "incident": told.incident.to_string(),
                "what": told.key.split_once('/').map_or("", |(_, what)| what),
                "to": told.channel,
            })
        });
        json!({
            "api": self.failing.api,
            "environment": self.failing.environment,
            "at": rfc3339(self.at),
            "until": rfc3339(self.until),
            "muted": self.muted().iter().map(|(why, until)| json!({ "by": why, "until": rfc3339(*until) })).collect::<Vec<_>>(),
            "incidents": incidents,
            "told": told.collect::<Vec<_>>(),
        })
    }
}
