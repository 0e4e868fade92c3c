//! A journey made ready: its steps, and each of them filled with what was captured.

use crate::{
    capture::Captures,
    credential::Ready,
    fill::{Into, Values},
    permits::Permits,
    prepared::Shared,
    target::{Target, UUID},
};
use bytes::Bytes;
use domain::{
    Failure, FailureKind, HttpRequest, JourneyStep, Layer, NhsNumber, Piece, may_be_patients, pieces,
};
use hyper::header::{HeaderName, HeaderValue};
use std::{borrow::Cow, sync::Arc, time::Duration};
use url::{Position, Url};

/// Several requests, one after the other.
pub(crate) struct Journey {
    first: Step,
    others: Vec<Step>,
    pub(crate) clean_up: Vec<Step>,
    pub(crate) clean_up_timeout: Duration,
}

/// One of them.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) captures: Captures,
    pub(crate) timeout: Option<Duration>,
    /// Without the values.
    target: Target,
    /// Where values go; `None`: nowhere.
    blank: Option<Blank>,
    /// Values stand in what is expected of the answer.
    expects: bool,
}

/// What of a request values go into.
struct Blank {
    base: String,
    path: String,
    body: Option<(String, Into)>,
    headers: Vec<(HeaderName, String)>,
    /// Numbers that may be in it, beside those reserved for tests.
    test_patients: Arc<[NhsNumber]>,
}

impl Journey {
    pub(crate) fn new(
        (base, test_patients): (&str, &Arc<[NhsNumber]>),
        journey: &domain::Journey,
        user_agent: &HeaderValue,
        permits: &Permits,
        (ready, shared): (&Ready, &Shared),
    ) -> Result<Self, String> {
        let base = (base, test_patients);
        let step = |step| Step::new(base, step, user_agent, permits, (ready.clone(), shared));
        let mut steps = journey.steps.iter().map(step);
        Ok(Self {
            first: steps.next().ok_or("a journey has at least one step")??,
            others: steps.collect::<Result<_, _>>()?,
            clean_up: journey.clean_up.iter().map(step).collect::<Result<_, _>>()?,
            clean_up_timeout: journey.clean_up_timeout,
        })
    }

    /// The steps before the clean-up.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// What all have in common: the host, the credential, the certificate.
    pub(crate) fn first(&self) -> &Target {
        &self.first.target
    }
}

impl Step {
    /// Whether what it asks for is more than to read.
    pub(crate) fn writes(&self) -> bool {
        !self.target.form.method.is_safe()
    }

    fn new(
        base: (&str, &Arc<[NhsNumber]>),
        step: &JourneyStep,
        user_agent: &HeaderValue,
        permits: &Permits,
        (ready, shared): (Ready, &Shared),
    ) -> Result<Self, String> {
        let JourneyStep { name, request, expect, captures, timeout } = step;
        let of_step = |why| format!("step '{name}': {why}");
        let captures = Captures::new(captures).map_err(of_step)?;
        let (sent, blank) = Blank::of(base, request).map_err(of_step)?;
        let mut target =
            Target::new((base.0, &sent, &Arc::new(expect.clone())), user_agent, permits, (ready, shared))
                .map_err(of_step)?;
        target.captured = captures.look_into_body();
        let expects = target.form.expectations.words().any(has_value);
        Ok(Self { name: name.clone(), captures, timeout: *timeout, target, blank, expects })
    }

    /// A value that it needs and that was not captured.
    pub(crate) fn lacks(&self, values: &Values) -> Option<&str> {
        let sent = self.blank.iter().flat_map(Blank::texts);
        sent.chain(self.target.form.expectations.words()).find_map(|text| {
            pieces(text).into_iter().find_map(|piece| match piece {
                Piece::Value(name) if values.get(name).is_none() => Some(name),
                Piece::Value(_) | Piece::Text(_) => None,
            })
        })
    }

    /// The request with the values in it. They go into its path, its body and its headers, and nowhere else.
    pub(crate) fn target(&self, values: &Values) -> Result<Cow<'_, Target>, Failure> {
        let mut target = match &self.blank {
            None => Cow::Borrowed(&self.target),
            Some(blank) => blank.filled(&self.target, values).map(Cow::Owned).map_err(|why| Failure {
                layer: Layer::Contract,
                kind: FailureKind::ExpectationFailed,
                message: format!("it cannot be sent: {why}"),
            })?,
        };
        if self.expects {
            let filled = Arc::new(self.target.form.expectations.filled(values));
            Arc::make_mut(&mut target.to_mut().form).expectations = filled;
        }
        Ok(target)
    }
}

fn has_value(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::Value(_)))
}

impl Blank {
    /// A request without the headers that values go into, and what they go into, if into anything. The request id is in
    /// its headers in any case.
    fn of(
        (base, test_patients): (&str, &Arc<[NhsNumber]>),
        request: &HttpRequest,
    ) -> Result<(HttpRequest, Option<Self>), String> {
        let captured = |text: &str| has_value(&text.replace(UUID, ""));
        let (with, without): (Vec<_>, Vec<_>) =
            request.headers.iter().cloned().partition(|(_, value)| captured(value));
        let kind = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let body = match request.body.as_ref().filter(|body| has_value(body)) {
            None => None,
            Some(body) => {
                let into = kind.and_then(|(_, kind)| Into::body(kind));
                Some((body.clone(), into.ok_or("no value can be put into a body of this content type")?))
            }
        };
        let name = |(name, value): (String, String)| {
            let name =
                HeaderName::try_from(&name).map_err(|_| format!("'{name}' is not the name of a header"))?;
            Ok::<_, String>((name, value))
        };
        let headers = with.into_iter().map(name).collect::<Result<Vec<_>, _>>()?;
        let blank = body.is_some() || !headers.is_empty() || has_value(&request.path);
        let blank = blank.then(|| Self {
            base: base.to_owned(),
            path: request.path.clone(),
            body,
            headers,
            test_patients: Arc::clone(test_patients),
        });
        Ok((HttpRequest { headers: without, ..request.clone() }, blank))
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let body = self.body.iter().map(|(body, _)| body.as_str());
        let headers = self.headers.iter().map(|(_, value)| value.as_str());
        std::iter::once(self.path.as_str()).chain(body).chain(headers)
    }

    fn filled(&self, target: &Target, values: &Values) -> Result<Target, String> {
        let fill = |text: &str, into| {
            let filled = values.fill(text, into)?;
            // Ten digits of a request id are nobody's.
            let filled_in = filled.replace(values.request_id(), UUID);
            if may_be_patients(&filled_in).any(|number| !self.test_patients.contains(&number)) {
                return Err("with what was captured it may name a real person by NHS number".to_owned());
            }
            Ok(filled)
        };
        let path = fill(&self.path, Into::Path)?;
        let cannot = |_| "its address cannot be used".to_owned();
        let base = Url::parse(&self.base).map_err(cannot)?;
        let url = Url::parse(&format!("{}{path}", self.base)).map_err(cannot)?;
        let place = |url: &Url| url[..Position::BeforePath].to_owned();
        if place(&url) != place(&base) {
            return Err("what was captured would lead to another host".to_owned());
        }
        let mut filled = target.redirected(&url, false, true)?;
        if let Some((body, into)) = &self.body {
            Arc::make_mut(&mut filled.form).body = Bytes::from(fill(body, *into)?);
        }
        for (name, text) in &self.headers {
            let value = HeaderValue::try_from(fill(text, Into::Header)?);
            let value = value.map_err(|_| format!("no such value can stand in the header '{name}'"))?;
            let form = Arc::make_mut(&mut filled.form);
            form.with_uuid.retain(|(known, _)| known != name);
            form.headers.retain(|(known, _)| known != name);
            form.headers.push((name.clone(), value));
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_of_a_request_id_are_no_patients_and_those_that_were_captured_may_be() {
        let request = HttpRequest::get("/a?id={uuid}&of={v}");
        let test_patients = [NhsNumber::parse("900 000 0009").unwrap()].into();
        let (_, blank) = Blank::of(("https://api.example/base", &test_patients), &request).unwrap();
        let limits = crate::Limits::default();
        let target = Target::new(
            ("https://api.example/base", &request, &Arc::default()),
            &HeaderValue::from_static("Curiad"),
            &Permits::new(&limits),
            (Ready::default(), &Shared::default()),
        );
        let (blank, target) = (blank.unwrap(), target.unwrap());
        let filled = |id: &str, value: &str| {
            let mut values = Values::new(id);
            values.insert("v", value.to_owned());
            blank.filled(&target, &values).map(|filled| filled.path.to_string())
        };
        let id = "60e0b220-8136-4ca5-ae46-a9434765919b";
        assert_eq!(filled(id, "9990000018").unwrap(), format!("/base/a?id={id}&of=9990000018"));
        assert_eq!(filled(id, "9000000009").unwrap(), format!("/base/a?id={id}&of=9000000009"));
        let why = filled(id, "9434765919").unwrap_err();
        assert_eq!(why, "with what was captured it may name a real person by NHS number");
    }
}
