//! What goes to programs: a person's own, a team's, its chat and its pager.

use super::send::Sending;
use crate::{SendError, TeamContact, chat, pagerduty, program, servicenow::correlation_id};
use domain::{PersonId, Sent, TeamId};
use reqwest::Client;
use std::time::Duration;

impl Sending<'_> {
    fn over_http(&self) -> (&Client, Duration) {
        (self.setup.channels.client(), self.setup.channels.patience())
    }

    fn team(&self, team: &TeamId) -> TeamContact {
        self.setup.channels.team(team).cloned().unwrap_or_default()
    }

    pub(super) async fn to_program(&self, person: &PersonId) -> Result<Sent, SendError> {
        let to = self.setup.channels.program(person).ok_or_else(|| {
            SendError::permanent(format!("{person} has no program that is told: give them `webhook`"))
        })?;
        program::to_person(to, self.over_http(), &self.facts(), &self.claimed.notification, person).await
    }

    pub(super) async fn to_chat(&self, team: &TeamId, repeat: bool) -> Result<Sent, SendError> {
        let url = self.team(team).chat.ok_or_else(|| without(team, "chat"))?;
        chat::post(&url, self.over_http(), &self.facts(), &self.claimed.notification, repeat).await
    }

    pub(super) async fn to_teams_program(&self, team: &TeamId) -> Result<Sent, SendError> {
        let to = self.team(team).webhook.ok_or_else(|| without(team, "webhook"))?;
        let notification = &self.claimed.notification;
        let reference = correlation_id(notification);
        program::to_team(&to, self.over_http(), &self.facts(), notification, &reference).await
    }

    pub(super) async fn to_pager(&self, team: &TeamId) -> Result<Sent, SendError> {
        let to = self.team(team).pagerduty.ok_or_else(|| without(team, "pagerduty"))?;
        let notification = &self.claimed.notification;
        let reference = correlation_id(notification);
        pagerduty::tell(&to, self.over_http(), &self.facts(), notification, &reference).await
    }
}

fn without(team: &TeamId, what: &str) -> SendError {
    SendError::permanent(format!("the team {team} has no `{what}`"))
}
