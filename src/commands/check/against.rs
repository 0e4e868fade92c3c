//! `curiad check --against DIR`: what changes for whom, when `--config` takes the place of `DIR`.

use super::{
    calling,
    change::{About, Change, Gravity},
    figures, probing, reached, telling,
};
use crate::config::Loaded;
use domain::Environment;
use jiff::Timestamp;
use std::path::Path;

/// All changes from `old` to `new`, which stands in `directory`: what reaches humans first. `now` is for rotas.
pub(crate) fn changes(directory: &Path, old: &Loaded, new: &Loaded, now: Timestamp) -> Vec<Change> {
    let mut all = Vec::new();
    leaving(directory, old, new, &mut all);
    telling::compare(old, new, &mut all);
    calling::compare(&old.configuration, &new.configuration, now, &mut all);
    reached::compare(old, new, &mut all);
    probing::compare(&old.configuration, &new.configuration, &mut all);
    needs(old, new, &mut all);
    figures::compare(&old.configuration, &new.configuration, &mut all);
    words(old, new, &mut all);
    // Errors before all; then by weight. Within one, in the order in which they were found.
    all.sort_by_key(|change| (change.severity != Gravity::Error, change.about, change.severity));
    all
}

fn leaving(directory: &Path, old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    for api in new.configuration.not_retired(old.configuration.in_production()) {
        for problem in crate::config::left_production(directory, std::iter::once(api), &new.configuration) {
            let hint = problem.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            let message = format!("{}: {}{hint}", problem.file, problem.message);
            let change = Change { severity: Gravity::Error, ..Change::note(About::Leaving, message) };
            all.push(change.of(api).within(Environment::Production));
        }
    }
}

fn needs(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    for secret in new.secrets.iter().filter(|secret| !old.secrets.contains(secret)) {
        all.push(Change::warning(About::Needs, format!("a secret that was not needed before: {secret}")));
    }
    for secret in old.secrets.iter().filter(|secret| !new.secrets.contains(secret)) {
        all.push(Change::note(About::Needs, format!("no longer the secret {secret}")));
    }
    for (secret, ends) in &old.configuration.secrets_end {
        let day = |at: Timestamp| at.to_zoned(new.configuration.site.time_zone.clone()).date();
        let message = match new.configuration.secrets_end.get(secret) {
            Some(now) if now.at == ends.at => continue,
            Some(now) => format!("{secret} ends on {}, no longer on {}", day(now.at), day(ends.at)),
            None if !new.secrets.contains(secret) => continue,
            None => {
                format!("it is no longer said when {secret} ends: nothing is told before {}", day(ends.at))
            }
        };
        all.push(Change::note(About::Needs, message));
    }
    let database =
        |loaded| reached::written(loaded, &["database"], Some(loaded.database.reveal())).map(str::to_owned);
    if database(old) != database(new) {
        let message = "another database: history, incidents and silences stay behind in the old one";
        all.push(Change::warning(About::Needs, message));
    }
    if old.listen.proxies != new.listen.proxies {
        let message = "other proxies are believed when they say who asks";
        all.push(Change::warning(About::Needs, message));
    }
    if (old.listen.public, old.listen.internal, old.listen.trusted_network)
        != (new.listen.public, new.listen.internal, new.listen.trusted_network)
    {
        let both = |loaded: &Loaded| format!("{} and {}", loaded.listen.public, loaded.listen.internal);
        let trust = if new.listen.trusted_network && !old.listen.trusted_network {
            "; the internal page trusts its network"
        } else {
            ""
        };
        let message = format!("listens on {}, no longer on {}{trust}", both(new), both(old));
        all.push(Change::warning(About::Needs, message));
    }
    if old.spool != new.spool {
        all.push(Change::note(About::Needs, "another spool: empty the old one by a last start with it"));
    }
    if old.roots != new.roots {
        all.push(Change::note(About::Needs, "trusts other certificates beside those of the system"));
    }
    if old.proxy != new.proxy {
        let way =
            new.proxy.as_ref().map_or_else(|| "straight".to_owned(), |proxy| format!("through {proxy}"));
        all.push(Change::note(About::Needs, format!("desks, texts and heartbeats go out {way}")));
    }
}

fn words(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    let (before, after) = (&old.configuration, &new.configuration);
    if before.site.title != after.site.title {
        all.push(Change::note(About::Words, format!("the site is called '{}'", after.site.title.en)));
    }
    if before.site.url != after.site.url {
        let message = format!("the links in calls and mails lead to {}", after.site.url.en);
        all.push(Change::warning(About::Callouts, message));
    }
    if before.site.time_zone != after.site.time_zone {
        all.push(Change::warning(
            About::Timing,
            "the site has another time zone: windows and rotas may move",
        ));
    }
    for api in after.apis.values() {
        let Some(was) = before.apis.get(&api.id) else { continue };
        if was.name != api.name {
            let message = format!("{} is called '{}', no longer '{}'", api.id, api.name.en, was.name.en);
            all.push(Change::note(About::Words, message).of(&api.id));
        }
        if was.description != api.description || was.documentation != api.documentation {
            let message = format!("{} has another description or documentation", api.id);
            all.push(Change::note(About::Words, message).of(&api.id));
        }
        if was.lifecycle != api.lifecycle {
            let message = format!("{} is {}, no longer {}", api.id, api.lifecycle, was.lifecycle);
            all.push(Change::note(About::Words, message).of(&api.id));
        }
    }
}
