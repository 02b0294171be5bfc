//! The properties file of one broker, and where it listens.

use std::fs;
use std::io;
use std::path::Path;

use super::certificates::Certificates;
use super::layout::NODES;

/// A user who may do everything.
pub const MASTER: &str = "master";
/// A user who may do what tests allow.
pub const GUEST: &str = "guest";
/// A user who may do nothing.
pub const STRANGER: &str = "stranger";
/// The password of them all.
pub const PASSWORD: &str = "correct-horse";

pub(super) const USERS: [&str; 3] = [MASTER, GUEST, STRANGER];

/// What every broker has in common.
pub(super) const SERVER: &str = include_str!("../../kafka/server.properties");

const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required;";

/// The ways in, in the order of their ports.
#[derive(Clone, Copy, Debug)]
pub(super) enum Listener {
    Plain,
    Controller,
    Tls,
    Sasl,
    SaslTls,
}

/// How many ports a cluster has.
pub(super) const PORTS: u16 = 5 * NODES.len() as u16;

impl Listener {
    /// The port of a node whose cluster has consecutive ports from `first` on.
    pub(super) fn port(self, first: u16, node: u8) -> u16 {
        first + self as u16 * NODES.len() as u16 + u16::from(node) - 1
    }

    /// The address of that.
    pub(super) fn address(self, first: u16, node: u8) -> String {
        format!("127.0.0.1:{}", self.port(first, node))
    }
}

/// The settings of one broker.
pub(super) struct Settings<'a> {
    pub(super) node: u8,
    /// The nodes of its cluster.
    pub(super) nodes: &'a [u8],
    /// The first of the cluster's ports.
    pub(super) first_port: u16,
    pub(super) data: &'a Path,
    pub(super) certificates: &'a Certificates,
}

impl Settings<'_> {
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let port = |listener: Listener| listener.port(self.first_port, self.node).to_string();
        let text = SERVER
            .replace("@NODE@", &self.node.to_string())
            .replace("@VOTERS@", &self.voters())
            .replace("@PORT@", &port(Listener::Plain))
            .replace("@CONTROLLER@", &port(Listener::Controller))
            .replace("@TLS@", &port(Listener::Tls))
            .replace("@SASL@", &port(Listener::Sasl))
            .replace("@SASL_TLS@", &port(Listener::SaslTls))
            .replace("@DATA@", &self.data.display().to_string())
            .replace(
                "@BROKER@",
                &self.certificates.broker().display().to_string(),
            )
            .replace(
                "@AUTHORITY@",
                &self.certificates.authority().display().to_string(),
            )
            .replace("@PLAIN@", &plain())
            .replace("@SCRAM@", SCRAM)
            .replace("@MASTER@", MASTER);
        fs::write(path, text)
    }

    /// `id@127.0.0.1:port` of every controller.
    fn voters(&self) -> String {
        let voter = |&node: &u8| {
            let address = Listener::Controller.address(self.first_port, node);
            format!("{node}@{address}")
        };
        self.nodes.iter().map(voter).collect::<Vec<_>>().join(",")
    }
}

/// The passwords of the mechanism `PLAIN`, which brokers have from their settings.
fn plain() -> String {
    let users = USERS.map(|user| format!(r#"user_{user}="{PASSWORD}""#));
    format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required {};",
        users.join(" ")
    )
}
