//! What must hold, whatever happens: I1 to I8 of `incident-systems.md`, by their numbers.

use crate::{
    outside::Outside,
    plan::{HEALED, Plan, SECOND, WELL},
    store::{State, Store},
    world::way,
};
use domain::{
    Ahead, Cause, Change, Channel, Environment, Incident, IncidentId, Notification, NotificationKind,
    PersonId, Situation, Target, Ticket, next_action, next_call_at,
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    mem::discriminant,
    sync::Arc,
};

/// The longest that anything may take until somebody is called: the last resort's pause, and a silence.
const LONGEST_STEP: SignedDuration = SignedDuration::from_mins(16);

pub(crate) struct Judge {
    seed: u64,
    /// Since when an incident is answered or over, by the clock of the world.
    stopped: BTreeMap<IncidentId, i64>,
    /// Texts of which nobody could be asked.
    unasked: BTreeSet<String>,
}

impl Judge {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, stopped: BTreeMap::new(), unasked: BTreeSet::new() }
    }

    #[track_caller]
    pub(crate) fn holds(&self, holds: bool, what: impl FnOnce() -> String) {
        assert!(holds, "CURIAD_SEED={}: {}", self.seed, what());
    }

    /// A batch is durable.
    pub(crate) fn recorded(
        &mut self,
        after: &Situation,
        changes: &[Change],
        steady: bool,
        at: i64,
        now: Timestamp,
    ) {
        if steady {
            self.i1_nothing_is_overdue(after, now);
            self.i6_a_hole_is_known_before_anybody_is_called(after, now);
        }
        for change in changes {
            match change {
                Change::Incident(incident) => {
                    let incident = after.incidents.get(&incident.id).unwrap_or(incident);
                    self.i1_somebody_is_next(after, incident, now);
                    self.i6_a_hole_in_a_rota_is_an_incident(after, incident, now);
                    let called_off = incident.not_major().is_some();
                    if incident.acknowledged.is_some() || !incident.is_open() || called_off {
                        self.stopped.entry(incident.id).or_insert(at);
                    } else {
                        self.stopped.remove(&incident.id);
                    }
                }
                Change::Notify(told) => self.i3_only_production_calls(after, told),
                Change::Track(_)
                | Change::Status(_)
                | Change::Release(_)
                | Change::Withdraw(_)
                | Change::Silence(_)
                | Change::Maintenance(_)
                | Change::Override(_)
                | Change::Proof(_) => {}
            }
        }
    }

    fn i1_somebody_is_next(&self, after: &Situation, incident: &Incident, now: Timestamp) {
        if after.is_waiting_for_a_human(incident) {
            let next = next_call_at(after, incident, now);
            let soon = next.is_some_and(|at| at <= now + LONGEST_STEP);
            self.holds(soon, || format!("I1: {} waits for a human, and next is {next:?}", incident.id));
        }
    }

    /// What is due at a batch is done in it.
    fn i1_nothing_is_overdue(&self, after: &Situation, now: Timestamp) {
        for incident in after.open_incidents() {
            let next = next_action(after, incident, now);
            let overdue = next.filter(|next| next.at < now - SignedDuration::from_mins(1));
            self.holds(overdue.is_none(), || format!("I1: overdue of {}: {overdue:?}", incident.id));
        }
    }

    fn i3_only_production_calls(&self, after: &Situation, told: &Notification) {
        let calls = matches!(told.kind, NotificationKind::Callout { .. });
        let of = after.incidents.get(&told.incident).map(|incident| incident.environment);
        self.holds(!calls || of == Some(Environment::Production), || format!("I3: {} calls", told.key));
        let ahead = after.incidents.get(&told.incident).filter(|of| matches!(of.cause, Cause::Ahead(_)));
        // In the same batch it may have been taken back.
        let asked = |of: &Arc<Incident>| {
            of.not_major().is_some() || of.major.as_ref().is_some_and(|major| major.by.is_some())
        };
        let asked = ahead.is_none_or(asked);
        self.holds(!calls || asked, || format!("I3: {} calls for what is only to come", told.key));
    }

    fn i6_a_hole_is_known_before_anybody_is_called(&self, after: &Situation, now: Timestamp) {
        let a_while_ago = now - SignedDuration::from_mins(3);
        for (id, rota) in &after.configuration.rotas {
            let open = |cause: Cause| after.open_incident(&cause).is_some();
            let here = rota.on_call(now).is_none() && rota.on_call(a_while_ago).is_none();
            self.holds(!here || open(Cause::Rota(id.clone())), || {
                format!("I6: nobody is on call on {id}, and there is no incident: {:#?}", after.incidents)
            });
            let soon = now + SignedDuration::from_hours(24 * 13);
            let comes = rota.on_call(now).is_some() && !rota.gaps(now, soon).is_empty();
            self.holds(!comes || open(Cause::Ahead(Ahead::Rota(id.clone()))), || {
                format!("I6: nobody will be on call on {id}, and no incident says so: {:#?}", after.incidents)
            });
        }
    }

    fn i6_a_hole_in_a_rota_is_an_incident(&self, after: &Situation, incident: &Incident, now: Timestamp) {
        let Some(running) = incident.escalation.as_ref().filter(|running| running.stopped.is_none()) else {
            return;
        };
        let taken = if running.round > 1 { running.escalation.steps.len() } else { running.next_step };
        for step in running.escalation.steps.iter().take(taken) {
            let Target::OnCall(rota) = &step.call else { continue };
            let attended = after.configuration.rotas.get(rota).is_some_and(|r| r.on_call(now).is_some());
            let called = running.callouts.iter().any(|callout| callout.step == 1);
            let gap = after.open_incident(&Cause::Rota(rota.clone())).is_some();
            let own = incident.cause == Cause::Rota(rota.clone());
            self.holds(attended || called || gap || own, || {
                format!(
                    "I6: nobody is on call on {rota}, and {} says so to nobody: {:#?}",
                    incident.id, after.incidents
                )
            });
        }
    }

    /// The other side was asked about a notification.
    pub(crate) fn looked(&mut self, told: &Notification, known: bool) {
        if known {
            self.unasked.remove(&told.key);
        } else {
            self.unasked.insert(told.key.clone());
        }
    }

    /// I8: no patient's number in what leaves.
    fn i8_no_number_leaves(&self, told: &Notification, incident: &Incident, plan: &Plan, now: Timestamp) {
        let said = alerting::worded(&plan.configuration, incident, told, now);
        let said = said.unwrap_or_else(|error| panic!("{}: {error}", told.key));
        let digits: String = said.chars().filter(char::is_ascii_digit).collect();
        self.holds(!digits.contains("9434765919"), || format!("I8: {} says {said}", told.key));
        let clean = domain::scrubbed(&said.replace(char::is_control, " "));
        self.holds(clean == said.replace(char::is_control, " "), || format!("I8: {} says {said}", told.key));
    }

    /// A message leaves.
    pub(crate) fn acts(&self, told: &Notification, repeat: bool, outside: &Outside, at: i64) {
        if matches!(told.kind, NotificationKind::Callout { .. }) {
            let stopped = self.stopped.get(&told.incident);
            self.holds(stopped.is_none_or(|stopped| at <= stopped + 5 * SECOND), || {
                format!("I4: {} goes out at {at}, and it was answered or over at {stopped:?}", told.key)
            });
        }
        if matches!(told.channel, Channel::Text(_) | Channel::Voice(_) | Channel::TeamChat(_)) {
            let mut same = outside.carried.iter().filter(|carried| carried.notification.key == told.key);
            let doubled = same.any(|carried| carried.arrived != Some(false));
            self.holds(!doubled || repeat, || {
                format!("I2: {} goes out twice, and does not say so", told.key)
            });
        }
    }

    pub(crate) fn at_the_end(&self, store: &Store, outside: &Outside, plan: &Plan) {
        for row in store.outbox.values() {
            let key = &row.notification.key;
            self.holds(row.state != State::Waiting, || format!("I2: {key} still waits: {row:?}"));
        }
        // Words cost more than all the rest: what is said of an incident in one way holds what it says again.
        let mut said = HashSet::new();
        let mut said_first = |told: &Notification| {
            said.insert((told.incident, discriminant(&told.kind), discriminant(&told.channel)))
        };
        let words = store.outbox.values().filter(|row| row.state == State::Sent);
        for row in words.filter(|row| said_first(&row.notification)) {
            let incident = store.incidents.get(&row.notification.incident).expect("its incident");
            self.i8_no_number_leaves(&row.notification, incident, plan, row.not_before);
        }
        for incident in store.incidents.values() {
            self.holds(!incident.is_open(), || format!("I1: {} never ends: {incident:#?}", incident.id));
            self.i2_one_ticket(incident, outside, plan);
            self.i2_somebody_was_called(incident, outside, plan);
            self.stood_down(incident, outside, plan);
        }
        self.i5_what_returns_keeps_its_ticket(store, plan);
        let alerts = &outside.alerts;
        self.holds(!alerts.values().any(|open| *open), || format!("a pager's alert never ends: {alerts:?}"));
    }

    fn i2_one_ticket(&self, incident: &Incident, outside: &Outside, plan: &Plan) {
        let count = outside.of(incident.id) - outside.twins_of(incident.id);
        // Where the desk closed one too early, or somebody linked another, there may be one for each that was asked for.
        let (earlier, references) =
            (incident.earlier_tickets.len(), outside.references_of(incident.id).len());
        self.holds(count == references, || {
            format!("I2: {} has {count} tickets by {references} references", incident.id)
        });
        self.i2_no_orphan(incident, outside);
        match &incident.ticket {
            Ticket::None => self.holds(count == 0, || format!("I2: {count} tickets unasked for")),
            Ticket::Asked { given_up, .. } => {
                self.holds(*given_up && count <= earlier, || {
                    format!("I2: {} has {count} tickets, and knows none: {:?}", incident.id, incident.ticket)
                });
            }
            Ticket::Raised { .. } => {
                let own = plan.agents.is_empty() || earlier == 0;
                let linked = incident.timeline.iter().any(|entry| entry.text.contains(" links INC"));
                let fits = if own && !linked { count == 1 } else { count <= earlier + 1 };
                self.holds(fits, || format!("I2: {} has {count} tickets", incident.id));
                let twins = outside.of(incident.id) > count && incident.started_at >= plan.steady_from();
                let twins = twins && !outside.was_mailed(incident.id);
                self.holds(!twins, || format!("I2: {} has tickets made twice", incident.id));
            }
        }
        let Some(policy) = plan.configuration.policy(incident.environment) else { return };
        let lasted = incident.recovered_at.or(incident.resolved_at).unwrap_or(incident.opened_at);
        let long = lasted.duration_since(incident.opened_at) > SignedDuration::from_mins(12);
        let steady = incident.opened_at >= plan.steady_from() && plan.commands.is_empty();
        if policy.service_desk.is_some() && long && steady && !was_taken_in(incident) {
            let asked = incident.ticket != Ticket::None;
            self.holds(asked, || format!("I2: {} lasted {lasted}, and has no ticket", incident.id));
        }
    }

    /// A ticket that was called off is made all the same where it was on its way: then it is known, and told where to look.
    fn i2_no_orphan(&self, incident: &Incident, outside: &Outside) {
        let present = match &incident.ticket {
            Ticket::Raised { record, .. } => Some(record),
            Ticket::None | Ticket::Asked { .. } => None,
        };
        let earlier =
            incident.earlier_tickets.iter().filter_map(|one| one.known.as_ref()).map(|(_, record)| record);
        let known: BTreeSet<&String> = earlier.chain(present).collect();
        for made in outside.made_for(incident.id) {
            self.holds(present.is_none() || known.contains(&made), || {
                format!("I2: nobody knows of ticket {made} of {}: {known:?}", incident.id)
            });
        }
    }

    /// Where all but the API was well for long, and nobody had it, somebody heard.
    fn i2_somebody_was_called(&self, incident: &Incident, outside: &Outside, plan: &Plan) {
        let since = incident.major.as_ref().map(|major| major.at.max(incident.opened_at));
        let steady_from = plan.wall(HEALED).max(plan.steady_from());
        let Some(since) = since.map(|since| since.max(steady_from)) else {
            return;
        };
        let until = [
            incident.acknowledged.as_ref().map(|taken| taken.at),
            incident.recovered_at,
            incident.resolved_at,
        ];
        let until = until.into_iter().flatten().min().unwrap_or(plan.wall(WELL));
        let long = until.duration_since(since) > SignedDuration::from_mins(11);
        let steady = plan.outages.iter().all(|outage| outage.flaps.is_none()) && plan.commands.is_empty();
        if long && steady && incident.environment == Environment::Production {
            let in_time = incident.opened_at..=since + SignedDuration::from_mins(11);
            let called =
                outside.carried.iter().map(|carried| &carried.notification).any(|told| {
                    told.incident == incident.id && is_callout(told) && in_time.contains(&told.at)
                });
            self.holds(called, || format!("I2: nobody was called for {}: {incident:#?}", incident.id));
        }
    }

    /// Whom a call reached, and who does not have it, hears how it ended.
    fn stood_down(&self, incident: &Incident, outside: &Outside, plan: &Plan) {
        if incident.is_test() {
            // Nothing was wrong, so there is nothing to be told; the link says that it is over.
            return;
        }
        let taker = incident.acknowledged.as_ref().map(|taken| taken.by.as_str());
        let name =
            |person: &PersonId| plan.configuration.people.get(person).map(|person| person.name.as_str());
        // Whoever was rung up hears it by something quieter.
        let mut stood_down = BTreeSet::new();
        let mut heard: BTreeMap<(PersonId, &str), (bool, bool)> = BTreeMap::new();
        for carried in outside.carried.iter().filter(|c| c.notification.incident == incident.id) {
            let (Channel::Text(person)
            | Channel::Email(person)
            | Channel::Voice(person)
            | Channel::Webhook(person)) = &carried.notification.channel
            else {
                continue;
            };
            let by = way(&carried.notification.channel).map_or("", domain::Way::word);
            let (called, over) = heard.entry((person.clone(), by)).or_default();
            match carried.notification.kind {
                NotificationKind::Callout { .. } => *called |= carried.arrived == Some(true),
                NotificationKind::StandDown { .. }
                | NotificationKind::CalledOff { .. }
                | NotificationKind::PartOf { .. } => {
                    *over = true;
                    stood_down.insert(person.clone());
                }
                NotificationKind::Heard { .. }
                | NotificationKind::TicketOpen
                | NotificationKind::TicketNote { .. }
                | NotificationKind::TicketFallback
                | NotificationKind::FallbackNote { .. }
                | NotificationKind::Told
                | NotificationKind::ToldTaken { .. }
                | NotificationKind::ToldOver
                | NotificationKind::DeskResolves { .. }
                | NotificationKind::Overruns { .. } => {}
            }
        }
        for ((person, by), (called, over)) in heard {
            let over = over || (by == domain::Way::Voice.word() && stood_down.contains(&person));
            // Who answers late is told so, as the answer to it.
            let late = name(&person).map(|name| format!("{name} answered late"));
            let gathered = incident.being_gathered();
            let mut lines = incident.timeline.iter().chain(&gathered);
            let together = |text: &str| text.contains(" more late answers: ");
            let told = name(&person).zip(late).is_some_and(|(name, late)| {
                lines.any(|entry| entry.text == late || (together(&entry.text) && entry.text.contains(name)))
            });
            let has_it = told || (taker.is_some() && name(&person) == taker);
            // Where the carrier said that one failed, and not that the next of it arrived, nobody can know.
            let failed = incident.escalation.iter().flat_map(|running| &running.callouts).any(|callout| {
                let of = |ways: &[domain::Way]| ways.iter().any(|way| way.word() == by);
                callout.person == person && of(&callout.given_up) && !of(&callout.delivered)
            });
            self.holds(!called || over || has_it || failed, || {
                format!(
                    "{person} was called by {by} for {} and never hears that it is over: {incident:#?}",
                    incident.id
                )
            });
        }
    }

    fn i5_what_returns_keeps_its_ticket(&self, store: &Store, plan: &Plan) {
        for incident in store.incidents.values().filter(|incident| !incident.is_test()) {
            let asked = store
                .outbox
                .values()
                .filter(|row| row.notification.incident == incident.id)
                .filter(|row| row.notification.kind == NotificationKind::TicketOpen);
            let most = 1 + incident.earlier_tickets.len();
            self.holds(asked.count() <= most, || format!("I5: {} asks for a ticket too many", incident.id));
            let reopen = plan.configuration.policy(incident.environment).map(|policy| policy.flapping.reopen);
            let before = store.incidents.values().find(|before| {
                let over_at = before.resolved_at.filter(|_| before.id < incident.id);
                let over_at =
                    over_at.filter(|at| before.cause == incident.cause && *at >= plan.steady_from());
                over_at.zip(reopen).is_some_and(|(over_at, reopen)| {
                    (over_at..over_at + reopen).contains(&incident.opened_at)
                })
            });
            self.holds(before.is_none(), || {
                format!("I5: {} is that of {:?} come back", incident.id, before.map(|before| before.id))
            });
        }
    }
}

fn is_callout(told: &Notification) -> bool {
    matches!(told.kind, NotificationKind::Callout { .. })
}

fn was_taken_in(incident: &Incident) -> bool {
    incident.timeline.iter().any(|entry| entry.text.starts_with("taken in by"))
}
