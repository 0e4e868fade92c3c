//! The site, and where outcomes wait.

use super::{
    address::{is_loopback, mailbox, web_url},
    problem::Rank,
    reading::Reading,
    section::Section,
    tree::Node,
};
use domain::{Accessibility, Site, Text, WayIn};
use std::path::PathBuf;

/// What the site is called and where it is.
/// `mail`: there is a mail server.
pub(super) fn read(node: &Node, mail: bool, reading: &mut Reading<'_>) -> Option<Site> {
    let mut section = Section::open(node, "the site", reading)?;
    let title =
        section.required("title", reading).and_then(|node| reading.bilingual(node, "the site's title"));
    let url = section
        .required("url", reading)
        .and_then(|node| reading.both(node, "the site's URL", |reading, node, _| reading.base_url(node)));
    let time_zone = section.required("time_zone", reading).and_then(|node| reading.time_zone(node));
    let security = section
        .optional("security", reading)
        .and_then(|node| reading.parsed(node, "where to write of security", contact));
    let accessibility =
        section.optional("accessibility", reading).and_then(|node| accessibility(node, reading));
    let access = section.optional("access", reading).and_then(|node| access(node, reading));
    let subscriptions = subscriptions(&mut section, mail, url.as_ref(), reading);
    section.close(reading);
    Some(Site {
        title: title?,
        url: url?,
        time_zone: time_zone?,
        security,
        accessibility,
        access,
        subscriptions,
    })
}

/// Who answers for the site's being accessible.
fn accessibility(node: &Node, reading: &mut Reading<'_>) -> Option<Accessibility> {
    let mut section = Section::open(node, "accessibility", reading)?;
    let run_by =
        section.required("run_by", reading).and_then(|node| reading.bilingual(node, "who runs the site"));
    let contact = section
        .required("contact", reading)
        .and_then(|node| reading.parsed(node, "where to write of accessibility", contact));
    section.close(reading);
    Some(Accessibility { run_by: run_by?, contact: contact? })
}

/// What the portal says of environments that are not public.
fn access(node: &Node, reading: &mut Reading<'_>) -> Option<WayIn> {
    let mut section = Section::open(node, "access", reading)?;
    let words = section
        .required("words", reading)
        .and_then(|node| reading.bilingual(node, "what the portal says of access"));
    let url = section.required("url", reading).and_then(|node| {
        reading.both(node, "where access is asked for", |reading, node, _| reading.link(node))
    });
    section.close(reading);
    Some(WayIn { words: words?, url: url? })
}

/// Whether people may ask to be told by e-mail: where there is a mail server and the links of e-mails lead to TLS, unless it says
/// otherwise.
fn subscriptions(
    section: &mut Section<'_>,
    mail: bool,
    url: Option<&Text>,
    reading: &mut Reading<'_>,
) -> bool {
    let is_plain = |url: &&String| url.starts_with("http:") && !is_loopback(url);
    let plain = url.and_then(|url| [&url.en, &url.cy].into_iter().find(is_plain));
    let Some(node) = section.optional("subscriptions", reading) else {
        return mail && plain.is_none();
    };
    let wanted = reading.boolean(node).unwrap_or_default();
    if wanted && !mail {
        let message = "there is no mail server to send what people subscribe to";
        let hint = "say under mail which there is, or leave subscriptions out".to_owned();
        reading.problems.error(Rank::Value, &node.place, message, Some(hint));
    }
    if let Some(plain) = plain.filter(|_| wanted) {
        let message =
            format!("whoever reads a link of an e-mail on its way could use it: {plain} is not https");
        let hint = "give the site https:// URLs (RFC 8058), or leave subscriptions out".to_owned();
        reading.problems.error(Rank::Sense, &node.place, message, Some(hint));
    }
    wanted
}

/// A contact as RFC 9116 has it: a mailbox, or a page that is read over TLS.
fn contact(text: &str) -> Result<String, String> {
    let known = match text.strip_prefix("mailto:") {
        Some(address) => mailbox(address),
        None if text.starts_with("https://") => web_url(text).map(drop),
        None => Err("write mailto: and a mailbox, or the https:// URL of a page"),
    };
    known.map(|()| text.to_owned()).map_err(str::to_owned)
}

/// The file in which outcomes wait while the database takes nothing.
pub(super) fn spool(node: &Node, reading: &mut Reading<'_>) -> Option<PathBuf> {
    reading.text(node, "the spool's file").map(PathBuf::from)
}
