//! The configuration: a directory in git, read strictly, all problems at once (DESIGN §7).
//!
//! `curiad.yaml` and `apis/*.yaml` become trees of words that know their places ([`tree`]); each section is read key by
//! key ([`section`]), which turns words into values or into problems and goes on; then references are followed
//! ([`names`]) and the parts compared ([`sense`]). Only when nothing is wrong does a [`domain::Configuration`] exist.

mod address;
mod api;
mod bilingual;
mod channels;
mod checks;
mod database;
mod desks;
mod environments;
mod escalations;
mod expect;
mod files;
mod hours;
mod leaving;
mod listen;
mod names;
mod nearest;
mod nhs_number;
mod operation;
mod people;
mod priorities;
mod problem;
mod reading;
mod report;
mod rotas;
mod secret;
mod section;
mod sense;
mod site;
mod stamps;
mod top;
mod tree;

pub(crate) use database::{is_postgres, shown};
pub(crate) use leaving::left_production;
pub(crate) use listen::Listen;
pub(crate) use problem::{Problem, Severity};
pub(crate) use report::check_report;
pub(crate) use secret::Secrets;
pub(crate) use stamps::Stamps;

use alerting::Directory;
use api::ApiDraft;
use domain::{ApiId, Check, Configuration, Secret, Site};
use names::Names;
use problem::Problems;
use reading::Reading;
use rustls::pki_types::CertificateDer;
use std::{collections::BTreeMap, path::Path, sync::Arc};
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
    /// Addresses and secrets of everybody who can be told.
    pub(crate) directory: Directory,
    /// By which Notify's callbacks are known; `None`: they are refused.
    pub(crate) callback_token: Option<Secret>,
    /// Where to listen, and for whom.
    pub(crate) listen: Listen,
    /// Certificates that are trusted beside the system's.
    pub(crate) roots: Vec<CertificateDer<'static>>,
    /// What is probably not meant.
    pub(crate) warnings: Vec<Problem>,
}

/// Reads the configuration in `directory`. The errors are all there are, best first, and at least one.
pub(crate) fn load(directory: &Path, secrets: &Secrets) -> Result<Loaded, Vec<Problem>> {
    read(directory, secrets).0
}

/// As [`load`], with what the files looked like just before they were read: what a later change is seen by.
pub(crate) fn read(directory: &Path, secrets: &Secrets) -> (Result<Loaded, Vec<Problem>>, Stamps) {
    let stamps = Stamps::now(directory, &Stamps::default());
    let (problems, names) = (Problems::default(), Names::default());
    let mut reading = Reading { problems, names, secrets, stamps, directory };
    let loaded = read_all(&mut reading);
    (loaded, reading.stamps)
}

fn read_all(reading: &mut Reading<'_>) -> Result<Loaded, Vec<Problem>> {
    let files = files::read(reading.directory, &mut reading.problems);
    let version = files.version();
    let top = files.top.and_then(|file| file.parse(&mut reading.problems));
    let top = if let Some(node) = top {
        top::read(&node, reading)
    } else {
        top::unreadable(reading);
        Top { has: channels::MailText { mail: true, text: true }, ..Top::default() }
    };
    let mut apis = BTreeMap::new();
    for file in files.apis {
        // Also of a file that cannot be read: the file is the problem, not who depends on it.
        reading.names.define(names::Noun::Api, &file.stem, &problem::Place::whole(&file.name));
        let Some(node) = file.parse(&mut reading.problems) else { continue };
        if let Some(draft) = api::read(&node, &file.stem, reading) {
            apis.insert(draft.api.id.clone(), draft);
        }
    }
    let Reading { problems, names, .. } = reading;
    names.dangling(problems);
    sense::check(&top, &apis, problems);
    let checks: Vec<_> =
        apis.values().flat_map(|draft| checks::resolve(draft, &top.vantages, problems)).collect();
    if !problems.has_errors() {
        names.unused(problems);
        sense::wonder(&top, &apis, problems);
    }
    let usable = !problems.has_errors();
    let problems = std::mem::take(problems).sorted();
    match (top.site.clone(), top.database.clone()) {
        (Some(site), Some(database)) if usable => {
            Ok(put_together((site, database, version), top, apis, checks, problems))
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
    warnings: Vec<Problem>,
) -> Loaded {
    let mut directory =
        Directory { notify: top.notify, mail: top.mail, dead_man: top.dead_man, ..Directory::default() };
    let mut teams = BTreeMap::new();
    for (id, draft) in top.teams {
        directory.teams.extend(draft.email.map(|email| (id.clone(), email)));
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
        apis: apis.into_iter().map(|(id, draft)| (id, draft.api)).collect(),
        checks: checks.into_iter().map(|check| (check.id.clone(), Arc::new(check))).collect(),
        vantages: top.vantages,
        teams,
        people,
        rotas: top.rotas,
        hours: top.hours,
        escalations: top
            .escalations
            .iter()
            .map(|(id, draft)| (id.clone(), draft.named(id.clone())))
            .collect(),
        desks,
        priorities: top.priorities,
    };
    Loaded {
        configuration: Arc::new(configuration),
        version,
        database,
        directory,
        callback_token: top.callback_token,
        listen: top.listen,
        roots: top.roots,
        warnings,
    }
}

#[cfg(test)]
mod tests;
