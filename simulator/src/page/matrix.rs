//! The matrix of APIs and environments, and the faults to pick from.

use std::time::Duration;

use super::html::{BROKEN, Safe, WELL, remember};
use crate::estate::{Api, Estate};
use crate::fault::Fault;
use crate::view::InstanceView;
use crate::world::World;

/// The faults to pick from, by where they happen.
const PALETTE: [(&str, &[Fault]); 5] = [
    ("Connection", &[Fault::Refuse, Fault::Reset, Fault::Hang]),
    ("Time", &[Fault::Slow(Duration::from_secs(2)), Fault::SlowLoris]),
    (
        "Answer",
        &[
            Fault::Status(503),
            Fault::Backend(500),
            Fault::SaysFail,
            Fault::SaysDegraded,
            Fault::NotJson,
            Fault::WrongResource,
            Fault::Truncated,
            Fault::Endless,
            Fault::RedirectLoop,
            Fault::HugeHead,
            Fault::Interim,
            Fault::Garbage,
        ],
    ),
    (
        "Gateway",
        &[
            Fault::GatewayUnavailable,
            Fault::GatewayTimeout,
            Fault::Quota,
            Fault::SpikeArrest,
            Fault::TokenRefused,
            Fault::Status(401),
        ],
    ),
    ("Certificate", &[Fault::ExpiredCertificate, Fault::WrongHost, Fault::Untrusted]),
];

pub(super) fn section(world: &World, picked: Fault) -> String {
    let instances = world.instances();
    format!(
        "<section id=\"apis\"><div class=\"head\"><h2>APIs</h2>{}</div>{}{}</section>",
        switches(world, picked, &instances),
        palette(picked),
        table(world, picked, &instances)
    )
}

fn switches(world: &World, picked: Fault, instances: &[InstanceView]) -> String {
    let cascade = world.cascade();
    let words =
        if cascade { "Trouble spreads to dependants: on" } else { "Trouble spreads to dependants: off" };
    let heal = if instances.iter().any(|one| one.fault != Fault::None) {
        format!(
            "<form method=\"post\" action=\"/faults\"><input type=\"hidden\" name=\"fault\" value=\"{picked}\">\
             <button name=\"cell\" value=\"* *\">Make all well</button></form>"
        )
    } else {
        String::new()
    };
    format!(
        "<div class=\"switches\">{heal}<form method=\"post\" action=\"/cascade\">{}<button name=\"on\" value=\"{}\" \
         aria-pressed=\"{cascade}\">{words}</button></form></div>",
        remember(picked),
        !cascade
    )
}

fn palette(picked: Fault) -> String {
    let groups: String = PALETTE
        .into_iter()
        .map(|(group, faults)| palette_group(group, faults, picked))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<p class=\"hint\">Pick a fault, then click a cell to put it on. Click a broken cell to make it well. \
         The small number counts the requests that an instance has seen.</p>\
         <dl class=\"palette\">{groups}</dl>"
    )
}

fn palette_group(group: &str, faults: &[Fault], picked: Fault) -> String {
    let links: String = faults
        .iter()
        .map(|fault| {
            let chosen = if *fault == picked { " aria-current=\"true\"" } else { "" };
            format!(
                "<a href=\"/?fault={fault}#apis\"{chosen}>{}</a> ",
                fault.describe().trim_start_matches("gateway: ")
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!("<div><dt>{group}</dt><dd>{links}</dd></div>")
}

fn table(world: &World, picked: Fault, instances: &[InstanceView]) -> String {
    let estate = world.estate();
    let columns: String = estate
        .environments
        .iter()
        .map(|environment| {
            let (id, name) = (Safe(environment), spoken(environment));
            format!(
                "<th scope=\"col\"><button class=\"quiet\" name=\"cell\" value=\"* {id}\" title=\"all of {name}\">{name}</button></th>"
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let rows: String =
        estate.apis.iter().map(|api| row(api, estate, picked, instances)).collect::<Vec<_>>().concat();
    format!(
        "<form method=\"post\" action=\"/faults\"><input type=\"hidden\" name=\"fault\" value=\"{picked}\">\
         <table><thead><tr><th scope=\"col\">API</th>{columns}</tr></thead><tbody>{rows}</tbody></table></form>"
    )
}

fn row(api: &Api, estate: &Estate, picked: Fault, instances: &[InstanceView]) -> String {
    let cells: String = estate
        .environments
        .iter()
        .filter_map(|environment| {
            instances.iter().find(|one| one.api == api.id && one.environment == *environment)
        })
        .map(|one| cell(one, picked))
        .collect::<Vec<_>>()
        .concat();
    let id = Safe(&api.id);
    format!(
        "<tr><th scope=\"row\"><button class=\"quiet\" name=\"cell\" value=\"{id} *\" title=\"{id} everywhere\">{}</button></th>{cells}</tr>",
        Safe(&api.title)
    )
}

fn cell(one: &InstanceView, picked: Fault) -> String {
    let well = one.fault == Fault::None;
    let (class, shape, then) = if well {
        ("well", WELL, format!("click: {}", picked.describe()))
    } else {
        ("broken", BROKEN, "click: well again".to_owned())
    };
    format!(
        "<td><button class=\"cell {class}\" name=\"cell\" value=\"{api} {environment}\" title=\"{url} – {then}\">{shape}\
         <span class=\"where\">{place}</span> <span class=\"what\">{}</span> <span class=\"asked\">{}</span></button></td>",
        Safe(&one.fault.describe()),
        one.requests,
        api = Safe(&one.api),
        environment = Safe(&one.environment),
        place = spoken(&one.environment),
        url = Safe(&one.url),
    )
}

/// An environment's name as people say it: SIT and UAT are initials.
fn spoken(environment: &str) -> String {
    if matches!(environment, "sit" | "uat") {
        environment.to_uppercase()
    } else {
        Safe(environment).to_string()
    }
}
