//! The settings, and what a schema cannot say about them.

use std::collections::BTreeMap;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use pipeline_sdk::prelude::*;
use pipeline_sdk::tls::ClientTls;
use serde::Serialize;
use stage_http_client::{Client, Endpoint, HeaderProblem, Limits, request_headers};

use crate::answer::ANSWER_LIMIT;
use crate::given::Keep;

/// POSTs messages to an HTTP receiver. One request at a time is in flight per partition, so order holds; whatever waits
/// when it ends goes out in the next one. What the receiver cannot take now is tried again until it can; what it can
/// never take is rejected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where to POST, `http://` or `https://`. Redirects are not followed.
    #[schemars(extend("format" = "http-url"))]
    pub(crate) url: String,
    /// What the body of a request is. It never changes with the load.
    #[serde(default)]
    pub(crate) encoding: Encoding,
    /// Most messages in one request (default 1000; always 1 with `encoding: json`).
    #[schemars(range(min = 1, max = 65536))]
    pub(crate) max_messages: Option<u32>,
    /// Most bytes of payload in one request. A larger message goes alone.
    #[serde(default = "default_max_bytes")]
    pub(crate) max_bytes: ByteSize,
    /// How many of the last messages of each partition are remembered, to be sent again, as replay, to a receiver that kept
    /// them in memory only and started anew (`encoding: envelope`; it answers 412 to `If-Match`).
    #[serde(default = "default_resend")]
    #[schemars(range(max = 65536))]
    pub(crate) resend: u32,
    /// Time for one request, from the name look-up to the last byte of the answer.
    #[serde(default = "default_timeout")]
    pub(crate) timeout: HumanDuration,
    /// Sent as `Authorization: Bearer …`.
    pub(crate) token: Option<Secret>,
    /// Further headers of every request. The values are treated as secrets.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Secret>,
    /// TLS of an `https://` receiver (default: the system's certificates).
    pub(crate) tls: Option<ClientTls>,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    /// `application/x-ndjson`, one envelope a line: payload with position, key, times and trace. For `ws-broadcast`.
    #[default]
    Envelope,
    /// `application/json`, one payload a request.
    Json,
    /// `application/json`, an array of payloads.
    JsonArray,
}

fn default_max_bytes() -> ByteSize {
    ByteSize::mib(1)
}

fn default_resend() -> u32 {
    1000
}

fn default_timeout() -> HumanDuration {
    HumanDuration::from_secs(10)
}

/// An address without TLS has no use for it then.
fn names_a_file(tls: &ClientTls) -> bool {
    let files = [&tls.ca_file, &tls.cert_file, &tls.key_file];
    files.iter().any(|file| file.is_some())
}

impl Config {
    /// Returns everything that is wrong with the settings.
    pub(crate) fn problems(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        let mut tell = |pointer: &str, why: String| problems.push(Invalid::new(pointer, why));
        match self.url.parse::<Endpoint>() {
            Err(error) => tell("/url", error.to_string()),
            Ok(endpoint) if self.tls.as_ref().is_some_and(names_a_file) && !endpoint.is_tls() => {
                tell(
                    "/tls",
                    format!("expected an `https://` URL beside `tls`, found `{endpoint}`"),
                );
            }
            Ok(_) => {}
        }
        if self.encoding == Encoding::Json && self.max_messages.is_some_and(|most| most != 1) {
            tell(
                "/max_messages",
                "expected 1, since `encoding: json` sends one message a request".to_owned(),
            );
        }
        if self.max_bytes.as_u64() == 0 {
            tell("/max_bytes", "expected at least 1 byte".to_owned());
        }
        if self.timeout.is_zero() {
            tell("/timeout", "expected more than no time".to_owned());
        }
        if let Err(problem) = self.request_headers() {
            let pointer = if problem == HeaderProblem::Token {
                "/token"
            } else {
                "/headers"
            };
            tell(pointer, problem.to_string());
        }
        problems
    }

    /// Returns how much one request may carry.
    pub(crate) fn lane_limits(&self) -> LaneLimits {
        let max_messages = match self.encoding {
            Encoding::Json => 1,
            Encoding::Envelope | Encoding::JsonArray => self.max_messages.unwrap_or(1000),
        };
        LaneLimits {
            max_messages: max_messages as usize,
            max_bytes: self.max_bytes.as_u64(),
        }
    }

    /// Returns how much is kept to be sent again; nothing is if the receiver cannot know it by position.
    pub(crate) fn keep(&self) -> Option<Keep> {
        (self.encoding == Encoding::Envelope && self.resend > 0).then_some(Keep {
            messages: self.resend as usize,
            max_bytes: self.max_bytes.as_u64(),
        })
    }

    /// Makes the client that these settings describe.
    pub(crate) fn client(&self, context: &Context) -> Result<Client> {
        let endpoint: Endpoint = self.url.parse()?;
        let tls = if endpoint.is_tls() {
            let tls = self.tls.clone().unwrap_or_default();
            tls.show_expiry(context);
            Some(tls.client_config()?)
        } else {
            None
        };
        let limits = Limits {
            timeout: *self.timeout,
            body: ANSWER_LIMIT,
        };
        let mut headers = self.request_headers()?;
        headers.insert(CONTENT_TYPE, self.encoding.content_type());
        let own = concat!("pipeline/", env!("CARGO_PKG_VERSION"));
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(own));
        Ok(Client::new(endpoint, headers, tls, limits)?)
    }

    fn request_headers(&self) -> Result<HeaderMap, HeaderProblem> {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()));
        request_headers(headers, self.token.as_ref().map(Secret::expose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: serde_json::Value) -> Config {
        serde_json::from_value(json).unwrap()
    }

    fn problems(json: serde_json::Value) -> Vec<String> {
        config(json)
            .problems()
            .iter()
            .map(|problem| format!("{problem:?}"))
            .collect()
    }

    #[test]
    fn a_url_is_enough() {
        let config = config(serde_json::json!({"url": "http://127.0.0.1:8080/api/trades"}));
        assert!(config.problems().is_empty());
        assert_eq!(config.encoding, Encoding::Envelope);
        assert_eq!(config.lane_limits().max_messages, 1000);
        assert_eq!(config.lane_limits().max_bytes, 1 << 20);
    }

    #[test]
    fn json_sends_one_message_a_request() {
        let config = config(serde_json::json!({"url": "http://h/", "encoding": "json"}));
        assert_eq!(config.lane_limits().max_messages, 1);
        let problems = problems(
            serde_json::json!({"url": "http://h/", "encoding": "json", "max_messages": 10}),
        );
        assert!(problems[0].contains("/max_messages"), "{problems:?}");
    }

    #[test]
    fn all_problems_are_told_at_once_without_secrets() {
        let problems = problems(serde_json::json!({
            "url": "htp://host", "max_bytes": "0B", "timeout": "0s", "token": "hush hush", "headers": {}
        }));
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(!problems.concat().contains("hush"), "{problems:?}");
    }

    #[test]
    fn tls_beside_a_plain_url_is_an_error() {
        let problems =
            problems(serde_json::json!({"url": "http://h/", "tls": {"ca_file": "ca.pem"}}));
        assert!(problems[0].contains("https"), "{problems:?}");
    }
}
