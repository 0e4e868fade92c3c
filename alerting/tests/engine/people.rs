//! What people do meanwhile: agents at the desk, and whoever operates the program.

use crate::{
    plan::{MINUTE, SECOND},
    store::Line,
    world::{Happening, World},
};
use domain::{
    Alert, AlertName, Command, Environment, Incident, InstanceId, Message, ParentTicket, SeenTicket, Status,
    Ticket, TicketState, Told,
};
use jiff::SignedDuration;
use std::sync::Arc;

impl World {
    /// An agent does something with a ticket, and that is read back; or a caller had opened one.
    pub(crate) fn agent(&mut self) {
        let record = |incident: &Arc<Incident>| match &incident.ticket {
            Ticket::Raised { record, .. } => Some((incident.id, record.clone())),
            Ticket::None | Ticket::Asked { .. } => None,
        };
        let raised: Vec<_> = self.store.incidents.values().filter_map(record).collect();
        let open = self.store.incidents.values().find(|incident| incident.is_open()).map(|one| one.id);
        if let Some(incident) = open.filter(|_| self.dice.chance(200)) {
            let (number, record) = self.outside.rings();
            let link = Command::Link { incident, by: "operator".to_owned(), number, record };
            return self.says(Message::Command(link));
        }
        if raised.is_empty() {
            return;
        }
        let (incident, record) = self.dice.pick(&raised).clone();
        let states = [
            TicketState::InProgress,
            TicketState::Resolved,
            TicketState::Closed,
            TicketState::Cancelled,
            TicketState::Duplicate,
        ];
        let parent = self.dice.chance(300).then(|| self.outside.rings());
        let seen = SeenTicket {
            state: *self.dice.pick(&states),
            assigned_to: self.dice.chance(500).then(|| "an agent".to_owned()),
            group: None,
            priority: domain::Priority::new(if self.dice.chance(500) { 1 } else { 4 }),
            parent: parent.map(|(number, record)| ParentTicket { number, record, state: TicketState::New }),
        };
        self.says(Message::Ticket { incident, record, seen });
    }

    /// An alert fires: its Alertmanager says so, again, and that it has ended, each until it is taken. It says how things
    /// stand then, one after the other; so only what was taken already can be told again late.
    fn alert_begins(&mut self) {
        let name = AlertName::read(if self.dice.chance(500) { "QueueTooLong" } else { "DiskFull" });
        let starts_at = self.wall();
        let alert = Alert {
            instance: InstanceId {
                api: domain::ApiId::parse("results").expect("an id"),
                environment: Environment::Production,
            },
            name: name.expect("a name"),
            fingerprint: starts_at.to_string(),
            status: Status::MajorOutage,
            starts_at,
            ends_at: None,
        };
        let ends = self.now + self.dice.within(1, 20) * MINUTE;
        self.alert(alert, ends, false);
    }

    pub(crate) fn alert(&mut self, mut alert: Alert, ends: i64, was_heard: bool) {
        if self.line() == Line::Down {
            return self.at(self.now + 5 * SECOND, Happening::Alert(alert, ends, was_heard));
        }
        let at = self.wall();
        let said = |alert: &Alert| Told { at, what: Message::Alerts(vec![alert.clone()]) };
        let fires = said(&alert);
        if ends > self.now {
            self.told(fires);
            let again = (self.now + 4 * MINUTE).min(ends);
            return self.at(again, Happening::Alert(alert, ends, true));
        }
        alert.ends_at = Some(at.max(alert.starts_at));
        for _ in 0..if self.dice.chance(300) { 2 } else { 1 } {
            self.told(said(&alert));
        }
        if was_heard && self.dice.chance(300) {
            self.told(fires);
        }
    }

    pub(crate) fn commands(&mut self) {
        let open: Vec<_> = self.store.incidents.values().filter(|incident| incident.is_open()).collect();
        if open.is_empty() {
            return;
        }
        let incident = self.dice.pick(&open).id;
        let (by, why) = (|| "operator".to_owned(), || "a reason".to_owned());
        if self.dice.chance(200) {
            return self.alert_begins();
        }
        let command = match self.dice.within(0, 12) {
            0 => Command::Acknowledge { incident, by: by() },
            1 => Command::Resolve { incident, by: by(), why: why() },
            2 => Command::Declare { incident, by: by(), why: why() },
            3 => Command::Update {
                incident,
                by: by(),
                phrases: domain::Phrases::own(domain::Text::new("We look.", "Rydym yn edrych.")),
            },
            4 => {
                let people: Vec<_> = self.plan.configuration.people.keys().cloned().collect();
                let person = self.dice.pick(&people).clone();
                let from = self.wall() + SignedDuration::from_mins(self.dice.within(0, 10));
                Command::Override {
                    by: by(),
                    rota: domain::RotaId::parse("platform").expect("an id"),
                    person,
                    instead_of: None,
                    from,
                    until: from + SignedDuration::from_mins(self.dice.within(1, 30)),
                    why: None,
                }
            }
            6 => {
                let people: Vec<_> = self.plan.configuration.people.keys().cloned().collect();
                Command::TestCall { by: by(), person: self.dice.pick(&people).clone() }
            }
            5 => Command::EndOverride { number: self.dice.within(1, 4).unsigned_abs(), by: by() },
            7 => {
                let priority = domain::Priority::new(u8::try_from(self.dice.within(1, 6)).expect("it fits"));
                Command::Prioritise { incident, by: by(), why: why(), priority: priority.expect("1 to 5") }
            }
            8 | 9 => Command::NotMajor { incident, by: by(), why: why() },
            10 => Command::Maintain {
                by: by(),
                why: domain::Text::new("New pipes", "Pibellau newydd"),
                from: self.wall(),
                // With the grace after it, no longer than the longest that nobody is called.
                until: self.wall() + SignedDuration::from_mins(self.dice.within(1, 5)),
                environment: domain::Environment::Production,
                api: self.dice.chance(500).then(|| domain::ApiId::parse("results").expect("an id")),
            },
            _ => Command::Silence {
                by: by(),
                why: why(),
                until: self.wall() + SignedDuration::from_mins(3),
                api: Some(domain::ApiId::parse("results").expect("an id")),
                environment: None,
            },
        };
        self.says(Message::Command(command));
    }
}
