//! The world outside, as a whole: started, controlled, waited on and stopped.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::DropGuard;

use crate::change::Bell;
use crate::door::{Door, Tasks};
use crate::estate::Estate;
use crate::fault::Fault;
use crate::heartbeat::{self, Ear, Heartbeat};
use crate::http;
use crate::job::Job;
use crate::neighbourhood::{Neighbourhood, Plan};
use crate::network::{self, Network};
use crate::notify::{self, Exchange, Notify};
use crate::options::WorldOptions;
use crate::page;
use crate::servicenow::{self, Desk, Office};
use crate::smtp::{MailServer, PostOffice};
use crate::view::{InstanceView, NoSuchInstance, TimedOut};

/// The clock: the world reads no other.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

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
    job: Job,
    network: Network,
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
        let door = open(
            "the service desk",
            at(options.ports.desk),
            http::routes(http::dated(servicenow::routes(Arc::clone(&office)), &now)),
        )?;
        let desk = Desk::new(office, door);

        let exchange = Arc::new(Exchange::new(
            options.notify,
            Arc::clone(&now),
            options.seed ^ 0xA5,
            &bell,
            tasks.clone(),
        ));
        let door = open(
            "GOV.UK Notify",
            at(options.ports.notify),
            http::routes(http::dated(notify::routes(Arc::clone(&exchange)), &now)),
        )?;
        let notify = Notify::new(exchange, door);

        let ear = Arc::new(Ear::new(Arc::clone(&now), &bell));
        let door = open(
            "the heartbeat receiver",
            at(options.ports.heartbeat),
            http::routes(heartbeat::routes(Arc::clone(&ear))),
        )?;
        let heartbeat = Heartbeat::new(ear, door);

        let job = Job::new(&bell, &tasks);
        let network = Network::new(
            open("the address outside", at(options.ports.outside), network::silence())?,
            open("the address inside", at(options.ports.inside), network::silence())?,
        );

        let plan = Plan {
            estate: options.estate,
            host: options.host,
            first_port: options.ports.apis,
            latency: options.latency,
            cascade: options.cascade,
            seed: options.seed,
            token_life: options.token_life,
            now: Arc::clone(&now),
        };
        let neighbourhood = Neighbourhood::open(plan, &bell, &tasks)?;
        let tls = neighbourhood.certificates.presented(Fault::None);
        let post_office = Arc::new(PostOffice::new(options.mail, tls, Arc::clone(&now), &bell));
        let door = open("the mail server", at(options.ports.mail), post_office.serve())?;
        let mail = MailServer::new(post_office, door);
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
                job,
                network,
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

    /// The private key (P-384, in PEM) that every environment's `/oauth2/token` knows the public half of, and its id.
    pub fn client_key(&self) -> (&str, &'static str) {
        (&self.parts.neighbourhood.client_key.private, crate::api::ClientKey::ID)
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
                    tokens: mood.tokens,
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

    /// A provider's scheduled job, which calls Curiad.
    pub fn job(&self) -> &Job {
        &self.parts.job
    }

    /// Curiad's own network.
    pub fn network(&self) -> &Network {
        &self.parts.network
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
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, TimedOut> {
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
