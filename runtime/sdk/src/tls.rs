//! TLS settings, as every stage that connects or listens has them. rustls with the ring provider; no OpenSSL.

use crate::{Context, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a client verifies its server and proves who it is. The system's certificate authorities are trusted unless `ca_file` says
/// otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// Certificate authorities to trust instead of the system's (PEM).
    pub ca_file: Option<PathBuf>,
    /// The client's certificate chain (PEM), for servers that ask for one.
    pub cert_file: Option<PathBuf>,
    /// The private key of `cert_file` (PEM).
    pub key_file: Option<PathBuf>,
}

/// Who a server is and whose clients it accepts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// Whether to serve TLS; `false` is as if `tls` was left out.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The server's certificate chain (PEM).
    pub cert_file: PathBuf,
    /// The private key of `cert_file` (PEM).
    pub key_file: PathBuf,
    /// Certificate authorities of clients (PEM); with it, a client without a certificate is refused.
    pub client_ca_file: Option<PathBuf>,
}

fn enabled() -> bool {
    true
}

impl ClientTls {
    /// Reads the files.
    ///
    /// # Errors
    /// When a file cannot be read or does not fit, naming it.
    pub fn client_config(&self) -> Result<Arc<ClientConfig>> {
        let roots = match &self.ca_file {
            Some(file) => roots(file)?,
            None => system_roots()?,
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match (&self.cert_file, &self.key_file) {
            (Some(cert), Some(key)) => {
                builder.with_client_auth_cert(certificates(cert)?, private_key(key)?)?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err("`cert_file` and `key_file` go together".into()),
        };
        Ok(Arc::new(config))
    }
}

impl ClientTls {
    /// Shows in the metrics until when the files are of use.
    pub fn show_expiry(&self, context: &Context) {
        show_expiry(context, self.cert_file.as_deref(), self.ca_file.as_deref());
    }
}

impl ServerTls {
    /// Shows in the metrics until when the files are of use.
    pub fn show_expiry(&self, context: &Context) {
        let ca_file = self.client_ca_file.as_deref();
        show_expiry(context, Some(&self.cert_file), ca_file);
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When a file cannot be read or does not fit, naming it.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?;
        let builder = match &self.client_ca_file {
            Some(file) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider());
                builder.with_client_cert_verifier(verifier.build()?)
            }
            None => builder.with_no_client_auth(),
        };
        let config = builder
            .with_single_cert(certificates(&self.cert_file)?, private_key(&self.key_file)?)?;
        Ok(Arc::new(config))
    }
}

/// Shows in the metrics (`pipeline_certificate_expiry_timestamp_seconds`) until when a chain of certificates is valid, and until
/// when some authority is trusted: a chain ends with its first certificate, a list of authorities with its last. A file that
/// cannot be understood is logged; whoever uses it knows whether it is of use.
pub fn show_expiry(context: &Context, cert_file: Option<&Path>, ca_file: Option<&Path>) {
    let chain = cert_file.map(|file| (file, expiries(file).map(|ends| ends.into_iter().min())));
    let trust = ca_file.map(|file| (file, expiries(file).map(|ends| ends.into_iter().max())));
    for (file, end) in chain.into_iter().chain(trust) {
        let name = file.display().to_string();
        match end {
            Ok(end) => context
                .gauge(
                    "pipeline_certificate_expiry_timestamp",
                    "seconds",
                    "When the certificates of the file, as read when the stage was opened, end",
                    &[("file", &name)],
                )
                .set(end.unwrap_or_default() as f64),
            Err(error) => tracing::warn!(%error, "the end of a certificate is not known"),
        }
    }
}

/// The ends of the certificates of a file, seconds since the Unix epoch.
fn expiries(file: &Path) -> Result<Vec<i64>> {
    let end = |certificate: CertificateDer<'static>| {
        x509_parser::parse_x509_certificate(&certificate)
            .map(|(_, certificate)| certificate.validity().not_after.timestamp())
            .map_err(|error| format!("`{}`: {error}", file.display()).into())
    };
    certificates(file)?.into_iter().map(end).collect()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(file: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots
            .add(certificate)
            .map_err(|error| format!("`{}`: {error}", file.display()))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("the system has no certificate authorities (expected the package `ca-certificates`, or `ca_file`)".into());
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = |error| {
        format!(
            "cannot read certificates from `{}`: {error}",
            file.display()
        )
    };
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(read)?
        .collect::<Result<_, _>>()
        .map_err(read)?;
    if found.is_empty() {
        return Err(format!("`{}` holds no certificate (expected PEM)", file.display()).into());
    }
    Ok(found)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        format!(
            "cannot read a private key from `{}`: {error}",
            file.display()
        )
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of certificates that end in these years.
    fn file(years: &[i32]) -> tempfile::NamedTempFile {
        let pem = |year: &i32| {
            let mut params = rcgen::CertificateParams::default();
            params.not_after = rcgen::date_time_ymd(*year, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            params.self_signed(&key).unwrap().pem()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), years.iter().map(pem).collect::<String>()).unwrap();
        file
    }

    #[test]
    fn the_end_of_each_certificate_is_read() {
        let ends = expiries(file(&[2040, 2030]).path()).unwrap();
        assert_eq!(ends, [2_208_988_800, 1_893_456_000]);
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error() {
        let tls = ClientTls {
            ca_file: None,
            cert_file: Some("a.pem".into()),
            key_file: None,
        };
        let error = tls.client_config().unwrap_err().to_string();
        // Where the machine has no authorities that is told first.
        assert!(
            error.contains("go together") || error.contains("certificate authorities"),
            "{error}"
        );
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let tls = ClientTls {
            ca_file: Some(file.path().into()),
            ..ClientTls::default()
        };
        let error = tls.client_config().unwrap_err().to_string();
        assert!(
            error.contains("holds no certificate") && error.contains(file.path().to_str().unwrap()),
            "{error}"
        );
    }
}
