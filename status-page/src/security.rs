//! `security.txt` (RFC 9116): where those write who find a hole.

use crate::Snapshot;
use domain::Language;
use jiff::ToSpan as _;

/// Where it is.
pub(crate) const PATH: &str = "/.well-known/security.txt";

/// The file; `None`: the configuration names no contact.
pub(crate) fn security(snapshot: &Snapshot) -> Option<String> {
    let contact = snapshot.site.security.as_deref()?;
    // By the day, so that what is kept elsewhere stays the same; the RFC asks for less than a year.
    let today = snapshot.as_of.to_zoned(jiff::tz::TimeZone::UTC).date();
    let expires = today.checked_add(180.days()).ok()?;
    let mut text = format!("Contact: {contact}\nExpires: {expires}T00:00:00Z\nPreferred-Languages: en, cy\n");
    let mut here =
        Language::ALL.map(|language| snapshot.site.url.get(language).trim_end_matches('/')).to_vec();
    here.dedup();
    for base in here.into_iter().filter(|base| base.starts_with("https://")) {
        text = format!("{text}Canonical: {base}{PATH}\n");
    }
    Some(text)
}
