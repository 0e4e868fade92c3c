//! What a world is made from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::estate::{Estate, demo_estate};
use crate::latency::Latency;
use crate::notify::{NotifyOptions, Pace};
use crate::servicenow::DeskOptions;
use crate::smtp::MailOptions;
use crate::world::Now;

/// Where each part listens; 0 is any free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ports {
    /// The world's page and control API.
    pub page: u16,
    /// The first instance; the others follow, API by API, environment by environment.
    pub apis: u16,
    /// The service desk.
    pub desk: u16,
    /// GOV.UK Notify.
    pub notify: u16,
    /// The mail server.
    pub mail: u16,
    /// The heartbeat receiver.
    pub heartbeat: u16,
    /// The address outside the NHS Wales network.
    pub outside: u16,
    /// The address inside it.
    pub inside: u16,
}

impl Ports {
    /// The demo's ports: the page on 8081, instances from 9101, desk 9201, Notify 9202, mail 9203, heartbeat 9204, the
    /// network's addresses 9205 and 9206.
    pub const DEMO: Self = Self {
        page: 8_081,
        apis: 9_101,
        desk: 9_201,
        notify: 9_202,
        mail: 9_203,
        heartbeat: 9_204,
        outside: 9_205,
        inside: 9_206,
    };
}

/// What the world is made from.
#[derive(Clone)]
pub struct WorldOptions {
    /// The address all parts listen on.
    pub host: IpAddr,
    /// And their ports.
    pub ports: Ports,
    /// Where the page listens, when it is not `host` and `ports.page`.
    pub page: Option<SocketAddr>,
    /// The APIs.
    pub estate: Estate,
    /// How long a healthy answer takes.
    pub latency: Latency,
    /// True when an API that depends on a faulty one says so, and cannot serve without it.
    pub cascade: bool,
    /// How long an access token is good.
    pub token_life: Duration,
    /// What chance starts from.
    pub seed: u64,
    /// The clock.
    pub now: Now,
    /// The service desk.
    pub desk: DeskOptions,
    /// GOV.UK Notify.
    pub notify: NotifyOptions,
    /// The mail server.
    pub mail: MailOptions,
    /// Where Curiad's own pages are, for links from the world's page.
    pub curiad: Option<String>,
}

impl WorldOptions {
    /// For tests: any ports, no waiting, the demo's estate.
    pub fn new(now: Now) -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: Ports::default(),
            page: None,
            estate: demo_estate(),
            latency: Latency::NONE,
            cascade: false,
            token_life: Duration::from_secs(599),
            seed: 1,
            now,
            desk: DeskOptions::default(),
            notify: NotifyOptions::default(),
            mail: MailOptions::default(),
            curiad: None,
        }
    }

    /// For the demo: fixed ports, lively answers, trouble that spreads.
    pub fn demo(now: Now) -> Self {
        let mut options = Self::new(now);
        options.ports = Ports::DEMO;
        options.latency = Latency::LIVELY;
        options.cascade = true;
        // So short that trouble with tokens shows within a minute.
        options.token_life = Duration::from_mins(1);
        options.notify.pace = Pace::LIVELY;
        options
    }
}

impl fmt::Debug for WorldOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("WorldOptions")
            .field("ports", &self.ports)
            .field("estate", &self.estate)
            .finish_non_exhaustive()
    }
}
