//! Redirects: followed only where the operation asks for it, and never to where nobody meant to go.

use crate::{exchange::Received, target::Target};
use domain::{Expectation, Failure, FailureKind, Layer, Redirects};
use hyper::{HeaderMap, header};
use url::{Position, Url};

/// Where an answer leads, if it leads somewhere and that is to be followed. `taken`: redirects so far.
///
/// To another host goes nothing of what the configuration put into the request: see [`Target::redirected`].
pub(crate) fn next(
    redirects: &Redirects,
    here: &Target,
    received: &Received<'_>,
    taken: u8,
) -> Result<Option<Target>, Failure> {
    let status = received.status;
    if redirects.at_most == 0 || !matches!(status, 301..=303 | 307 | 308) {
        return Ok(None);
    }
    let from = here.absolute().ok().and_then(|here| Url::parse(&here.to_string()).ok());
    let from = from.ok_or_else(|| refused(status, "it cannot be followed"))?;
    let asked = Asked { from: &from, method: &here.form.method, has_body: !here.form.body.is_empty() };
    let led = leads(redirects, &asked, (status, &received.headers), taken)?;
    here.redirected(&led.to, led.get, led.same).map(Some).map_err(|why| refused(status, &why))
}

/// What was asked, and is asked again elsewhere.
pub(crate) struct Asked<'a> {
    pub(crate) from: &'a Url,
    pub(crate) method: &'a hyper::Method,
    pub(crate) has_body: bool,
}

/// Where a redirect leads.
pub(crate) struct Led {
    pub(crate) to: Url,
    /// It is asked for by GET, without a body.
    get: bool,
    /// It is the same host.
    pub(crate) same: bool,
}

/// Where the redirect `status` with `headers` leads, or why it is not followed.
///
/// Never from https to http, never to another host unless the operation names it, and never with a body to another host.
pub(crate) fn leads(
    redirects: &Redirects,
    asked: &Asked<'_>,
    (status, headers): (u16, &HeaderMap),
    taken: u8,
) -> Result<Led, Failure> {
    let from = asked.from;
    // Many write what is beyond ASCII as it is; browsers read it as UTF-8.
    let location =
        headers.get(header::LOCATION).and_then(|location| std::str::from_utf8(location.as_bytes()).ok());
    let Some(location) = location else {
        return Err(refused(status, "it does not say where to"));
    };
    let to = from.join(location).map_err(|_| refused(status, "where it leads is no address"))?;
    if taken >= redirects.at_most {
        let most = redirects.at_most;
        let times = if most == 1 { "one is".to_owned() } else { format!("{most} are") };
        return Err(refused(status, &format!("no more than {times} followed")));
    }
    if !matches!(to.scheme(), "http" | "https") || !to.username().is_empty() || to.password().is_some() {
        return Err(refused(status, "where it leads cannot be probed"));
    }
    let host = to[Position::BeforeHost..Position::AfterPort].to_ascii_lowercase();
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(refused(status, &format!("it leads from https to http, at {}", named(&host))));
    }
    let same = is_same_host(from, &to);
    let name = to.host_str().unwrap_or_default().to_ascii_lowercase();
    if !same && !redirects.to.iter().any(|allowed| *allowed == host || *allowed == name) {
        return Err(refused(
            status,
            &format!(
                "it leads to another host, {}; if that is meant, name it in 'redirects: {{ to: … }}'",
                named(&host)
            ),
        ));
    }
    let get = status == 303 || (matches!(status, 301 | 302) && asked.method == hyper::Method::POST);
    if !get && !same && asked.has_body {
        return Err(refused(
            status,
            &format!("the body of a request never goes to another host, {}", named(&host)),
        ));
    }
    Ok(Led { to, get, same })
}

/// What is written down of a redirect that was followed.
pub(crate) fn followed(status: u16, number: u8, to: &Target) -> Expectation {
    let host = named(to.place.host.to_str().unwrap_or_default());
    Expectation {
        what: format!("redirect {number}"),
        expected: "to this host, or to one that is named".to_owned(),
        seen: format!("{status} to {host}"),
        ok: true,
    }
}

/// The same name at the same port; or one that only becomes secure, at the usual ports.
fn is_same_host(from: &Url, to: &Url) -> bool {
    let port = Url::port_or_known_default;
    let secured =
        from.scheme() == "http" && to.scheme() == "https" && port(from) == Some(80) && port(to) == Some(443);
    from.host() == to.host() && (port(from) == port(to) || secured)
}

fn named(host: &str) -> String {
    crate::scrub::scrubbed(host)
}

fn refused(status: u16, why: &str) -> Failure {
    Failure {
        layer: Layer::Contract,
        kind: FailureKind::UnexpectedStatus,
        message: format!("status {status}: a redirect that is not followed: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_its_name_and_its_port() {
        for (from, to, same) in [
            ("https://a.example/x", "https://a.example/y", true),
            ("https://a.example/x", "https://A.EXAMPLE:443/y", true),
            ("http://a.example/x", "https://a.example/x", true),
            ("http://a.example:8080/x", "https://a.example/x", false),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example", "https://b.example", false),
            ("https://a.example", "https://a.example.evil.example", false),
        ] {
            assert_eq!(
                is_same_host(&Url::parse(from).unwrap(), &Url::parse(to).unwrap()),
                same,
                "{from} {to}"
            );
        }
    }
}
