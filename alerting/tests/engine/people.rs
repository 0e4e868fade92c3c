//! What people do meanwhile: agents at the desk, and whoever operates the program.

use crate::world::World;
use domain::{Command, Incident, Message, ParentTicket, SeenTicket, Ticket, TicketState};
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
        let states =
            [TicketState::InProgress, TicketState::Resolved, TicketState::Closed, TicketState::Cancelled];
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

    pub(crate) fn commands(&mut self) {
        let open: Vec<_> = self.store.incidents.values().filter(|incident| incident.is_open()).collect();
        if open.is_empty() {
            return;
        }
        let incident = self.dice.pick(&open).id;
        let (by, why) = (|| "operator".to_owned(), || "a reason".to_owned());
        let command = match self.dice.within(0, 8) {
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
