//! A virtual clock and everything that happens by it, one thing after the other.

use crate::{
    dice::Dice,
    hand,
    judge::Judge,
    outside::Outside,
    plan::{END, HEALED, MINUTE, Plan, SECOND},
    program::{Heard, Program},
    store::{Line, State, Store},
};
use domain::{
    Answer, Configuration, Message, NotificationKind, Outcome, Receipt, Reply, Sent, Told, TrackId, Way,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Arc};

/// What happens at a moment.
#[derive(Debug)]
pub(crate) enum Happening {
    /// Every check has its turn.
    Round(Vec<TrackId>),
    /// One is asked out of turn.
    Probe(TrackId),
    /// The recorder of a program looks.
    Look(u32),
    /// Its deliverer claims.
    Claim(u32),
    /// The next step of a send, and what the other side said to the one before.
    Step(u32, u64),
    Heard(u32, u64, Heard),
    /// What a carrier took arrives, or not.
    Arrives(usize, bool),
    /// A carrier tells.
    Callback(Receipt, u32),
    /// A person tells.
    Says(Message),
    /// An Alertmanager tells of an alert that ends then.
    Alert(domain::Alert, i64, bool),
    Starts,
    Freezes(i64),
    Leaps(i64),
    Commands,
    Agent,
    /// Somebody at the desk reads a mail.
    Reads(domain::Notification),
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) plan: Plan,
    /// Milliseconds since the beginning; the wall clock is `skew` ahead.
    pub(crate) now: i64,
    skew: i64,
    start: Timestamp,
    queue: BTreeMap<(i64, u64), Happening>,
    queued: u64,
    pub(crate) store: Store,
    pub(crate) outside: Outside,
    pub(crate) programs: BTreeMap<u32, Program>,
    started: u32,
    pub(crate) judge: Judge,
}

impl World {
    pub(crate) fn new(seed: u64, estate: &Configuration) -> Self {
        let mut dice = Dice::new(seed);
        let plan = Plan::new(&mut dice, estate);
        let mut world = Self {
            dice,
            plan,
            now: 0,
            skew: 0,
            start: hand::start(),
            queue: BTreeMap::new(),
            queued: 0,
            store: Store::default(),
            outside: Outside::default(),
            programs: BTreeMap::new(),
            started: 0,
            judge: Judge::new(seed),
        };
        world.at(0, Happening::Starts);
        let configuration = Arc::clone(&world.plan.configuration);
        let tracks = |check: &Arc<domain::Check>| {
            let id = check.id.clone();
            check.from.clone().into_iter().map(move |vantage| TrackId { check: id.clone(), vantage })
        };
        let tracks = configuration.checks.values().flat_map(tracks).collect();
        world.at(0, Happening::Round(tracks));
        for (at, long) in world.plan.freezes.clone() {
            world.at(at, Happening::Freezes(long));
        }
        for (at, by) in world.plan.leaps.clone() {
            world.at(at, Happening::Leaps(by));
        }
        for at in world.plan.commands.clone() {
            world.at(at, Happening::Commands);
        }
        for at in world.plan.agents.clone() {
            world.at(at, Happening::Agent);
        }
        world
    }

    /// Until all is over; then everything is judged.
    pub(crate) fn run(mut self) {
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > END || (at > crate::plan::WELL && self.is_over()) {
                break;
            }
            self.now = at.max(self.now);
            self.happens(happening);
        }
        self.judge.at_the_end(&self.store, &self.outside, &self.plan);
    }

    fn is_over(&self) -> bool {
        self.store.incidents.values().all(|incident| !incident.is_open())
            && self.store.outbox.values().all(|row| row.state != State::Waiting)
            && self.store.inbox.is_empty()
            && self.outside.carried.iter().all(|carried| carried.arrived.is_some())
            && self.programs.values().all(Program::is_idle)
            && !self.queue.values().any(|next| {
                matches!(next, Happening::Callback(..) | Happening::Says(_) | Happening::Alert(..))
            })
    }

    pub(crate) fn at(&mut self, at: i64, happening: Happening) {
        self.queued += 1;
        self.queue.insert((at.max(self.now), self.queued), happening);
    }

    /// The time by the wall clock.
    pub(crate) fn wall(&self) -> Timestamp {
        self.start + SignedDuration::from_millis(self.now + self.skew)
    }

    /// When the wall clock will show `at`.
    pub(crate) fn when(&self, at: Timestamp) -> i64 {
        let wall = i64::try_from(at.duration_since(self.wall()).as_millis()).unwrap_or(END);
        self.now.saturating_add(wall.clamp(0, END))
    }

    pub(crate) fn is_healed(&self) -> bool {
        self.now >= HEALED
    }

    /// What becomes of the transaction that is made now.
    pub(crate) fn line(&mut self) -> Line {
        if self.is_healed() {
            Line::Well
        } else if self.plan.is_store_away(self.now) {
            Line::Down
        } else if self.dice.chance(self.plan.lost) {
            Line::AnswerLost
        } else {
            Line::Well
        }
    }

    /// Between two effects: the program may die here. `true`: it is dead.
    pub(crate) fn dies(&mut self, name: u32) -> bool {
        if self.is_healed() || !self.dice.chance(self.plan.deadly) {
            return false;
        }
        self.programs.remove(&name);
        let again = self.now + self.dice.within(SECOND, 40 * SECOND);
        self.at(again, Happening::Starts);
        true
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Round(tracks) => {
                self.probe(&tracks);
                self.at(self.now + 30 * SECOND, Happening::Round(tracks));
            }
            Happening::Probe(track) => self.probe(&[track]),
            Happening::Look(name) => {
                self.or_later(name, Happening::Look, |world| world.look(name, Vec::new()));
            }
            Happening::Claim(name) => self.or_later(name, Happening::Claim, |world| world.claim(name)),
            Happening::Step(name, send) => {
                self.or_later(name, |name| Happening::Step(name, send), |world| world.step(name, send));
            }
            Happening::Heard(name, send, heard) => match self.frozen(name) {
                Some(until) => self.at(until, Happening::Heard(name, send, heard)),
                None => self.heard(name, send, heard),
            },
            Happening::Arrives(carried, well) => self.arrives(carried, well),
            Happening::Callback(receipt, tries) => self.callback(receipt, tries),
            Happening::Says(message) => self.says(message),
            Happening::Alert(alert, ends, was_heard) => self.alert(alert, ends, was_heard),
            Happening::Starts => self.starts(),
            Happening::Freezes(long) => self.freezes(long),
            Happening::Leaps(by) => {
                self.skew += by;
                if by < 0 && !self.programs.is_empty() {
                    let (now, lease) = (self.wall(), SignedDuration::from_secs(60));
                    self.store.clock_set_back(now, SignedDuration::ZERO, lease);
                }
                let names: Vec<u32> = self.programs.keys().copied().collect();
                for name in names {
                    self.at(self.now, Happening::Look(name));
                    self.at(self.now, Happening::Claim(name));
                }
            }
            Happening::Commands => self.commands(),
            Happening::Agent => self.agent(),
            Happening::Reads(told) => self.outside.reads_mail(&told),
        }
    }

    fn frozen(&self, name: u32) -> Option<i64> {
        self.programs.get(&name).map(|program| program.frozen_until).filter(|until| *until > self.now)
    }

    fn or_later(&mut self, name: u32, again: impl FnOnce(u32) -> Happening, work: impl FnOnce(&mut Self)) {
        match self.frozen(name) {
            Some(until) => self.at(until, again(name)),
            None if self.programs.contains_key(&name) => work(self),
            None => {}
        }
    }

    fn probe(&mut self, tracks: &[TrackId]) {
        let outcomes: Vec<Arc<Outcome>> = tracks.iter().map(|track| self.seen(track)).collect();
        let awake: Vec<u32> =
            self.programs.keys().copied().filter(|name| self.frozen(*name).is_none()).collect();
        for name in awake {
            self.look(name, outcomes.clone());
        }
    }

    fn seen(&self, track: &TrackId) -> Arc<Outcome> {
        let instance = &track.check.instance;
        let seen = self.plan.seen(instance.api.as_str(), instance.environment, self.now);
        let mut outcome = hand::outcome(track, self.wall(), seen);
        if let Some(outcome) = Arc::get_mut(&mut outcome) {
            let production = instance.environment == domain::Environment::Production;
            outcome.certificate = production.then(|| self.plan.certificate(self.now));
        }
        if let Some(outcome) = Arc::get_mut(&mut outcome)
            && let Some(failure) = &mut outcome.failure
        {
            self.plan.message.clone_into(&mut failure.message);
        }
        outcome
    }

    fn starts(&mut self) {
        if self.programs.keys().any(|name| self.frozen(*name).is_none()) {
            return;
        }
        if self.plan.is_store_away(self.now) && !self.is_healed() {
            return self.at(self.now + 5 * SECOND, Happening::Starts);
        }
        self.started += 1;
        self.store.fence += 1;
        let name = self.started;
        let program = Program::new(self.store.fence, self.store.situation(&self.plan.configuration));
        self.programs.insert(name, program);
        let (now, lease) = (self.wall(), SignedDuration::from_secs(60));
        self.store.clock_set_back(now, SignedDuration::from_mins(15), lease);
        self.configure(name);
        self.at(self.now, Happening::Claim(name));
    }

    /// The one that records stands still; where it does so for long another takes over.
    fn freezes(&mut self, long: i64) {
        let until = self.now + long;
        for program in self.programs.values_mut() {
            program.frozen_until = program.frozen_until.max(until);
        }
        let takes_over = self.now + 8 * SECOND + self.dice.within(0, 4 * SECOND);
        self.at(takes_over, Happening::Starts);
    }

    fn arrives(&mut self, at: usize, well: bool) {
        let Some(carried) = self.outside.carried.get_mut(at) else { return };
        carried.arrived = Some(well);
        let told = carried.notification.clone();
        let is_text = matches!(told.channel, domain::Channel::Text(_));
        let is_call = matches!(told.channel, domain::Channel::Voice(_));
        if (is_text || is_call) && !self.dice.chance(50) {
            let outcome =
                if well { Sent::Delivered } else { Sent::GivenUp { why: "permanent-failure".into() } };
            let receipt =
                Receipt { notification: told.key.clone(), incident: told.incident, at: self.wall(), outcome };
            for _ in 0..if self.dice.chance(200) { 2 } else { 1 } {
                let at = self.now + self.dice.within(0, 2 * MINUTE);
                self.at(at, Happening::Callback(receipt.clone(), 0));
            }
        }
        if told.kind == NotificationKind::TicketFallback && well && self.dice.chance(500) {
            let at = self.now + self.dice.within(10 * SECOND, 5 * MINUTE);
            self.at(at, Happening::Reads(told.clone()));
        }
        let NotificationKind::Callout { callout } = told.kind else { return };
        if !well || !self.dice.chance(self.plan.answers) {
            return;
        }
        let incident = self.store.incidents.get(&told.incident);
        let callout = incident
            .and_then(|incident| incident.escalation.as_ref())
            .and_then(|running| running.callouts.iter().find(|one| one.number == callout));
        let Some((reference, person)) = callout.map(|one| (one.reference.clone(), one.person.clone())) else {
            return;
        };
        let answer = match self.dice.within(0, 10) {
            0 => Answer::NotReal,
            1..3 => Answer::CallNext,
            _ => Answer::Mine,
        };
        let at = self.now + self.dice.within(10 * SECOND, 7 * MINUTE);
        let by_text = self.dice.chance(400);
        let reply = |words: String| Message::Reply {
            people: vec![person.clone()],
            id: format!("{}-{at}", told.key.replace('/', "-")),
            reply: Reply::parse(&words),
        };
        for _ in 0..if self.dice.chance(200) { 2 } else { 1 } {
            let says = match (is_text && by_text, answer) {
                (true, Answer::Mine) => reply(told.incident.0.to_string()),
                (true, Answer::CallNext) => reply(format!("{} no", told.incident.0)),
                (true, Answer::NotReal) => reply("I am driving, back in 5 minutes".to_owned()),
                (false, _) => Message::Answer { reference: reference.clone(), answer, by: None },
            };
            self.at(at, Happening::Says(says));
        }
    }

    /// A carrier tries five times, and not again.
    fn callback(&mut self, receipt: Receipt, tries: u32) {
        if self.line() == Line::Down {
            if tries < 5 {
                self.at(self.now + 5 * MINUTE, Happening::Callback(receipt, tries + 1));
            }
            return;
        }
        let told = Told { at: self.wall(), what: Message::Receipt(receipt) };
        self.told(told);
    }

    pub(crate) fn says(&mut self, message: Message) {
        if self.line() == Line::Down {
            return self.at(self.now + 5 * SECOND, Happening::Says(message));
        }
        let told = Told { at: self.wall(), what: message };
        self.told(told);
    }

    pub(crate) fn told(&mut self, told: Told) {
        self.store.append(told);
        let names: Vec<u32> = self.programs.keys().copied().collect();
        for name in names {
            self.at(self.now + 10, Happening::Look(name));
        }
    }
}

/// How a person hears of something.
pub(crate) const fn way(channel: &domain::Channel) -> Option<Way> {
    match channel {
        domain::Channel::Text(_) => Some(Way::Text),
        domain::Channel::Email(_) => Some(Way::Email),
        domain::Channel::Voice(_) => Some(Way::Voice),
        domain::Channel::Webhook(_) => Some(Way::Webhook),
        domain::Channel::Desk(_)
        | domain::Channel::DeskEmail(_)
        | domain::Channel::Team(_)
        | domain::Channel::TeamChat(_)
        | domain::Channel::TeamWebhook(_)
        | domain::Channel::TeamPager(_) => None,
    }
}
