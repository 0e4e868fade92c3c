//! `curiad incident link`: the ticket that a caller had opened is looked up in the desk before anything is told.

use crate::{
    config::Loaded,
    equipment,
    exit::{CONFIG, Failed, UNAVAILABLE, USAGE},
};
use alerting::{Channels, FoundTicket};
use domain::Incident;
use std::time::Duration;

/// The desk has so long for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ticket of that number, at the desk of the incident's environment.
pub(super) async fn find(loaded: &Loaded, incident: &Incident, number: &str) -> Result<FoundTicket, Failed> {
    let number = &number.trim().to_ascii_uppercase();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failed::new(
            USAGE,
            format!("'{number}' is no ticket's number\nit looks like INC0012345, as the desk shows it"),
        ));
    }
    let policy = loaded.configuration.policy(incident.environment);
    let desk = policy.and_then(|policy| policy.service_desk.as_ref()).ok_or_else(|| {
        let what = format!("incidents of {} have no service desk", incident.environment);
        Failed::new(USAGE, format!("{what}\ngive the environment a `service_desk` in curiad.yaml"))
    })?;
    let clients = equipment::clients(loaded)?;
    let channels = Channels::new(loaded.directory.clone(), &clients, PATIENCE)
        .map_err(|error| Failed::new(CONFIG, error.to_string()))?;
    let found = channels.find_ticket(desk, number).await.map_err(|error| {
        let what = format!("the service desk {desk} cannot be asked: {}", error.why());
        Failed::new(UNAVAILABLE, format!("{what}\n`curiad doctor` says what is wrong with it"))
    })?;
    let found = found.ok_or_else(|| {
        let what = format!("the service desk {desk} has no ticket {number} that Curiad may see");
        Failed::new(USAGE, format!("{what}\nis the number right, and may our account read it?"))
    })?;
    if found.state.is_over() {
        let what = format!("{} is {} there", found.number, found.state);
        return Err(Failed::new(USAGE, format!("{what}\nlink one that is open, or have it opened again")));
    }
    Ok(found)
}
