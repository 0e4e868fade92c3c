//! The configuration: a directory in git, read strictly, all problems at once (DESIGN §7).
//!
//! `curiad.yaml` and `apis/*.yaml` become trees of words that know their places ([`tree`]); each section is read key by
//! key ([`section`]), which turns words into values or into problems and goes on; then references are followed
//! ([`names`]) and the parts compared ([`sense`]). Only when nothing is wrong does a [`domain::Configuration`] exist.

mod address;
mod alertmanager;
mod api;
mod asked;
mod audit;
mod auth;
mod availability;
mod bank_holidays;
mod beside;
mod bilingual;
mod calendar;
mod capture;
mod channels;
mod checks;
mod credential_name;
mod database;
mod desks;
mod dns;
mod egress;
mod environments;
mod escalations;
mod excerpt;
mod expect;
mod files;
mod graphql;
mod heartbeat;
mod hours;
mod journey;
mod leaving;
mod listen;
mod marks;
mod mllp;
mod names;
mod nearest;
mod openapi;
mod operation;
mod ownership;
mod patients;
mod people;
mod priorities;
mod problem;
mod programs;
mod rate;
mod reading;
mod redirects;
mod report;
mod retention;
mod rotas;
mod secret;
mod section;
mod sense;
mod site;
mod soap;
mod stamps;
mod tcp;
mod top;
mod tree;
mod twilio;
mod vantages;
mod way;
mod wonder;
mod writes;
mod written;

pub(crate) use calendar::{NOBODY, first_gap};
pub(crate) use database::{is_postgres, shown};
pub(crate) use leaving::left_production;
pub(crate) use listen::Listen;
pub(crate) use nearest::{did_you_mean, nearest};
pub(crate) use problem::{Problem, Severity};
pub(crate) use reading::{counts_from, duration_text, parse_duration};
pub(crate) use report::check_report;
pub(crate) use secret::Secrets;
pub(crate) use stamps::Stamps;

use alerting::{Directory, OutageLimits};
use api::ApiDraft;
use asked::Asked;
use domain::{ApiId, Check, Configuration, Proxy, Secret, SecretEnd, Site};
use excerpt::Source;
use jiff::{Timestamp, tz::TimeZone};
use names::Names;
use problem::Problems;
use reading::Reading;
use rustls::pki_types::CertificateDer;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use top::Top;

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// What the rules need to know.
    pub(crate) configuration: Arc<Configuration>,
    /// By which it is told from others; of its files without the secrets.
    pub(crate) version: String,
    /// The database's URL.
    pub(crate) database: Secret,
    /// Where outcomes wait while the database takes nothing; `None`: beside it.
    pub(crate) spool: Option<PathBuf>,
    /// How long the database may take.
    pub(crate) outage: OutageLimits,
    /// How often it is looked whether some of the history is over.
    pub(crate) history_every: Duration,
    /// Addresses and secrets of everybody who can be told.
    pub(crate) directory: Directory,
    /// By which Notify's callbacks are known; `None`: they are refused.
    pub(crate) callback_token: Option<Secret>,
    /// By which Twilio's callbacks are known.
    pub(crate) twilio_tokens: Vec<Secret>,
    /// By which an Alertmanager's webhook is known.
    pub(crate) alertmanager_token: Option<Secret>,
    /// Where to listen, and for whom.
    pub(crate) listen: Listen,
    /// Certificates that are trusted beside the system's.
    pub(crate) roots: Vec<CertificateDer<'static>>,
    /// Through which what is not a probe goes out, e-mails apart.
    pub(crate) proxy: Option<Proxy>,
    /// The references of curiad.yaml, by the keys that lead to them: `people/one/text`.
    pub(crate) references: BTreeMap<String, String>,
    /// The secrets that it needs, by reference.
    pub(crate) secrets: Vec<String>,
    /// What is probably not meant.
    pub(crate) warnings: Vec<Problem>,
}

/// Reads the configuration in `directory`. The errors are all there are, best first, and at least one. What depends on
/// the day (`now`) is never more than a warning: what was accepted once is accepted at any restart.
pub(crate) fn load(directory: &Path, secrets: &Secrets, now: Timestamp) -> Result<Loaded, Vec<Problem>> {
    read(directory, secrets, now).0
}

/// As [`load`], with what the files looked like just before they were read: what a later change is seen by.
pub(crate) fn read(
    directory: &Path,
    secrets: &Secrets,
    now: Timestamp,
) -> (Result<Loaded, Vec<Problem>>, Stamps) {
    let (loaded, reading) = read_and_ask(directory, secrets, now);
    (loaded, reading.stamps)
}

/// The same, with the reading itself.
fn read_and_ask<'a>(
    directory: &'a Path,
    secrets: &'a Secrets,
    now: Timestamp,
) -> (Result<Loaded, Vec<Problem>>, Reading<'a>) {
    let stamps = Stamps::now(directory, &Stamps::default());
    let mut reading = Reading {
        problems: Problems::default(),
        names: Names::default(),
        used: Vec::new(),
        ending: Vec::new(),
        sent: Vec::new(),
        patients: Vec::new(),
        asked: Asked::default(),
        expects: HashSet::new(),
        secrets,
        stamps,
        directory,
        zone: TimeZone::UTC,
    };
    let loaded = read_all(&mut reading, now);
    (loaded, reading)
}

fn read_all(reading: &mut Reading<'_>, now: Timestamp) -> Result<Loaded, Vec<Problem>> {
    let mut sources = BTreeMap::new();
    let files = files::read(reading.directory, &mut reading.problems);
    let mut version = files.version();
    let mut parse = |file: &files::File, problems: &mut Problems| {
        let node = file.parse(problems);
        sources.insert(file.name.to_string(), Source::new(&file.name, &file.text, node.as_ref()));
        node
    };
    let mut references = BTreeMap::new();
    let top = if let Some(node) = files.top.and_then(|file| parse(&file, &mut reading.problems)) {
        references = secret::references(&node);
        top::read(&node, reading)
    } else {
        top::unreadable(reading);
        Top { has: channels::MailText { mail: true, text: true, voice: true }, ..Top::default() }
    };
    if let Some(site) = &top.site {
        reading.zone = site.time_zone.clone();
    }
    // Also of a file that cannot be read: the file is the problem, not who depends on it.
    for file in &files.apis {
        reading.names.define(names::Noun::Api, &file.stem, &problem::Place::whole(&file.name));
    }
    let used = std::mem::take(&mut reading.used);
    let (mut apis, mut used_by_apis) = (BTreeMap::new(), Vec::new());
    for file in files.apis {
        let Some(node) = parse(&file, &mut reading.problems) else { continue };
        let draft = api::read(&node, &file.stem, reading);
        let used = std::mem::take(&mut reading.used);
        if let Some(draft) = draft {
            used_by_apis.push((draft.api.team.clone(), used));
            apis.insert(draft.api.id.clone(), draft);
        }
    }
    reading.sent.iter().for_each(|(name, text)| version.add(name, text));
    let version = version.word();
    let Reading { problems, names, ending, zone, .. } = reading;
    names.dangling(problems);
    sense::check(&top, &apis, problems);
    let owned = top.teams.iter().map(|(id, draft)| (id, draft.secrets.as_slice()));
    ownership::check(&owned, &used, &used_by_apis, problems);
    let checks: Vec<_> =
        apis.values().flat_map(|draft| checks::resolve(draft, &top.vantages, problems)).collect();
    if !problems.has_errors() {
        names.unused(problems);
        wonder::check(&top, &apis, problems);
        calendar::check(&top, names, now, problems);
        calendar::certificates(&top, &apis, now, problems);
        calendar::secrets(ending, zone, now, problems);
    }
    let usable = !problems.has_errors();
    let problems = std::mem::take(problems).sorted(&sources);
    match (top.site.clone(), top.database.clone()) {
        (Some(site), Some(database)) if usable => {
            let used = used.into_iter().chain(used_by_apis.into_iter().flat_map(|(_, used)| used));
            let mut secrets: Vec<String> = used.map(|used| used.reference).collect();
            secrets.sort();
            secrets.dedup();
            Ok(Loaded {
                references,
                secrets,
                ..put_together((site, database, version), top, apis, checks, (ending, problems))
            })
        }
        _ => Err(problems),
    }
}

/// Puts together what nothing is wrong with.
fn put_together(
    (site, database, version): (Site, Secret, String),
    top: Top,
    apis: BTreeMap<ApiId, ApiDraft>,
    checks: Vec<Check>,
    (ending, warnings): (&[secret::Ending], Vec<Problem>),
) -> Loaded {
    let mut secrets_end: BTreeMap<String, SecretEnd> = BTreeMap::new();
    for secret in ending {
        let Some(at) = secret.ends(&site.time_zone) else { continue };
        let known = secrets_end.entry(secret.reference.clone());
        let known = known.or_insert_with(|| SecretEnd { at, shown_to: BTreeSet::new() });
        known.at = at.min(known.at);
        known.shown_to.extend(secret.of.clone());
    }
    let mut directory = Directory {
        notify: top.notify,
        twilio: top.twilio,
        mail: top.mail,
        dead_man: top.dead_man,
        alertmanagers: top.alertmanager.send,
        ..Directory::default()
    };
    let mut teams = BTreeMap::new();
    for (id, draft) in top.teams {
        directory.teams.insert(id.clone(), draft.contact);
        teams.insert(id, draft.team);
    }
    let mut people = BTreeMap::new();
    for (id, draft) in top.people {
        directory.people.insert(id.clone(), draft.contact);
        people.insert(id, draft.person);
    }
    let mut desks = BTreeMap::new();
    for (id, draft) in top.desks {
        directory.desks.insert(id.clone(), draft.settings);
        desks.insert(id, draft.desk);
    }
    let configuration = Configuration {
        site,
        environments: top.environments.into_iter().map(|(id, draft)| (id, draft.policy)).collect(),
        apis: apis.into_iter().map(|(id, draft)| (id, Arc::new(draft.api))).collect(),
        checks: checks.into_iter().map(|check| (check.id.clone(), Arc::new(check))).collect(),
        vantages: top.vantages,
        teams,
        people,
        rotas: top.rotas.into_iter().map(|(id, draft)| (id, draft.rota)).collect(),
        contact_proof: top.contact_proof,
        alerts_call_out: top.alertmanager.calls_out,
        text_replies: top.texts.replies,
        text_prefix: top.texts.prefix,
        daily_test: top.daily_test,
        hours: top.hours,
        escalations: top
            .escalations
            .iter()
            .map(|(id, draft)| (id.clone(), draft.named(id.clone())))
            .collect(),
        desks,
        priorities: top.priorities,
        availability: top.availability.map(|(policy, _)| policy).unwrap_or_default(),
        secrets_end,
    };
    Loaded {
        configuration: Arc::new(configuration),
        version,
        database,
        spool: top.spool,
        outage: OutageLimits::default(),
        history_every: crate::sealer::LOOK,
        directory,
        callback_token: top.callback_token,
        twilio_tokens: top.twilio_tokens,
        alertmanager_token: top.alertmanager.callback_token,
        listen: top.listen,
        roots: top.outward.roots,
        proxy: top.outward.proxy,
        references: BTreeMap::new(),
        secrets: Vec::new(),
        warnings,
    }
}

#[cfg(test)]
pub(crate) mod tests;
