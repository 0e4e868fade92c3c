//! What is made from a configuration, for those who work by it.

use crate::{
    config::Loaded,
    exit::{CONFIG, Failed},
};
use alerting::{Channels, Clients, DeadMan, Setup};
use anyhow::Context;
use domain::{Clock, Configuration, Vantage};
use prober::{Identity, NameServers, Prober, Settings, Work};
use status_page::Callbacks;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;

/// One request to a desk, a carrier or a mail server.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is made from a configuration.
#[derive(Debug, Clone)]
pub(crate) struct Equipment {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) prober: Arc<Prober>,
    /// At the other vantages.
    others: Vec<Arc<Prober>>,
    channels: Arc<Channels>,
    beating: Option<Beating>,
    callbacks: Arc<Callbacks>,
}

/// To whom the heartbeat goes, and how.
#[derive(Debug, Clone)]
pub(crate) struct Beating {
    pub(crate) dead_man: DeadMan,
    pub(crate) client: reqwest::Client,
}

impl Equipment {
    /// Made for the first time.
    pub(crate) fn new(loaded: &Loaded, clock: &Clock, request_id_key: [u8; 32]) -> Result<Self, Failed> {
        Self::with(loaded, clock, request_id_key, prober(loaded, clock, request_id_key)?)
    }

    /// Made anew from another configuration: the prober goes on counting.
    pub(crate) fn again(
        &self,
        loaded: &Loaded,
        clock: &Clock,
        request_id_key: [u8; 32],
    ) -> Result<Self, Failed> {
        let prober = self.prober.again(settings(loaded, clock, request_id_key)?).map_err(unfit)?;
        Self::with(loaded, clock, request_id_key, prober)
    }

    fn with(
        loaded: &Loaded,
        clock: &Clock,
        request_id_key: [u8; 32],
        prober: Prober,
    ) -> Result<Self, Failed> {
        let clients = clients(loaded)?;
        let channels = Channels::new(loaded.directory.clone(), &clients, PATIENCE).map_err(unfit)?;
        let client = clients.plain;
        let dead_man = loaded.directory.dead_man.clone();
        let others = beside(&prober, loaded, clock, request_id_key)?;
        Ok(Self {
            others: others.into_iter().map(Arc::new).collect(),
            configuration: Arc::clone(&loaded.configuration),
            prober: Arc::new(prober),
            channels: Arc::new(channels),
            beating: dead_man.map(|dead_man| Beating { dead_man, client }),
            callbacks: Arc::new(callbacks(loaded)),
        })
    }

    fn work(&self) -> Work {
        Work {
            prober: Arc::clone(&self.prober),
            others: self.others.clone(),
            configuration: Arc::clone(&self.configuration),
        }
    }

    fn setup(&self) -> Setup {
        Setup { configuration: Arc::clone(&self.configuration), channels: Arc::clone(&self.channels) }
    }
}

/// Where everybody gets the equipment they work with from.
#[derive(Debug)]
pub(crate) struct Handing {
    /// To the deliverer.
    pub(crate) setup: watch::Sender<Setup>,
    /// To `/hooks`.
    pub(crate) callbacks: watch::Sender<Arc<Callbacks>>,
    /// To the heartbeat.
    pub(crate) beating: watch::Sender<Option<Beating>>,
    /// To the recorder.
    pub(crate) configuration: watch::Sender<Arc<Configuration>>,
    /// To the prober.
    pub(crate) work: watch::Sender<Work>,
}

impl Handing {
    pub(crate) fn new(equipment: &Equipment) -> Self {
        Self {
            setup: watch::Sender::new(equipment.setup()),
            callbacks: watch::Sender::new(Arc::clone(&equipment.callbacks)),
            beating: watch::Sender::new(equipment.beating.clone()),
            configuration: watch::Sender::new(Arc::clone(&equipment.configuration)),
            work: watch::Sender::new(equipment.work()),
        }
    }

    /// Everybody works with it from now on. Who is told of people and desks comes before who decides to call them, and
    /// who records before who probes.
    pub(crate) fn hand_out(&self, equipment: &Equipment) {
        self.setup.send_replace(equipment.setup());
        self.callbacks.send_replace(Arc::clone(&equipment.callbacks));
        self.beating.send_replace(equipment.beating.clone());
        self.configuration.send_replace(Arc::clone(&equipment.configuration));
        self.work.send_replace(equipment.work());
    }
}

/// Who may tell us something, and from which telephones people answer.
fn callbacks(loaded: &Loaded) -> Callbacks {
    let telephone = |(person, contact): (&domain::PersonId, &alerting::Contact)| {
        contact.text.clone().map(|number| (number, person.clone()))
    };
    Callbacks {
        notify: loaded.callback_token.iter().cloned().collect(),
        twilio: loaded.twilio_tokens.clone(),
        spoken: Some(alerting::spoken),
        alertmanager: loaded.alertmanager_token.iter().cloned().collect(),
        telephones: loaded.directory.people.iter().filter_map(telephone).collect(),
    }
}

/// Probers for the other vantages, which share limits, tokens and figures with that of the first.
fn beside(
    first: &Prober,
    loaded: &Loaded,
    clock: &Clock,
    request_id_key: [u8; 32],
) -> Result<Vec<Prober>, Failed> {
    let others = loaded.configuration.vantages.iter().skip(1);
    others.map(|vantage| first.again(at(vantage, loaded, clock, request_id_key)).map_err(unfit)).collect()
}

/// A prober for the configuration's first vantage.
pub(crate) fn prober(loaded: &Loaded, clock: &Clock, request_id_key: [u8; 32]) -> Result<Prober, Failed> {
    Prober::new(settings(loaded, clock, request_id_key)?).map_err(unfit)
}

/// One for each vantage, for people who look at single probes: they also write down what they saw.
pub(crate) fn close_probers(
    loaded: &Loaded,
    clock: &Clock,
    request_id_key: [u8; 32],
) -> Result<Vec<Prober>, Failed> {
    let all = loaded.configuration.vantages.iter().map(|vantage| {
        let settings = Settings { transcripts: true, ..at(vantage, loaded, clock, request_id_key) };
        Prober::new(settings).map_err(unfit)
    });
    all.collect()
}

fn settings(loaded: &Loaded, clock: &Clock, request_id_key: [u8; 32]) -> Result<Settings, Failed> {
    let vantage = loaded.configuration.vantages.first().context("the configuration has no vantage")?;
    Ok(at(vantage, loaded, clock, request_id_key))
}

fn at(vantage: &Vantage, loaded: &Loaded, clock: &Clock, request_id_key: [u8; 32]) -> Settings {
    let url = &loaded.configuration.site.url.en;
    Settings {
        vantage: vantage.id.clone(),
        guards: vantage.guards.clone(),
        private_addresses: vantage.private_addresses,
        egress: vantage.egress.clone(),
        roots: loaded.roots.clone(),
        clock: clock.clone(),
        limits: crate::descriptors::limits(),
        identity: Identity {
            request_id_key,
            user_agent: format!("Curiad/{} (+{url})", env!("CARGO_PKG_VERSION")),
        },
        transcripts: false,
        name_servers: NameServers::System,
    }
}

/// Everything that goes out except probes and e-mails: no redirects, no cookies, the host's roots and the configured ones,
/// through the configured proxy and never through one of the environment's.
pub(crate) fn clients(loaded: &Loaded) -> Result<Clients, Failed> {
    let mut desks = BTreeMap::new();
    for (id, desk) in &loaded.configuration.desks {
        if let Some(certificate) = &desk.certificate {
            let pem = format!("{}\n{}", certificate.chain.reveal(), certificate.key.reveal());
            let what = || format!("the certificate for the service desk {id}");
            let own = reqwest::Identity::from_pem(pem.as_bytes()).with_context(what)?;
            desks.insert(id.clone(), client(loaded, Some(own))?);
        }
    }
    Ok(Clients { plain: client(loaded, None)?, desks })
}

fn client(loaded: &Loaded, own: Option<reqwest::Identity>) -> Result<reqwest::Client, Failed> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("Curiad/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &loaded.proxy {
        builder = builder.proxy(prober::of_requests(proxy).context("the address of egress.proxy is none")?);
    }
    for root in &loaded.roots {
        builder = builder
            .add_root_certificate(reqwest::Certificate::from_der(root).context("an extra root certificate")?);
    }
    if let Some(own) = own {
        builder = builder.identity(own);
    }
    Ok(builder.build().context("cannot set up the HTTP client")?)
}

fn unfit(error: impl std::fmt::Display) -> Failed {
    Failed::new(CONFIG, error.to_string())
}
