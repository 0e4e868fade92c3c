//! The one request of a probe.

use crate::{
    credential::Bearer,
    target::{Target, UUID},
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Uri, Version,
    header::{self, HeaderValue},
};

/// The request, as this version of HTTP writes it.
pub(crate) fn request(
    target: &Target,
    id: &str,
    bearer: Option<&Bearer>,
    version: Version,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(target.form.body.clone()));
    *request.method_mut() = target.form.method.clone();
    *request.version_mut() = version;
    // With room for the host and a token.
    let mut headers = HeaderMap::with_capacity(target.form.headers.len() + target.form.with_uuid.len() + 2);
    for (name, value) in &target.form.headers {
        headers.append(name.clone(), value.clone());
    }
    for (name, template) in &target.form.with_uuid {
        if let Some(value) = with_uuid(template, id) {
            headers.append(name.clone(), value);
        }
    }
    if let Some(bearer) = bearer {
        headers.insert(header::AUTHORIZATION, bearer.value.clone());
    }
    if version == Version::HTTP_2 {
        // It was made before, from the same.
        *request.uri_mut() = target.absolute().unwrap_or_default();
        headers.remove(header::HOST);
    } else {
        *request.uri_mut() = Uri::from(target.path.clone());
        headers.entry(header::HOST).or_insert_with(|| target.place.host.clone());
    }
    *request.headers_mut() = headers;
    request
}

/// A header's value with the request id in it.
fn with_uuid(template: &str, id: &str) -> Option<HeaderValue> {
    if template == UUID {
        return HeaderValue::from_str(id).ok();
    }
    HeaderValue::try_from(template.replace(UUID, id)).ok()
}
