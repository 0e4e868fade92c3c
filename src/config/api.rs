//! `apis/*.yaml`: one published API a file, so that each provider team owns its own.

use super::{
    address, audit,
    auth::{self, AuthDraft},
    availability::{self, Supported},
    desks::sys_id,
    environments,
    names::Noun,
    nearest::did_you_mean,
    openapi,
    operation::{self, OperationDraft, Placed, Timing},
    patients,
    problem::{Place, Rank},
    rate,
    reading::Reading,
    section::Section,
    tree::{Key, Node},
};
use domain::{
    Api, ApiId, DeskNotes, Environment, InstanceId, Kind, Layer, Lifecycle, NhsNumber, OperationId,
    ServiceLevel, TeamId, VantageId,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// One team's file must not take the places of all others (invariant 13).
const MOST_OPERATIONS: usize = 100;

/// An API, and where its parts stand.
pub(super) struct ApiDraft {
    pub api: Api,
    pub place: Place,
    pub depends_place: Option<Place>,
    pub supported: Supported,
    /// Headers that say who is registered to ask.
    pub audit: Vec<(String, String)>,
    pub operations: Vec<OperationDraft>,
    pub timing: Timing,
    pub instances: BTreeMap<Environment, InstanceDraft>,
}

/// An instance, before the nearest settings are found.
pub(super) struct InstanceDraft {
    pub url: String,
    /// `None`: all.
    pub operations: Option<Vec<OperationId>>,
    pub timing: Timing,
    /// `None`: all.
    pub from: Option<Vec<VantageId>>,
    /// `None`: nobody asks who we are.
    pub auth: Option<AuthDraft>,
    /// Beside those reserved for tests.
    pub test_patients: Arc<[NhsNumber]>,
    /// From one probe of it to the next, at least.
    pub max_rate: Option<Placed<Duration>>,
    pub place: Place,
}

/// Reads the file of the API called `stem`.
pub(super) fn read(node: &Node, stem: &str, reading: &mut Reading<'_>) -> Option<ApiDraft> {
    let mut sheet = Section::open(node, "an API", reading)?;
    if sheet.has("site") && !sheet.has("id") {
        let hint = Some("it belongs a folder further up; here is a file for each API".to_owned());
        reading.problems.error(Rank::Shape, sheet.place(), "this is a curiad.yaml, not an API", hint);
        return None;
    }
    let section = &mut sheet;
    let id = section.required("id", reading).and_then(|node| id(node, stem, reading));
    let name = section.required("name", reading).and_then(|node| reading.bilingual(node, "an API's name"));
    let description = section
        .required("description", reading)
        .and_then(|node| reading.bilingual(node, "an API's description"));
    let kind = section
        .required("kind", reading)
        .and_then(|node| reading.choice(node, "a kind of API", &Kind::ALL.map(|kind| (kind.word(), kind))));
    let lifecycle_node = section.required("lifecycle", reading);
    let lifecycle = lifecycle_node.and_then(|node| {
        reading.choice(node, "a stage of the lifecycle", &Lifecycle::ALL.map(|stage| (stage.word(), stage)))
    });
    let service_level = section.required("service_level", reading).and_then(|node| {
        let levels = [ServiceLevel::Critical, ServiceLevel::Standard];
        reading.choice(node, "a service level", &levels.map(|level| (level.word(), level)))
    });
    let consumers = section
        .optional("consumers", reading)
        .and_then(|node| reading.number(node, "a number of applications", 0..=1_000_000));
    let sensitive = section.optional("sensitive", reading).and_then(|node| reading.boolean(node));
    let audit = section.optional("audit", reading).map(|node| audit::read(node, reading)).unwrap_or_default();
    let team =
        section.required("team", reading).and_then(|node| reading.reference(node, Noun::Team, TeamId::parse));
    let depends = section.optional("depends_on", reading);
    let depends_on =
        depends.and_then(|node| reading.references(node, Noun::Api, ApiId::parse)).unwrap_or_default();
    let documentation = section.optional("documentation", reading).and_then(|node| reading.link(node));
    let document = section
        .optional("openapi", reading)
        .map_or(openapi::Named::Nothing, |node| openapi::read(node, reading));
    let desk = section.optional("desk", reading).map(|node| desk(node, reading)).unwrap_or_default();
    let (agreed, supported) = section
        .optional("availability", reading)
        .map(|node| availability::agreed(node, reading))
        .unwrap_or_default();
    let mut timing = Timing { every: Timing::setting(section, "every", reading), ..Timing::default() };
    if let Some(node) = section.required("latency", reading) {
        timing.latency(node, true, reading);
    }
    let retired = lifecycle == Some(Lifecycle::Retired);
    let operations_node = if retired {
        section.optional("operations", reading)
    } else {
        section.required("operations", reading)
    };
    let operations =
        operations_node.map(|node| operations(node, (kind, &document), reading)).unwrap_or_default();
    let known = known_operations(operations_node);
    let instances_node = if retired {
        section.optional("environments", reading)
    } else {
        section.required("environments", reading)
    };
    let instances =
        instances_node.map(|node| instances(node, id.as_ref(), &known, reading)).unwrap_or_default();
    if let Some(lifecycle_node) = lifecycle_node {
        let instances =
            instances_node.map(|node| reading.map(node, "environments").unwrap_or_default().len());
        check_lifecycle(lifecycle_node, lifecycle, instances, instances_node, reading);
    }
    let place = section.place().clone();
    sheet.close(reading);
    Some(ApiDraft {
        api: Api {
            id: id?,
            name: name?,
            description: description?,
            kind: kind?,
            lifecycle: lifecycle?,
            service_level: service_level?,
            consumers: consumers.unwrap_or(0),
            sensitive: sensitive.unwrap_or(false),
            team: team?,
            depends_on,
            documentation,
            desk,
            agreed,
            operations: operations.iter().map(|draft| draft.operation.clone()).collect(),
            instances: instances
                .iter()
                .map(|(environment, instance)| (*environment, instance.url.clone()))
                .collect(),
        },
        place,
        depends_place: depends.map(|node| node.place.clone()),
        supported,
        audit,
        operations,
        timing,
        instances,
    })
}

fn id(node: &Node, stem: &str, reading: &mut Reading<'_>) -> Option<ApiId> {
    let text = reading.text(node, "an id")?;
    let id = reading.parsed(node, "an id", |text| ApiId::parse(text).map_err(|error| error.to_string()))?;
    if text != stem {
        let message = format!("the id '{text}' is not the file's name '{stem}'");
        let hint = Some(if reading.names.is_defined(Noun::Api, text) {
            let next = if ApiId::parse(stem).is_ok() {
                format!("write 'id: {stem}'")
            } else {
                "give this file another name, and the id of it".to_owned()
            };
            format!("apis/{text}.yaml has that id: {next}")
        } else {
            format!("history hangs on the id: if it is right, name the file {text}.yaml")
        });
        reading.problems.error(Rank::Sense, &node.place, message, hint);
    }
    Some(id)
}

fn check_lifecycle(
    node: &Node,
    lifecycle: Option<Lifecycle>,
    instances: Option<usize>,
    instances_node: Option<&Node>,
    reading: &mut Reading<'_>,
) {
    let in_production = instances_node
        .and_then(|node| reading.map(node, "environments"))
        .and_then(|entries| entries.iter().find(|(key, _)| key.word == Environment::Production.word()));
    match (lifecycle, instances, in_production) {
        (Some(Lifecycle::Retired), Some(1..), _) => {
            let hint = Some("take its environments away; its history stays".to_owned());
            let message = "a retired API is in no environment";
            reading.problems.error(Rank::Sense, &node.place, message, hint);
        }
        (Some(Lifecycle::Alpha), _, Some((key, _))) => {
            let hint = Some("'beta' may be".to_owned());
            reading.problems.error(Rank::Sense, &key.place, "an alpha API is not in production", hint);
        }
        (
            Some(
                Lifecycle::Alpha
                | Lifecycle::Beta
                | Lifecycle::Stable
                | Lifecycle::Legacy
                | Lifecycle::Deprecated,
            ),
            Some(0),
            _,
        ) => {
            let hint = Some("say 'lifecycle: retired' if it is gone".to_owned());
            reading.problems.error(Rank::Sense, &node.place, "this API is in no environment", hint);
        }
        _ => {}
    }
}

fn desk(node: &Node, reading: &mut Reading<'_>) -> DeskNotes {
    let mut notes = DeskNotes::default();
    let Some(mut section) = Section::open(node, "desk", reading) else { return notes };
    notes.ci = section.optional("ci", reading).and_then(|node| sys_id(node, reading));
    notes.cis =
        section.optional("cis", reading).map(|node| by_layer(node, "cis", reading)).unwrap_or_default();
    notes.groups =
        section.optional("groups", reading).map(|node| by_layer(node, "groups", reading)).unwrap_or_default();
    notes.group_names =
        section.optional("group_names", reading).map(|node| names(node, &notes, reading)).unwrap_or_default();
    notes.users = section
        .optional("users", reading)
        .and_then(|node| reading.bilingual(node, "what its absence means to users"));
    notes.runbook = section.optional("runbook", reading).and_then(|node| reading.link(node));
    notes.known_errors = section.optional("known_errors", reading).and_then(|node| reading.link(node));
    let mut words = |key, what| section.optional(key, reading).and_then(|node| reading.bilingual(node, what));
    notes.workaround = words("workaround", "what users can do meanwhile");
    notes.out_of_hours = words("out_of_hours", "whom to ring out of hours");
    notes.clinical_safety = words("clinical_safety", "who answers for clinical safety");
    section.close(reading);
    notes
}

/// Keys of the desk, by the layer at fault.
fn by_layer(node: &Node, what: &str, reading: &mut Reading<'_>) -> BTreeMap<Layer, String> {
    let mut all = BTreeMap::new();
    for (name, node) in reading.map(node, what).unwrap_or_default() {
        all.extend(layer(name, reading).zip(sys_id(node, reading)));
    }
    all
}

/// What people call the groups.
fn names(node: &Node, notes: &DeskNotes, reading: &mut Reading<'_>) -> BTreeMap<Layer, String> {
    let mut all = BTreeMap::new();
    for (name, node) in reading.map(node, "group_names").unwrap_or_default() {
        let layer = layer(name, reading);
        if layer.is_some_and(|layer| !notes.groups.contains_key(&layer)) {
            let message = format!("there is no group for '{}' that this could be the name of", name.word);
            reading.problems.error(Rank::Sense, &name.place, message, None);
        }
        all.extend(layer.zip(reading.text(node, "a group's name").map(str::to_owned)));
    }
    all
}

fn layer(name: &Key, reading: &mut Reading<'_>) -> Option<Layer> {
    let layer = Layer::parse(&name.word);
    if layer.is_none() {
        let hint = did_you_mean(&name.word, Layer::ALL.map(Layer::word));
        let message = format!("unknown layer '{}'", name.word);
        reading.problems.error(Rank::Shape, &name.place, message, hint);
    }
    layer
}

fn known_operations(node: Option<&Node>) -> Vec<&str> {
    match node.map(|node| &node.value) {
        Some(super::tree::Value::Map(entries)) => entries.iter().map(|(key, _)| key.word.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn operations(
    node: &Node,
    of: (Option<Kind>, &openapi::Named),
    reading: &mut Reading<'_>,
) -> Vec<OperationDraft> {
    let Some(entries) = reading.map(node, "operations") else { return Vec::new() };
    if entries.is_empty() {
        reading.wrong(&node.place, "no operation: nothing would be checked");
    }
    if entries.len() > MOST_OPERATIONS {
        reading.wrong(
            &node.place,
            format!("an API has at most {MOST_OPERATIONS} operations, not {}", entries.len()),
        );
        return Vec::new();
    }
    let mut all = Vec::new();
    for (name, node) in entries {
        if let Some(id) = reading.name(name, OperationId::parse) {
            all.extend(operation::read(id, node, of, reading));
        }
    }
    all
}

fn instances(
    node: &Node,
    api: Option<&ApiId>,
    known: &[&str],
    reading: &mut Reading<'_>,
) -> BTreeMap<Environment, InstanceDraft> {
    let mut all = BTreeMap::new();
    for (name, node) in reading.map(node, "environments").unwrap_or_default() {
        let environment = environments::parse(&name.word, &name.place, reading);
        if environment.is_some() {
            reading.names.refer(Noun::Environment, &name.word, &name.place);
        }
        let before = reading.ending.len();
        let instance = instance(node, known, reading);
        if let (Some(api), Some(environment)) = (api, environment) {
            let ending = reading.ending.iter_mut().skip(before);
            ending.for_each(|secret| secret.of = Some(InstanceId { api: api.clone(), environment }));
        }
        all.extend(environment.zip(instance));
    }
    all
}

fn instance(node: &Node, known: &[&str], reading: &mut Reading<'_>) -> Option<InstanceDraft> {
    let mut section = Section::open(node, "an instance", reading)?;
    let url = section.required("url", reading).and_then(|node| {
        let url = reading.instance_url(node)?;
        patients::refuse(node, &url, reading);
        if let Some(what) = address::never_dialled(&url) {
            reading.wrong(&node.place, format!("no probe is ever sent to {what}"));
        }
        Some((url, node))
    });
    let auth = section.optional("auth", reading).and_then(|node| auth::read(node, reading));
    if let (Some((url, node)), Some(auth)) = (&url, &auth) {
        auth.check_way(node, url, reading);
    }
    let operations =
        section.optional("operations", reading).map(|node| chosen(node, known, reading).unwrap_or_default());
    let mut timing = Timing { every: Timing::setting(&mut section, "every", reading), ..Timing::default() };
    if let Some(node) = section.optional("latency", reading) {
        timing.latency(node, false, reading);
    }
    let from = section.optional("from", reading).map(|node| {
        if reading.list_of_some(node, "vantages").is_none() {
            return Vec::new();
        }
        reading.references(node, Noun::Vantage, VantageId::parse).unwrap_or_default()
    });
    let max_rate = section.optional("max_rate", reading).and_then(|node| rate::read(node, reading));
    let test_patients = section.optional("test_patients", reading);
    let test_patients = test_patients.map(|node| patients::listed(node, reading)).unwrap_or_default();
    section.close(reading);
    let (url, node) = url?;
    let place = node.place.clone();
    Some(InstanceDraft { url, operations, timing, from, auth, test_patients, max_rate, place })
}

/// The operations that an instance chooses from those of its API.
fn chosen(node: &Node, known: &[&str], reading: &mut Reading<'_>) -> Option<Vec<OperationId>> {
    let mut all = Vec::new();
    for item in reading.list_of_some(node, "operations")? {
        let Some(text) = reading.word(item, "an operation's name") else { continue };
        if !known.contains(&text) {
            let hint = did_you_mean(text, known.iter().copied());
            reading.problems.error(Rank::Reference, &item.place, format!("unknown operation '{text}'"), hint);
            continue;
        }
        match OperationId::parse(text) {
            Ok(id) if all.contains(&id) => reading.wrong(&item.place, "this is named twice"),
            Ok(id) => all.push(id),
            Err(_) => {} // said where the operation is defined
        }
    }
    Some(all)
}

/// Whether probes of this instance cross a network in plain text.
pub(super) fn is_unprotected(instance: &InstanceDraft) -> bool {
    instance.url.starts_with("http:") && !address::is_loopback(&instance.url)
}
