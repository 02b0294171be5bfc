//! What the schema of the settings cannot say.

use http::{HeaderName, HeaderValue};
use pipeline_sdk::prelude::*;

use crate::address::Address;
use crate::config::{Config, Protocol};

impl Config {
    /// The addresses; an empty text counts as none, which is what an unset variable leaves behind.
    pub(crate) fn addresses(&self) -> Result<Vec<Address>, String> {
        self.urls
            .iter()
            .filter(|url| !url.trim().is_empty())
            .map(|url| Address::parse(url.trim()))
            .collect()
    }

    /// The server that is filled, if one is named.
    pub(crate) fn filled(&self) -> Result<Option<Address>, String> {
        let fills = self.fills.as_deref().map(str::trim);
        let named = fills.filter(|url| !url.is_empty());
        named.map(Address::parse).transpose()
    }

    /// What the schema cannot say.
    pub(crate) fn problems(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        self.check_addresses(&mut problems);
        self.check_headers(&mut problems);
        self.check_ping(&mut problems);
        self.check_protocol(&mut problems);
        self.check_limits(&mut problems);
        problems
    }

    fn check_addresses(&self, problems: &mut Vec<Invalid>) {
        for (index, url) in self
            .urls
            .iter()
            .enumerate()
            .filter(|(_, url)| !url.trim().is_empty())
        {
            if let Err(why) = Address::parse(url.trim()) {
                problems.push(Invalid::new(format!("/urls/{index}"), why));
            }
        }
        if let Err(why) = self.filled() {
            problems.push(Invalid::new("/fills", why));
        }
    }

    fn check_headers(&self, problems: &mut Vec<Invalid>) {
        for (name, value) in &self.headers {
            let legal = HeaderName::try_from(name.as_str()).is_ok()
                && HeaderValue::try_from(value.expose()).is_ok();
            if !legal {
                let name = name.replace('~', "~0").replace('/', "~1");
                problems.push(Invalid::new(
                    format!("/headers/{name}"),
                    "expected the name and the value of an HTTP header",
                ));
            }
        }
    }

    fn check_limits(&self, problems: &mut Vec<Invalid>) {
        if self.reconnect.max.is_zero() || self.reconnect.initial > self.reconnect.max {
            problems.push(Invalid::new(
                "/reconnect/max",
                "expected a wait of at least `initial`, and not zero",
            ));
        }
        for (pointer, given) in [
            ("/connect_timeout", Some(self.connect_timeout)),
            ("/idle_timeout", self.idle_timeout),
            ("/stale_after", self.stale_after),
        ] {
            if given.is_some_and(|given| given.is_zero()) {
                problems.push(Invalid::new(pointer, "expected more than zero"));
            }
        }
        if !(1..=1 << 30).contains(&self.max_message_bytes.as_u64()) {
            problems.push(Invalid::new(
                "/max_message_bytes",
                "expected 1 byte to 1GiB",
            ));
        }
    }

    fn check_ping(&self, problems: &mut Vec<Invalid>) {
        let Some(ping) = &self.ping else { return };
        if ping.every.as_millis() == 0 {
            problems.push(Invalid::new("/ping/every", "expected at least `1ms`"));
        }
        if ping.text.is_some() && ping.frame.is_some() {
            problems.push(Invalid::new(
                "/ping",
                "expected `text` or `frame`, not both",
            ));
        }
        if ping.frame.as_ref().is_some_and(|frame| frame.len() > 125) {
            problems.push(Invalid::new("/ping/frame", "expected at most 125 bytes"));
        }
    }

    fn check_protocol(&self, problems: &mut Vec<Invalid>) {
        let (wrong, why) = match self.protocol {
            Protocol::Plain => (
                vec![
                    ("/local_only", self.local_only),
                    ("/fills", self.fills.is_some()),
                ],
                "expected only with `protocol: pipeline.v1`",
            ),
            Protocol::PipelineV1 => (
                vec![
                    ("/subscribe", !self.subscribe.is_empty()),
                    ("/split", self.split.is_some()),
                    ("/key", self.key.is_some()),
                    ("/dedupe", self.dedupe.is_some()),
                    ("/sequence", self.sequence.is_some()),
                ],
                "expected nothing here: `pipeline.v1` messages bring their own",
            ),
        };
        problems.extend(
            wrong
                .into_iter()
                .filter(|(_, given)| *given)
                .map(|(pointer, _)| Invalid::new(pointer, why)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(config: serde_json::Value) -> Vec<String> {
        let config: Config = serde_json::from_value(config).unwrap();
        config
            .problems()
            .iter()
            .map(|problem| format!("{problem:?}"))
            .collect()
    }

    #[test]
    fn no_address_is_fine_and_an_empty_one_counts_as_none() {
        assert!(problems(json!({"urls": []})).is_empty());
        assert!(
            problems(json!({"urls": [""], "protocol": "pipeline.v1", "local_only": true}))
                .is_empty()
        );
    }

    #[test]
    fn every_problem_points_at_its_setting() {
        let found = problems(json!({
            "urls": ["http://example.com", "ws://ok"], "headers": {"a b": "c"}, "local_only": true, "idle_timeout": "0s",
            "ping": {"every": "0s", "text": "a", "frame": "b"}, "reconnect": {"initial": "5s", "max": "1s"}, "max_message_bytes": 0,
            "fills": "http://example.com",
        }));
        for pointer in [
            "/urls/0",
            "/headers/a b",
            "/local_only",
            "/fills",
            "/idle_timeout",
            "/ping/every",
            "\"/ping\"",
            "/reconnect/max",
            "/max_message_bytes",
        ] {
            assert!(
                found.iter().any(|problem| problem.contains(pointer)),
                "{pointer} in {found:?}"
            );
        }
        assert_eq!(found.len(), 10, "{found:?}");
    }

    #[test]
    fn pipeline_v1_takes_no_settings_of_plain_feeds() {
        let found = problems(
            json!({"urls": [], "protocol": "pipeline.v1", "subscribe": ["x"], "key": "/a"}),
        );
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
