//! The settings, and what a schema cannot say about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::HeaderMap;
use pipeline_sdk::prelude::*;
use pipeline_sdk::tls::ClientTls;
use rustls::ClientConfig;
use stage_http_client::{Client, Endpoint, HeaderProblem, Limits, request_headers};

use crate::poller::Poller;

/// GETs several URLs at an interval. Each answer is one message, and so is each failure; the key is the URL.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// What to GET, `http://` or `https://`. The messages name their URL as it stands here, so keep secrets out of it.
    /// Redirects are not followed.
    #[schemars(length(min = 1, max = 1000))]
    pub(crate) urls: Vec<String>,
    /// Time from the start of one poll of a URL to the start of its next one, give or take a tenth, so that many pollers
    /// spread. A poll that takes longer delays the next one.
    #[serde(default = "default_interval")]
    pub(crate) interval: HumanDuration,
    /// Time for one poll, from the name look-up to the last byte of the answer.
    #[serde(default = "default_timeout")]
    pub(crate) timeout: HumanDuration,
    /// Largest body. A larger one is a failure.
    #[serde(default = "default_max_body")]
    pub(crate) max_body: ByteSize,
    /// Sent as `Authorization: Bearer …` to every URL.
    pub(crate) token: Option<Secret>,
    /// Further headers of every request. The values are treated as secrets.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Secret>,
    /// TLS of the `https://` URLs (default: the system's certificates).
    pub(crate) tls: Option<ClientTls>,
}

fn default_interval() -> HumanDuration {
    HumanDuration::from_secs(10)
}

fn default_timeout() -> HumanDuration {
    HumanDuration::from_secs(5)
}

fn default_max_body() -> ByteSize {
    ByteSize::mib(1)
}

impl Config {
    /// Returns everything that is wrong with the settings.
    pub(crate) fn problems(&self) -> Vec<Invalid> {
        let mut problems = self.url_problems();
        let mut tell = |pointer: &str, why: &str| problems.push(Invalid::new(pointer, why));
        if self.interval.is_zero() {
            tell("/interval", "expected more than no time");
        }
        if self.timeout.is_zero() {
            tell("/timeout", "expected more than no time");
        }
        if self.max_body.as_u64() == 0 {
            tell("/max_body", "expected at least 1 byte");
        }
        if self.tls.is_some() && !self.any_tls() {
            tell(
                "/tls",
                "expected an `https://` URL among `urls` beside `tls`",
            );
        }
        if let Err(problem) = self.request_headers() {
            let pointer = if problem == HeaderProblem::Token {
                "/token"
            } else {
                "/headers"
            };
            tell(pointer, &problem.to_string());
        }
        problems
    }

    fn url_problems(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, url) in self.urls.iter().enumerate() {
            let pointer = format!("/urls/{index}");
            if let Err(error) = url.parse::<Endpoint>() {
                problems.push(Invalid::new(pointer, error.to_string()));
            } else if !seen.insert(url) {
                problems.push(Invalid::new(pointer, "expected each URL once"));
            }
        }
        problems
    }

    /// Makes a poller for each URL.
    pub(crate) fn pollers(&self, context: &Context) -> Result<Vec<Poller>> {
        let tls = self.tls(context)?;
        let limits = Limits {
            timeout: *self.timeout,
            body: self.max_body.as_usize(),
        };
        let headers = self.request_headers()?;
        let poller = |url: &String| {
            let client = Client::new(url.parse()?, headers.clone(), tls.clone(), limits)?;
            Ok(Poller::new(url.clone(), client, *self.interval, context))
        };
        self.urls.iter().map(poller).collect()
    }

    fn any_tls(&self) -> bool {
        let tls = |url: &String| url.parse().is_ok_and(|url: Endpoint| url.is_tls());
        self.urls.iter().any(tls)
    }

    fn tls(&self, context: &Context) -> Result<Option<Arc<ClientConfig>>> {
        let config = || {
            let tls = self.tls.clone().unwrap_or_default();
            tls.show_expiry(context);
            tls.client_config()
        };
        self.any_tls().then(config).transpose()
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

    fn problems(json: serde_json::Value) -> Vec<String> {
        let config: Config = serde_json::from_value(json).unwrap();
        config
            .problems()
            .iter()
            .map(|problem| format!("{problem:?}"))
            .collect()
    }

    #[test]
    fn urls_are_enough() {
        assert!(problems(serde_json::json!({"urls": ["http://127.0.1.1:8081/status"]})).is_empty());
    }

    #[test]
    fn all_problems_are_told_at_once_without_secrets() {
        let problems = problems(serde_json::json!({
            "urls": ["http://h/", "h:80", "http://h/"], "interval": "0s", "timeout": "0s", "max_body": "0B",
            "headers": {"x-key": "hush\n"}, "tls": {}
        }));
        assert_eq!(problems.len(), 7, "{problems:?}");
        assert!(
            problems[0].contains("/urls/1") && problems[1].contains("/urls/2"),
            "{problems:?}"
        );
        assert!(!problems.concat().contains("hush"), "{problems:?}");
    }
}
