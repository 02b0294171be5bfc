//! Further librdkafka properties from the settings, all but those that a stage answers for itself.

use pipeline_sdk::prelude::*;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use std::collections::BTreeMap;
use std::fmt;

/// A property that cannot be set, and what to use in its place.
pub type Reserved = (&'static str, &'static str);

/// What both stages set themselves.
const RESERVED: &[Reserved] = &[
    ("bootstrap.servers", "use `brokers`"),
    ("metadata.broker.list", "use `brokers`"),
    ("client.id", "use `client_id`"),
    ("broker.address.family", "use `address_family`"),
    ("security.protocol", "it follows from `tls` and `sasl`"),
    ("sasl.mechanism", "use `sasl`"),
    ("sasl.mechanisms", "use `sasl`"),
    ("sasl.username", "use `sasl`"),
    ("sasl.password", "use `sasl`"),
    ("ssl.ca.location", "use `tls`"),
    ("ssl.certificate.location", "use `tls`"),
    ("ssl.key.location", "use `tls`"),
    ("ssl.key.password", "use `tls`"),
    (
        "statistics.interval.ms",
        "the stage reads them once a second",
    ),
    ("allow.auto.create.topics", "the stage makes no topics"),
    ("log.queue", "the stage forwards the logs"),
    ("plugin.library.paths", "it would load foreign code"),
    ("enabled_events", "the stage sets it"),
];

/// Further librdkafka properties by name, such as `fetch.wait.max.ms: 10`. Those that the stage sets itself are refused.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Properties(BTreeMap<String, Property>);

/// The value of a property; librdkafka reads them all as text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Property {
    /// A number.
    Whole(i64),
    /// True or false.
    Flag(bool),
    /// Anything else.
    Text(String),
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Property::Whole(number) => number.fmt(f),
            Property::Flag(flag) => flag.fmt(f),
            Property::Text(text) => f.write_str(text),
        }
    }
}

impl Properties {
    /// Finds properties that are reserved here or by the stage (`more`).
    pub(crate) fn reserved(&self, more: &[Reserved]) -> Vec<Invalid> {
        let reserved = |key: &str| RESERVED.iter().chain(more).find(|(name, _)| *name == key);
        self.0
            .keys()
            .filter_map(|key| {
                reserved(key).map(|(_, instead)| {
                    Invalid::new(
                        pointer(key),
                        format_args!("`{key}` cannot be set here: {instead}"),
                    )
                })
            })
            .collect()
    }

    pub(crate) fn apply(&self, config: &mut ClientConfig) {
        for (key, value) in &self.0 {
            config.set(key, value.to_string());
        }
    }

    /// What librdkafka thinks of the properties, once `config` has them.
    pub(crate) fn refused(&self, config: &ClientConfig) -> Option<Invalid> {
        let Err(error) = config.create_native_config() else {
            return None;
        };
        // The value is left out: it may be a secret.
        Some(match error {
            KafkaError::ClientConfig(_, why, key, _) if self.0.contains_key(&key) => {
                Invalid::new(pointer(&key), why)
            }
            KafkaError::ClientConfig(_, why, key, _) => {
                Invalid::new("", format_args!("`{key}`: {why}"))
            }
            other => Invalid::new("", other),
        })
    }
}

/// JSON pointer to a property.
fn pointer(key: &str) -> String {
    format!("/properties/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn properties(value: serde_json::Value) -> Properties {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn values_may_be_text_numbers_or_flags() {
        let mut config = ClientConfig::new();
        properties(json!({"fetch.wait.max.ms": 5, "check.crcs": true, "debug": "cgrp"}))
            .apply(&mut config);
        assert_eq!(config.get("fetch.wait.max.ms"), Some("5"));
        assert_eq!(config.get("check.crcs"), Some("true"));
        assert_eq!(config.get("debug"), Some("cgrp"));
        assert!(config.create_native_config().is_ok());
    }

    #[test]
    fn a_property_that_the_stage_sets_is_refused_with_what_to_use() {
        let found =
            properties(json!({"bootstrap.servers": "a:1", "group.id": "g", "debug": "all"}))
                .reserved(&[("group.id", "use `group`")]);
        let expected = [
            Invalid::new(
                "/properties/bootstrap.servers",
                "`bootstrap.servers` cannot be set here: use `brokers`",
            ),
            Invalid::new(
                "/properties/group.id",
                "`group.id` cannot be set here: use `group`",
            ),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_unknown_property_and_a_wrong_value_are_pointed_at_without_the_value() {
        for (key, value) in [
            ("fetch.wait.max.msx", json!(5)),
            ("fetch.wait.max.ms", json!("hunter2")),
        ] {
            let properties = properties(json!({ key: value }));
            let mut config = ClientConfig::new();
            properties.apply(&mut config);
            let found = format!("{:?}", properties.refused(&config).unwrap());
            assert!(
                found.contains(&format!("/properties/{key}")) && !found.contains("hunter2"),
                "{found}"
            );
        }
    }
}
