//! An HTTP answer of an outside system, read within a bound, and what its failure means.

use crate::SendError;
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Response, StatusCode, header};
use std::time::Duration;
use store::crash_point;

/// Most bytes of an answer that are read: a ticket with a long journal fits.
const MAX_BYTES: usize = 512 * 1024;

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    /// What the other side's clock shows, to the second.
    pub(crate) date: Option<Timestamp>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Sends `request` to `whom` and reads the answer. Who did not answer may still have done what was asked.
    pub(crate) async fn to(request: reqwest::RequestBuilder, whom: &str) -> Result<Self, SendError> {
        let answer = request.send().await.map_err(|error| failed(error, whom))?;
        crash_point!("answer/unread");
        Self::read(answer, whom).await
    }

    async fn read(mut answer: Response, whom: &str) -> Result<Self, SendError> {
        let status = answer.status();
        let date = answer
            .headers()
            .get(header::DATE)
            .and_then(|value| rfc2822::parse(value.to_str().ok()?).ok())
            .map(|date| date.timestamp());
        // Only seconds: none of those we talk to sends a date here.
        let retry_after = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(error, whom))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(SendError::unclear(format!("{whom} answered with more than {MAX_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, retry_after, date, body })
    }

    /// The body as JSON of this shape.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, whom: &str) -> Result<T, SendError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            SendError::unclear(format!(
                "{whom} answered {} with something that cannot be read: {}",
                self.status,
                // serde's message may quote the body: only the place is told.
                format_args!("line {}, column {}", error.line(), error.column())
            ))
        })
    }

    /// What an answer that is no success means, `words` being what it says about itself.
    pub(crate) fn refused(&self, whom: &str, words: &str) -> SendError {
        let why =
            format!("{whom} answered {}{}{words}", self.status, if words.is_empty() { "" } else { ": " });
        let again = self.status.is_server_error()
            || matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        if again {
            // 429 and 503 are said before anything is done; any other may have been done in part.
            let before =
                matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            SendError::Retryable { after: self.retry_after, why, unclear: !before }
        } else {
            SendError::Permanent { why }
        }
    }
}

/// The URL is left out of the words: it may hold a key. The innermost cause says what really happened.
fn failed(error: reqwest::Error, whom: &str) -> SendError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what = if error.is_timeout() {
        "did not answer in time".to_owned()
    } else if error.is_connect() {
        format!("cannot be reached: {cause}")
    } else {
        format!("broke off: {cause}")
    };
    let why = format!("{whom} {what}");
    if error.is_connect() { SendError::retryable(why) } else { SendError::unclear(why) }
}
