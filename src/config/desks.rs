//! Service desks.

use super::{
    auth::{Shown, mtls as own_certificate},
    names::Noun,
    problem::Place,
    problem::Rank,
    programs,
    reading::Reading,
    section::Section,
    tree::Node,
};
use alerting::{Auth, DeskSettings, DeskSystem, ServiceNow};
use domain::{Desk, HoursId, Language, Priority, ServiceTarget};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// A service desk and how it is reached.
pub(super) struct DeskDraft {
    pub desk: Desk,
    pub settings: DeskSettings,
    /// Where its mailbox stands.
    pub email_place: Option<Place>,
    /// When our own certificate for it ends, and where that stands; `None` too while secrets are left out.
    pub ends: Option<(Timestamp, Place)>,
}

/// Reads a service desk.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<DeskDraft> {
    let mut section = Section::open(node, "a service desk", reading)?;
    let name =
        section.required("name", reading).and_then(|node| reading.bilingual(node, "a service desk's name"));
    let language = section.optional("language", reading).and_then(|node| reading.language(node));
    let systems = (section.optional("servicenow", reading), section.optional("webhook", reading));
    let fallback_node = section.optional("fallback", reading);
    let fallback = fallback_node.and_then(|node| fallback(node, reading));
    let targets = section.optional("targets", reading).and_then(|node| targets(node, reading));
    let place = section.place();
    section.close(reading);
    let system = match systems {
        (Some(node), None) => {
            servicenow(node, reading).map(|(desk, ends)| (DeskSystem::ServiceNow(desk), ends))
        }
        (None, Some(node)) => programs::webhook(node, reading).map(|desk| (DeskSystem::Webhook(desk), None)),
        (Some(_), Some(node)) => {
            let message = "a desk has one system: either 'servicenow' or 'webhook', not both";
            reading.problems.error(Rank::Sense, &node.owner, message, None);
            None
        }
        (None, None) => {
            let message = "a desk without a system: 'servicenow' or 'webhook' is needed";
            reading.problems.error(Rank::Missing, place, message, None);
            None
        }
    };
    let (fallback_email, fallback_after) = fallback.unzip();
    let (system, ends) = system?;
    Some(DeskDraft {
        desk: Desk {
            name: name?,
            language: language.unwrap_or(Language::En),
            fallback_after,
            targets: targets.unwrap_or_default(),
            certificate: system.certificate().cloned(),
            resolves: matches!(&system, DeskSystem::ServiceNow(desk) if desk.close_code.is_some()),
        },
        settings: DeskSettings { system: Some(system), fallback_email },
        email_place: fallback_node.map(|node| node.owner.clone()),
        ends,
    })
}

/// Also when our certificate for it ends, and where that stands.
fn servicenow(node: &Node, reading: &mut Reading<'_>) -> Option<(ServiceNow, Option<(Timestamp, Place)>)> {
    let mut section = Section::open(node, "servicenow", reading)?;
    let url = section.required("url", reading).and_then(|node| reading.protected_url(node));
    let auth_node = section.required("auth", reading);
    let signing_in = auth_node.and_then(|node| auth(node, reading));
    let caller_id = section.required("caller_id", reading).and_then(|node| sys_id(node, reading));
    let group = section.required("assignment_group", reading).and_then(|node| sys_id(node, reading));
    let contact_type = match section.optional("contact_type", reading) {
        None => Some("monitoring".to_owned()),
        Some(node) => reading.text(node, "a contact type").map(str::to_owned),
    };
    let close_code = match section.optional("resolve_as", reading) {
        None => Some(None),
        Some(node) => reading.text(node, "a resolution code").map(|code| Some(code.to_owned())),
    };
    section.close(reading);
    let (auth, certificate) = signing_in?;
    let plain = url.as_ref().is_some_and(|url| url.starts_with("http:"));
    if let Some(node) = auth_node.filter(|_| plain && certificate.is_some()) {
        let message = "'mtls' has no meaning here: a certificate is shown over https alone";
        reading.problems.error(Rank::Sense, &node.place, message, None);
    }
    let (certificate, ends) = certificate.unzip();
    let servicenow = ServiceNow {
        url: url?,
        auth,
        certificate,
        caller_id: caller_id?,
        assignment_group: group?,
        contact_type: contact_type?,
        close_code: close_code?,
    };
    Some((servicenow, ends.flatten()))
}

/// ServiceNow's own key of a record: 32 hexadecimal digits. Names are refused: the Table API ignores what it does not know.
pub(super) fn sys_id(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let text = reading.text(node, "a sys_id")?;
    if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(text.to_owned());
    }
    reading.wrong(
        &node.place,
        format!("'{text}' is not a sys_id: 32 hexadecimal digits, from the record's menu"),
    );
    None
}

/// How we sign in, and the certificate that we show.
fn auth(node: &Node, reading: &mut Reading<'_>) -> Option<(Auth, Option<Shown>)> {
    let mut section = Section::open(node, "auth", reading)?;
    let basic = section.optional("basic", reading);
    let oauth2 = section.optional("oauth2", reading);
    let mtls = section.optional("mtls", reading);
    let place = section.place();
    let empty = basic.is_none() && oauth2.is_none() && mtls.is_none();
    section.close(reading);
    if let (Some(_), Some(node)) = (basic, oauth2) {
        reading.problems.error(Rank::Sense, &node.owner, "either 'basic' or 'oauth2', not both", None);
    }
    if empty {
        let message = "no way to sign in: 'basic', 'oauth2' or 'mtls' is needed";
        reading.problems.error(Rank::Missing, place, message, None);
    }
    let mut pair = |node: &Node, what, name, secret| {
        let mut section = Section::open(node, what, reading)?;
        let user =
            section.required(name, reading).and_then(|node| reading.text(node, "a name").map(str::to_owned));
        let secret = section.required(secret, reading).and_then(|node| reading.secret(node, |_| Ok(())));
        section.close(reading);
        user.zip(secret)
    };
    let auth = if let Some(node) = basic {
        pair(node, "basic", "user", "password").map(|(user, password)| Auth::Basic { user, password })
    } else if let Some(node) = oauth2 {
        let client = pair(node, "oauth2", "client_id", "client_secret");
        client.map(|(client_id, client_secret)| Auth::OAuth2 { client_id, client_secret })
    } else {
        mtls.map(|_| Auth::Certificate)
    };
    let certificate = mtls.map(|node| own_certificate(node, reading));
    match certificate {
        Some(None) => None,
        certificate => Some((auth?, certificate.flatten())),
    }
}

/// How soon incidents of each priority are answered and heard of.
fn targets(node: &Node, reading: &mut Reading<'_>) -> Option<BTreeMap<Priority, ServiceTarget>> {
    let mut section = Section::open(node, "targets", reading)?;
    let mut targets = BTreeMap::new();
    for (key, number) in [("P1", 1), ("P2", 2), ("P3", 3), ("P4", 4), ("P5", 5)] {
        let node = section.optional(key, reading);
        let target = node.and_then(|node| target(node, reading));
        targets.extend(Priority::new(number).zip(target));
    }
    section.close(reading);
    Some(targets)
}

fn target(node: &Node, reading: &mut Reading<'_>) -> Option<ServiceTarget> {
    let limits = Duration::from_secs(60)..=Duration::from_secs(30 * 24 * 3_600);
    let mut section = Section::open(node, "a target", reading)?;
    let nodes = (section.optional("respond", reading), section.optional("update", reading));
    let mut time = |node: &Node, what| reading.duration(node, what, limits.clone());
    let respond = nodes.0.and_then(|node| time(node, "the time to respond"));
    let update = nodes.1.and_then(|node| time(node, "the time from one update to the next"));
    let hours = section
        .optional("hours", reading)
        .and_then(|node| reading.reference(node, Noun::Hours, HoursId::parse));
    section.close(reading);
    if nodes.0.is_none() && nodes.1.is_none() {
        let message = "a target without a time: 'respond', 'update' or both are needed";
        reading.problems.error(Rank::Missing, &node.owner, message, None);
    }
    Some(ServiceTarget { respond, update, hours })
}

fn fallback(node: &Node, reading: &mut Reading<'_>) -> Option<(String, Duration)> {
    let mut section = Section::open(node, "a fallback", reading)?;
    let email = section.required("email", reading).and_then(|node| reading.mailbox(node));
    let limits = Duration::from_secs(10)..=Duration::from_secs(3_600);
    let after = section
        .required("after", reading)
        .and_then(|node| reading.duration(node, "the time without a ticket", limits));
    section.close(reading);
    email.zip(after)
}
