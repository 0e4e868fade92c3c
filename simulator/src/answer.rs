//! An API's answer as a value, before the wire.

use bytes::Bytes;
use serde_json::{Value, json};

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const FHIR: &str = "application/fhir+json; charset=utf-8";
pub(crate) const PROBLEM: &str = "application/problem+json";
pub(crate) const SOAP_11: &str = "text/xml; charset=utf-8";
pub(crate) const SOAP_12: &str = "application/soap+xml; charset=utf-8";

impl Answer {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, JSON, body.to_string())
    }

    pub(crate) fn fhir(status: u16, body: &Value) -> Self {
        Self::new(status, FHIR, body.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An error as Apigee words its own.
    pub(crate) fn gateway(status: u16, words: &str, code: &str) -> Self {
        Self::json(status, &json!({"fault": {"faultstring": words, "detail": {"errorcode": code}}}))
    }

    /// An error as a FHIR API words it.
    pub(crate) fn outcome(status: u16, code: &str, diagnostics: &str) -> Self {
        let severity = if status >= 500 { "fatal" } else { "error" };
        Self::fhir(
            status,
            &json!({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": diagnostics}]}),
        )
    }

    /// An error as RFC 9457 words it.
    pub(crate) fn problem(status: u16, title: &str, detail: &str) -> Self {
        Self::new(
            status,
            PROBLEM,
            json!({"type": "about:blank", "title": title, "status": status, "detail": detail}).to_string(),
        )
    }
}

/// A response that is not sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

/// A page for people where a program asked.
pub(crate) fn web_page(status: u16, title: &str) -> Answer {
    let page = format!("<!DOCTYPE html><html lang=\"en\"><title>{title}</title><h1>{title}</h1></html>");
    Answer::new(status, "text/html; charset=utf-8", page)
}

impl axum::response::IntoResponse for Answer {
    fn into_response(self) -> axum::response::Response {
        let mut builder =
            axum::http::Response::builder().status(self.status).header("content-type", self.content_type);
        for (name, value) in &self.headers {
            builder = builder.header(*name, value);
        }
        builder.body(axum::body::Body::from(self.body)).unwrap_or_else(|_| {
            // Only a header value with a control character gets here.
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        })
    }
}
