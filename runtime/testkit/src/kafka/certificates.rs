//! The certificates of one run: by what brokers are known, and a client that has no password.

use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};

use super::settings::MASTER;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A folder of PEM files.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The authority that signed all of them.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// An authority that signed none of them.
    pub fn other_authority(&self) -> PathBuf {
        self.folder.join("other-ca.pem")
    }

    /// The certificate of [`MASTER`].
    pub fn client(&self) -> PathBuf {
        self.folder.join("client.pem")
    }

    /// The key to it.
    pub fn client_key(&self) -> PathBuf {
        self.folder.join("client.key")
    }

    /// Key and certificate of the brokers.
    pub(super) fn broker(&self) -> PathBuf {
        self.folder.join("broker.pem")
    }

    pub(super) fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        self.write().map_err(io::Error::other)
    }

    fn write(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let authority = authority("tests")?;
        fs::write(self.authority(), authority.pem())?;
        fs::write(self.other_authority(), self::authority("others")?.pem())?;

        let broker = CertificateParams::new(["127.0.0.1".to_owned()])?;
        let (certificate, key) = signed(broker, &authority)?;
        fs::write(self.broker(), key + &certificate)?;

        let mut client = CertificateParams::default();
        client.distinguished_name = named(MASTER);
        let (certificate, key) = signed(client, &authority)?;
        fs::write(self.client(), certificate)?;
        Ok(fs::write(self.client_key(), key)?)
    }
}

fn authority(name: &str) -> Result<Authority, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = named(name);
    Authority::self_signed(params, KeyPair::generate()?)
}

/// Makes a key and lets `authority` sign it; returns the certificate and the key.
fn signed(
    params: CertificateParams,
    authority: &Authority,
) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
