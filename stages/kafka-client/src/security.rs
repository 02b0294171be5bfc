//! TLS and SASL settings, in the words of the other stages, and their librdkafka properties.

use pipeline_sdk::prelude::*;
use pipeline_sdk::tls::show_expiry;
use rdkafka::ClientConfig;
use std::fs;
use std::path::{Path, PathBuf};

/// What every PEM file has.
const PEM: &[u8] = b"-----BEGIN ";

/// Encryption of the connections to the brokers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Whether to encrypt; `false` is as if `tls` was left out.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// PEM file of the certificate authorities that are trusted; the system's if left out.
    #[schemars(extend("format" = "path"))]
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client's certificate, for brokers that ask for one.
    #[schemars(extend("format" = "path"))]
    pub cert_file: Option<PathBuf>,
    /// PEM file of the client's private key.
    #[schemars(extend("format" = "path"))]
    pub key_file: Option<PathBuf>,
    /// Password of the private key.
    pub key_password: Option<Secret>,
}

/// How the client proves who it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    /// Whether to authenticate; `false` is as if `sasl` was left out.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The mechanism that the brokers offer.
    pub mechanism: Mechanism,
    /// The user.
    pub username: String,
    /// The user's password.
    pub password: Secret,
}

fn enabled() -> bool {
    true
}

/// A SASL mechanism.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum Mechanism {
    /// The password itself; use it with TLS only.
    #[serde(rename = "PLAIN")]
    Plain,
    /// A challenge with SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// A challenge with SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Tls {
    pub(crate) fn validate(&self) -> Option<Invalid> {
        let (given, missing) = match (&self.cert_file, &self.key_file) {
            (Some(_), None) => ("cert_file", "key_file"),
            (None, Some(_)) => ("key_file", "cert_file"),
            _ => return None,
        };
        Some(Invalid::new(
            format!("/tls/{given}"),
            format_args!("expected `{missing}` beside `{given}`"),
        ))
    }

    /// Whether the files can be read: librdkafka would say that one cannot, but not which. Shows until when they are of use.
    pub(crate) fn check_files(&self, context: &Context) -> Result<()> {
        let files = [
            ("ca_file", &self.ca_file),
            ("cert_file", &self.cert_file),
            ("key_file", &self.key_file),
        ];
        for (setting, path) in files {
            if let Some(path) = path {
                let file = path.display();
                let text = fs::read(path)
                    .map_err(|error| format!("cannot read `{setting}` `{file}`: {error}"))?;
                if !text.windows(PEM.len()).any(|part| part == PEM) {
                    return Err(format!(
                        "`{setting}` `{file}` holds nothing of use (expected PEM)"
                    )
                    .into());
                }
            }
        }
        show_expiry(context, self.cert_file.as_deref(), self.ca_file.as_deref());
        Ok(())
    }

    fn apply(&self, config: &mut ClientConfig) {
        let mut file = |key: &str, path: &Option<PathBuf>| {
            if let Some(path) = path.as_deref().map(Path::to_string_lossy) {
                config.set(key, path);
            }
        };
        file("ssl.ca.location", &self.ca_file);
        file("ssl.certificate.location", &self.cert_file);
        file("ssl.key.location", &self.key_file);
        if let Some(password) = &self.key_password {
            config.set("ssl.key.password", password.expose());
        }
    }
}

/// Sets everything that follows from the two settings.
pub(crate) fn apply(config: &mut ClientConfig, tls: Option<&Tls>, sasl: Option<&Sasl>) {
    let protocol = match (tls, sasl) {
        (None, None) => "plaintext",
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(tls) = tls {
        tls.apply(config);
    }
    if let Some(sasl) = sasl {
        config
            .set("sasl.mechanism", sasl.mechanism.name())
            .set("sasl.username", &sasl.username)
            .set("sasl.password", sasl.password.expose());
    }
}
