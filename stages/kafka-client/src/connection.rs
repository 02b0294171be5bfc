//! Where the brokers are and how to talk to them: the settings that every Kafka stage has.

use crate::security::{self, Sasl, Tls};
use crate::{Properties, Reserved};
use pipeline_sdk::prelude::*;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use serde::Serialize;

/// The connection settings of a Kafka stage; flattened into its own settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Connection {
    /// Addresses to ask for the whole cluster, `host:port`, separated by commas.
    pub brokers: String,
    /// Name of this client in the brokers' logs, quotas and metrics; made of flow, stage and instance if left out.
    pub client_id: Option<String>,
    /// Addresses to use for a broker's name: `any`, `v4` or `v6`.
    #[serde(default)]
    pub address_family: AddressFamily,
    /// Encryption; `{}` trusts the system's certificate authorities. Plain text if left out.
    pub tls: Option<Tls>,
    /// Authentication by user and password.
    pub sasl: Option<Sasl>,
    /// Further librdkafka properties, such as `fetch.wait.max.ms: 10`; those that the stage sets itself are refused.
    #[serde(default)]
    pub properties: Properties,
}

/// Kinds of network addresses.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressFamily {
    /// Whatever a name resolves to.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Connection {
    /// Everything that is wrong with the settings; `config` is the whole configuration of the stage's client, and `reserved`
    /// what the stage sets itself besides the connection.
    #[must_use]
    pub fn validate(&self, reserved: &[Reserved], config: &ClientConfig) -> Vec<Invalid> {
        let mut found = Vec::new();
        found.extend(self.brokers.split(',').find_map(bad_address));
        found.extend(self.tls().and_then(Tls::validate));
        let refused = self.properties.reserved(reserved);
        if refused.is_empty() {
            found.extend(self.properties.refused(config));
        }
        found.extend(refused);
        found
    }

    /// Checks the files that the settings name, which need not be there while settings are only checked, and shows in the metrics
    /// until when they are of use.
    ///
    /// # Errors
    /// When one cannot be read or does not fit, naming it.
    pub fn check_files(&self, context: &Context) -> Result<()> {
        self.tls().map_or(Ok(()), |tls| tls.check_files(context))
    }

    /// The client configuration of these settings, but for [`finish`](Self::finish).
    #[must_use]
    pub fn client_config(&self, context: Option<&Context>) -> ClientConfig {
        let mut config = ClientConfig::new();
        // The crate's default follows the `log` crate, which is silent here. Debug lines come only with the property `debug`.
        config.set_log_level(RDKafkaLogLevel::Debug);
        let made = || {
            context.map(|context| {
                format!(
                    "pipeline-{}-{}-{}",
                    context.flow(),
                    context.stage(),
                    context.instance()
                )
            })
        };
        let family = match self.address_family {
            AddressFamily::Any => "any",
            AddressFamily::V4 => "v4",
            AddressFamily::V6 => "v6",
        };
        config
            .set("bootstrap.servers", &self.brokers)
            .set(
                "client.id",
                self.client_id.clone().or_else(made).unwrap_or_default(),
            )
            .set("broker.address.family", family)
            .set("allow.auto.create.topics", "false")
            .set("statistics.interval.ms", "1000")
            .set("socket.keepalive.enable", "true")
            // A broker that comes back is noticed within two seconds, not ten.
            .set("reconnect.backoff.max.ms", "2000");
        security::apply(&mut config, self.tls(), self.sasl());
        config
    }

    fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref().filter(|tls| tls.enabled)
    }

    fn sasl(&self) -> Option<&Sasl> {
        self.sasl.as_ref().filter(|sasl| sasl.enabled)
    }

    /// Adds the properties, which come last so that they win over the stage's defaults.
    pub fn finish(&self, config: &mut ClientConfig) {
        self.properties.apply(config);
    }
}

fn bad_address(address: &str) -> Option<Invalid> {
    let address = address.trim();
    // librdkafka also takes `plaintext://host:port`; the scheme would contradict `tls`.
    let good = address.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    (!good).then(|| {
        Invalid::new(
            "/brokers",
            format_args!("expected `host:port`, separated by commas, not `{address}`"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn validate(value: Value) -> Vec<Invalid> {
        let connection: Connection = serde_json::from_value(value).unwrap();
        let mut config = connection.client_config(None);
        connection.finish(&mut config);
        connection.validate(&[], &config)
    }

    #[test]
    fn good_settings_have_no_findings() {
        let settings = json!({
            "brokers": "kafka-1.example:9092, [::1]:9093",
            "tls": {},
            "sasl": {"mechanism": "SCRAM-SHA-512", "username": "u", "password": "p"},
            "properties": {"debug": "broker"},
        });
        assert_eq!(validate(settings), []);
    }

    #[test]
    fn an_address_without_a_port_is_an_error() {
        for brokers in [
            "kafka",
            "kafka:",
            "kafka:70000",
            ":9092",
            "a:1,,b:2",
            "ssl://kafka:9092",
            "",
        ] {
            assert_eq!(
                validate(json!({ "brokers": brokers })).len(),
                1,
                "{brokers}"
            );
        }
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error() {
        let found = validate(json!({"brokers": "kafka:9092", "tls": {"cert_file": "client.pem"}}));
        assert_eq!(
            found,
            [Invalid::new(
                "/tls/cert_file",
                "expected `key_file` beside `cert_file`"
            )]
        );
    }

    #[test]
    fn a_file_that_is_missing_or_no_pem_is_named() {
        for (file, why) in [
            ("/nowhere/ca.pem", "cannot read"),
            ("Cargo.toml", "expected PEM"),
        ] {
            let settings = json!({"brokers": "kafka:9092", "tls": {"ca_file": file}});
            let connection: Connection = serde_json::from_value(settings).unwrap();
            let error = connection
                .check_files(&Context::detached("test"))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("`ca_file`") && error.contains(file) && error.contains(why),
                "{error}"
            );
        }
    }

    #[test]
    fn the_protocol_follows_from_tls_and_sasl() {
        let sasl = json!({"mechanism": "PLAIN", "username": "u", "password": "p"});
        let mut off = sasl.clone();
        off["enabled"] = json!(false);
        for (tls, sasl, expected) in [
            (Value::Null, Value::Null, "plaintext"),
            (json!({}), Value::Null, "ssl"),
            (Value::Null, sasl.clone(), "sasl_plaintext"),
            (json!({}), sasl.clone(), "sasl_ssl"),
            (
                json!({"enabled": false, "cert_file": ""}),
                sasl,
                "sasl_plaintext",
            ),
            (json!({"enabled": true}), off, "ssl"),
        ] {
            let connection: Connection =
                serde_json::from_value(json!({"brokers": "kafka:9092", "tls": tls, "sasl": sasl}))
                    .unwrap();
            assert_eq!(
                connection.client_config(None).get("security.protocol"),
                Some(expected)
            );
        }
    }

    #[test]
    fn properties_win_over_defaults() {
        let connection: Connection = serde_json::from_value(
            json!({"brokers": "kafka:9092", "properties": {"reconnect.backoff.max.ms": 500}}),
        )
        .unwrap();
        let mut config = connection.client_config(None);
        connection.finish(&mut config);
        assert_eq!(config.get("reconnect.backoff.max.ms"), Some("500"));
    }
}
