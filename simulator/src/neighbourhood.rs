//! All instances of the estate, and what they share.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::api::{ClientKey, TokenKey};
use crate::certificate::Certificates;
use crate::change::{Bell, Kept};
use crate::door::{Door, Tasks};
use crate::estate::Estate;
use crate::fault::{Dependency, Fault};
use crate::instance::{Instance, Mood};
use crate::latency::{Dice, Latency};
use crate::world::Now;

/// The running estate.
pub(crate) struct Neighbourhood {
    pub(crate) now: Now,
    pub(crate) latency: Latency,
    pub(crate) certificates: Certificates,
    pub(crate) tokens: TokenKey,
    pub(crate) client_key: ClientKey,
    pub(crate) cascade: Kept<bool>,
    pub(crate) estate: Estate,
    instances: Vec<(Arc<Instance>, Door)>,
}

impl std::fmt::Debug for Neighbourhood {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Neighbourhood").field("instances", &self.instances).finish_non_exhaustive()
    }
}

/// What the running estate is made from.
pub(crate) struct Plan {
    pub(crate) estate: Estate,
    pub(crate) host: IpAddr,
    /// The first instance's port, the others follow; 0 for any.
    pub(crate) first_port: u16,
    pub(crate) latency: Latency,
    pub(crate) cascade: bool,
    pub(crate) seed: u64,
    /// How long an access token is good.
    pub(crate) token_life: Duration,
    pub(crate) now: Now,
}

impl Neighbourhood {
    pub(crate) fn open(plan: Plan, bell: &Bell, tasks: &Tasks) -> io::Result<Arc<Self>> {
        let certificates = Certificates::new((plan.now)())?;
        let client_key = ClientKey::generate()?;
        let mut failed = None;
        let world = Arc::new_cyclic(|world: &Weak<Self>| {
            let instances = open_all(&plan, world, bell, tasks).unwrap_or_else(|error| {
                failed = Some(error);
                Vec::new()
            });
            Self {
                now: plan.now,
                latency: plan.latency,
                certificates,
                tokens: TokenKey::new(plan.seed, plan.token_life),
                client_key,
                cascade: Kept::new(plan.cascade, bell),
                estate: plan.estate,
                instances,
            }
        });
        failed.map_or(Ok(world), Err)
    }

    fn find(&self, api: &str, environment: &str) -> Option<&(Arc<Instance>, Door)> {
        self.instances
            .iter()
            .find(|(instance, _)| instance.api.id == api && instance.environment == environment)
    }

    pub(crate) fn instances(&self) -> impl Iterator<Item = (&Arc<Instance>, SocketAddr)> {
        self.instances.iter().map(|(instance, door)| (instance, door.address()))
    }

    pub(crate) fn address(&self, api: &str, environment: &str) -> Option<SocketAddr> {
        self.find(api, environment).map(|(_, door)| door.address())
    }

    /// Sets a fault; it holds when this returns. False when there is no such instance.
    pub(crate) async fn set_fault(&self, api: &str, environment: &str, fault: Fault) -> bool {
        let Some((instance, door)) = self.find(api, environment) else {
            return false;
        };
        let before = instance.mood.change(|mood| std::mem::replace(&mut mood.fault, fault));
        if before != fault {
            let hang_up = before.is_below_http() || fault.is_below_http() || before == Fault::Endless;
            door.set(fault != Fault::Refuse, hang_up).await;
        }
        true
    }

    /// What an instance can say of those it depends on.
    pub(crate) fn dependencies(&self, of: &Instance) -> Vec<(String, Dependency)> {
        let shows = self.cascade.read(|cascade| *cascade);
        of.api
            .depends_on
            .iter()
            .filter_map(|id| self.find(id, &of.environment))
            .map(|(instance, _)| {
                let (name, state) = instance.as_dependency();
                (name, if shows { state } else { Dependency::Up })
            })
            .collect()
    }
}

fn open_all(
    plan: &Plan,
    world: &Weak<Neighbourhood>,
    bell: &Bell,
    tasks: &Tasks,
) -> io::Result<Vec<(Arc<Instance>, Door)>> {
    let mut instances = Vec::new();
    let mut dice = Dice::new(plan.seed);
    let mut port = plan.first_port;
    for api in &plan.estate.apis {
        let api = Arc::new(api.clone());
        for environment in &plan.estate.environments {
            let moods = (Kept::new(Mood::default(), bell), Kept::new(Dice::new(dice.roll()), &Bell::new()));
            let instance = Arc::new(Instance::new(
                Arc::clone(&api),
                environment.clone(),
                world.clone(),
                moods,
                tasks.clone(),
            ));
            let door = instance.open(SocketAddr::new(plan.host, port)).map_err(|error| {
                io::Error::new(error.kind(), format!("port {port} for {} in {environment}: {error}", api.id))
            })?;
            instances.push((instance, door));
            if port != 0 {
                port = port.checked_add(1).ok_or_else(|| io::Error::other("no ports left"))?;
            }
        }
    }
    Ok(instances)
}
