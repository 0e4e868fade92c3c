//! The world outside, as a whole: started, controlled, waited on and stopped.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::DropGuard;

use crate::change::Bell;
use crate::door::{Door, Tasks};
use crate::estate::{Estate, demo_estate};
use crate::fault::Fault;
use crate::heartbeat::{self, Ear, Heartbeat};
use crate::http;
use crate::latency::Latency;
use crate::neighbourhood::{Neighbourhood, Plan};
use crate::notify::{self, Exchange, Notify, NotifyOptions, Pace};
use crate::page;
use crate::servicenow::{self, Desk, DeskOptions, Office};
use crate::smtp::{MailOptions, MailServer, PostOffice};

/// The clock: the world reads no other.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

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
}

impl Ports {
    /// The demo's ports: the page on 8081, instances from 9101, desk 9201, Notify 9202, mail 9203, heartbeat 9204.
    pub const DEMO: Self = Self { page: 8_081, apis: 9_101, desk: 9_201, notify: 9_202, mail: 9_203, heartbeat: 9_204 };
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
        options.notify.pace = Pace::LIVELY;
        options
    }
}

impl fmt::Debug for WorldOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("WorldOptions").field("ports", &self.ports).field("estate", &self.estate).finish_non_exhaustive()
    }
}

/// One instance as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceView {
    /// The API's identifier.
    pub api: String,
    /// The API's name for people.
    pub title: String,
    /// The environment.
    pub environment: String,
    /// Its base URL, plain.
    pub url: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// How many requests it has seen.
    pub requests: u64,
    /// When it saw the last.
    pub asked_at: Option<Timestamp>,
}

/// There is no such API in such an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchInstance {
    /// The API that was named.
    pub api: String,
    /// The environment that was named.
    pub environment: String,
}

impl fmt::Display for NoSuchInstance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "there is no API {:?} in an environment {:?}", self.api, self.environment)
    }
}

impl std::error::Error for NoSuchInstance {}

/// What was waited for did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut(pub Duration);

impl fmt::Display for TimedOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "what was waited for did not come within {:?}", self.0)
    }
}

impl std::error::Error for TimedOut {}

/// The running world: its parts, and the handles to control them. Cheap to clone; [`World::stop`] ends it for all clones,
/// and so does dropping the last of them.
#[derive(Debug, Clone)]
pub struct World {
    parts: Arc<Parts>,
}

/// What the page serves from; it must not keep the world alive.
#[derive(Debug, Clone)]
pub(crate) struct WeakWorld(Weak<Parts>);

impl WeakWorld {
    pub(crate) fn upgrade(&self) -> Option<World> {
        self.0.upgrade().map(|parts| World { parts })
    }
}

struct Parts {
    now: Now,
    bell: Bell,
    tasks: Tasks,
    curiad: Option<String>,
    neighbourhood: Arc<Neighbourhood>,
    desk: Desk,
    notify: Notify,
    mail: MailServer,
    heartbeat: Heartbeat,
    page: OnceLock<Door>,
    _stop_with_the_last: DropGuard,
}

impl fmt::Debug for Parts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Parts").field("neighbourhood", &self.neighbourhood).finish_non_exhaustive()
    }
}

impl World {
    /// Binds every port and starts every part.
    ///
    /// # Errors
    ///
    /// A port that cannot be bound, named; or certificates that cannot be made.
    #[expect(clippy::unused_async, reason = "listeners belong to the runtime that awaits this")]
    pub async fn start(options: WorldOptions) -> io::Result<Self> {
        let (bell, tasks) = (Bell::new(), Tasks::new());
        let guard = tasks.stop.clone().drop_guard();
        let now = Arc::clone(&options.now);
        let at = |port| SocketAddr::new(options.host, port);
        let open = |what: &str, address: SocketAddr, serve| {
            Door::open(address, &tasks, serve)
                .map_err(|error| io::Error::new(error.kind(), format!("{what} at {address}: {error}")))
        };

        let office = Arc::new(Office::new(options.desk, Arc::clone(&now), options.seed, &bell));
        let door = open("the service desk", at(options.ports.desk), http::routes(servicenow::routes(Arc::clone(&office))))?;
        let desk = Desk::new(office, door);

        let exchange =
            Arc::new(Exchange::new(options.notify, Arc::clone(&now), options.seed ^ 0xA5, &bell, tasks.clone()));
        let door = open("GOV.UK Notify", at(options.ports.notify), http::routes(notify::routes(Arc::clone(&exchange))))?;
        let notify = Notify::new(exchange, door);

        let post_office = Arc::new(PostOffice::new(options.mail, Arc::clone(&now), &bell));
        let door = open("the mail server", at(options.ports.mail), post_office.serve())?;
        let mail = MailServer::new(post_office, door);

        let ear = Arc::new(Ear::new(Arc::clone(&now), &bell));
        let door = open("the heartbeat receiver", at(options.ports.heartbeat), http::routes(heartbeat::routes(Arc::clone(&ear))))?;
        let heartbeat = Heartbeat::new(ear, door);

        let plan = Plan {
            estate: options.estate,
            host: options.host,
            first_port: options.ports.apis,
            latency: options.latency,
            cascade: options.cascade,
            seed: options.seed,
            now: Arc::clone(&now),
        };
        let neighbourhood = Neighbourhood::open(plan, &bell, &tasks)?;
        let page_address = options.page.unwrap_or_else(|| at(options.ports.page));
        let world = Self {
            parts: Arc::new(Parts {
                now,
                bell,
                tasks: tasks.clone(),
                curiad: options.curiad,
                neighbourhood,
                desk,
                notify,
                mail,
                heartbeat,
                page: OnceLock::new(),
                _stop_with_the_last: guard,
            }),
        };
        let weak = WeakWorld(Arc::downgrade(&world.parts));
        let door = open("the world's page", page_address, http::routes(page::routes(weak)))?;
        // Set once, here.
        drop(world.parts.page.set(door));
        Ok(world)
    }

    /// Stops every part and waits until all its tasks have ended.
    pub async fn stop(self) {
        self.parts.tasks.stop.cancel();
        self.parts.tasks.tracker.close();
        self.parts.tasks.tracker.wait().await;
    }

    /// The address of the world's page and of its control API under `/api`.
    pub fn page_url(&self) -> String {
        self.parts.page.get().map(|door| format!("http://{}", door.address())).unwrap_or_default()
    }

    /// The base URL of an API in an environment, plain: `http://127.0.0.1:{port}/{environment}/{api}`.
    pub fn url(&self, api: &str, environment: &str) -> Option<String> {
        let address = self.parts.neighbourhood.address(api, environment)?;
        Some(format!("http://{address}/{environment}/{api}"))
    }

    /// The same over TLS, on the same port; trust [`World::authority`]. `localhost` works as the host too.
    pub fn secure_url(&self, api: &str, environment: &str) -> Option<String> {
        self.url(api, environment).map(|url| url.replacen("http:", "https:", 1))
    }

    /// The address an instance listens on.
    pub fn address(&self, api: &str, environment: &str) -> Option<SocketAddr> {
        self.parts.neighbourhood.address(api, environment)
    }

    /// The certificate, in PEM, of the authority that signed the instances' good certificates.
    pub fn authority(&self) -> &str {
        &self.parts.neighbourhood.certificates.authority
    }

    /// The client id and secret that every environment's `/oauth2/token` takes.
    pub fn api_client(&self) -> (&'static str, &'static str) {
        (crate::api::CLIENT_ID, crate::api::CLIENT_SECRET)
    }

    /// The APIs and environments of this world.
    pub fn estate(&self) -> &Estate {
        &self.parts.neighbourhood.estate
    }

    /// Every instance as it stands, API by API, environment by environment.
    pub fn instances(&self) -> Vec<InstanceView> {
        self.parts
            .neighbourhood
            .instances()
            .map(|(instance, address)| {
                let mood = instance.mood.read(|mood| *mood);
                InstanceView {
                    api: instance.api.id.clone(),
                    title: instance.api.title.clone(),
                    environment: instance.environment.clone(),
                    url: format!("http://{address}/{}/{}", instance.environment, instance.api.id),
                    fault: mood.fault,
                    requests: mood.requests,
                    asked_at: mood.asked_at,
                }
            })
            .collect()
    }

    /// Sets what is wrong with an instance; it holds when this returns.
    ///
    /// # Errors
    ///
    /// When there is no such API in such an environment.
    pub async fn set_fault(&self, api: &str, environment: &str, fault: Fault) -> Result<(), NoSuchInstance> {
        if self.parts.neighbourhood.set_fault(api, environment, fault).await {
            return Ok(());
        }
        Err(NoSuchInstance { api: api.to_owned(), environment: environment.to_owned() })
    }

    /// Makes every instance well again.
    pub async fn clear_faults(&self) {
        for instance in self.instances().into_iter().filter(|instance| instance.fault != Fault::None) {
            self.parts.neighbourhood.set_fault(&instance.api, &instance.environment, Fault::None).await;
        }
    }

    /// True when an API that depends on a faulty one says so.
    pub fn cascade(&self) -> bool {
        self.parts.neighbourhood.cascade.read(|cascade| *cascade)
    }

    /// Says whether trouble in an API shows in those that depend on it.
    pub fn set_cascade(&self, on: bool) {
        self.parts.neighbourhood.cascade.change(|cascade| *cascade = on);
    }

    /// The service desk.
    pub fn desk(&self) -> &Desk {
        &self.parts.desk
    }

    /// GOV.UK Notify.
    pub fn notify(&self) -> &Notify {
        &self.parts.notify
    }

    /// The mail server.
    pub fn mail(&self) -> &MailServer {
        &self.parts.mail
    }

    /// The heartbeat receiver.
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.parts.heartbeat
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.parts.now)()
    }

    pub(crate) fn curiad(&self) -> Option<&str> {
        self.parts.curiad.as_deref()
    }

    /// Waits until `look` finds what it looks for, and answers it. Nothing is polled: each change in the world wakes it.
    ///
    /// # Errors
    ///
    /// When it has not come within `limit`.
    pub async fn wait_for<T>(&self, limit: Duration, mut look: impl FnMut(&Self) -> Option<T>) -> Result<T, TimedOut> {
        let mut changes = self.parts.bell.listen();
        let found = async {
            loop {
                if let Some(found) = look(self) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(limit, found).await.ok().flatten().ok_or(TimedOut(limit))
    }
}
