//! The settings, and what a schema cannot say about them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::Uri;
use pipeline_sdk::prelude::*;
use pipeline_sdk::tls::ServerTls;
use serde::Serialize;

use crate::ring::{Lag, Limits};

/// Serves live messages to WebSocket clients. It is fed by `POST /api/trades` and by the stages above it; a message is
/// done when it is in the ring, a bounded memory that every client reads from at its own pace. Plain clients get
/// payloads as they were sent, from now on; clients of the subprotocol `pipeline.v1` get positions with them and can
/// resume, here or on another server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Address to listen on: `GET /ws`, `POST /api/trades`, and the `site`.
    #[schemars(extend("format" = "listen-address"))]
    pub(crate) listen: String,
    /// Name of this server in what clients of `pipeline.v1` are sent (default: the address that it listens on).
    pub(crate) name: Option<String>,
    /// Who bears it may POST. Without it, only programs on this machine may.
    pub(crate) token: Option<Secret>,
    /// Web pages that may connect: origins such as `https://trades.example.com`, or `*` for any. Pages of `peers` may
    /// always, and so may programs, which send no `Origin`. Pages of this server may under an IP address, a name without
    /// a dot, or the name in `listen`; any other name could be somebody else's and has to be listed.
    #[serde(default)]
    pub(crate) origins: Vec<String>,
    /// WebSocket addresses of other servers that carry the same messages: where clients may move to.
    #[serde(default)]
    pub(crate) peers: Vec<String>,
    /// Folder of static files to serve.
    #[schemars(extend("format" = "path"))]
    pub(crate) site: Option<PathBuf>,
    /// What pages of the site are told, by `GET /page.json`: anybody who may open them may read it.
    #[serde(default)]
    pub(crate) page: BTreeMap<String, String>,
    /// Serve `https://` and `wss://`.
    pub(crate) tls: Option<ServerTls>,
    /// What the ring may hold. It takes that much memory when it is full.
    #[serde(default)]
    pub(crate) ring: RingLimits,
    /// What happens to a client that falls behind by more than `max_lag`.
    #[serde(default)]
    pub(crate) slow_client: SlowClient,
    /// How far a client may fall behind. One that resumes may begin further back.
    #[serde(default)]
    pub(crate) max_lag: MaxLag,
    /// Most WebSocket clients at a time.
    #[serde(default = "default_max_clients")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_clients: usize,
    /// Most WebSocket clients at a time from one address.
    #[serde(default = "default_max_clients_per_address")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_clients_per_address: usize,
    /// Largest body of a POST.
    #[serde(default = "default_max_body")]
    pub(crate) max_body: ByteSize,
    /// Time for the head of a request, and again for its body; an idle connection is closed after it too.
    #[serde(default = "default_request_timeout")]
    pub(crate) request_timeout: HumanDuration,
    /// How clients that are gone without a word are found.
    #[serde(default)]
    pub(crate) ping: Ping,
    /// Over how much time clients that are sent away at the end are asked to spread their return.
    #[serde(default = "default_reconnect_spread")]
    pub(crate) reconnect_spread: HumanDuration,
}

/// What the ring may hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RingLimits {
    /// Most messages.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub(crate) messages: usize,
    /// Most memory.
    pub(crate) bytes: ByteSize,
}

/// What happens to a client that falls too far behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SlowClient {
    /// It is sent away (close code 1008); it may come back and resume.
    #[default]
    Disconnect,
    /// It goes on with the newest message; a client of `pipeline.v1` is told the gap.
    Skip,
}

/// How far a client may fall behind.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaxLag {
    /// Most messages that wait for it (default: half of what the ring may hold).
    #[schemars(range(min = 1))]
    pub(crate) messages: Option<u64>,
    /// Most bytes of the ring that wait for it (default: half of what the ring may hold).
    pub(crate) bytes: Option<ByteSize>,
}

/// How clients that are gone without a word are found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ping {
    /// Time from one ping to the next.
    pub(crate) every: HumanDuration,
    /// Time in which anything must come back.
    pub(crate) timeout: HumanDuration,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self {
            messages: 100_000,
            bytes: ByteSize::mib(64),
        }
    }
}

impl Default for Ping {
    fn default() -> Self {
        Self {
            every: HumanDuration::from_secs(20),
            timeout: HumanDuration::from_secs(20),
        }
    }
}

fn default_max_clients() -> usize {
    10_000
}

fn default_max_clients_per_address() -> usize {
    2_000
}

fn default_max_body() -> ByteSize {
    ByteSize::mib(16)
}

fn default_request_timeout() -> HumanDuration {
    HumanDuration::from_secs(30)
}

fn default_reconnect_spread() -> HumanDuration {
    HumanDuration::from_secs(5)
}

impl Config {
    /// Says what the schema cannot.
    pub(crate) fn validate(&self) -> Vec<Invalid> {
        let mut invalid = Vec::new();
        let mut expect = |holds: bool, pointer: String, expected: &str| {
            if !holds {
                invalid.push(Invalid::new(pointer, expected));
            }
        };
        for (index, origin) in self.origins.iter().enumerate() {
            let holds = origin == "*" || is_origin(origin);
            expect(
                holds,
                format!("/origins/{index}"),
                "expected `*` or an origin such as `https://trades.example.com`",
            );
        }
        for (index, peer) in self.peers.iter().enumerate() {
            let holds = peer_origin(peer).is_some();
            expect(
                holds,
                format!("/peers/{index}"),
                "expected an address such as `wss://10.0.0.2:8080/ws`",
            );
        }
        let token = self
            .token
            .as_ref()
            .is_none_or(|token| !token.expose().is_empty());
        expect(
            token,
            "/token".to_owned(),
            "expected a token that is not empty",
        );
        let lag = self.lag_limits().messages <= self.ring.messages as u64;
        expect(
            lag,
            "/max_lag/messages".to_owned(),
            "expected at most `ring.messages`: older ones are gone",
        );
        let lag = self.lag_limits().bytes <= self.ring.bytes.as_u64();
        expect(
            lag,
            "/max_lag/bytes".to_owned(),
            "expected at most `ring.bytes`: older ones are gone",
        );
        let body = (1..=u64::from(u32::MAX)).contains(&self.max_body.as_u64());
        expect(body, "/max_body".to_owned(), "expected 1B to 4GiB");
        for (name, duration) in [
            ("/ping/every", self.ping.every),
            ("/ping/timeout", self.ping.timeout),
            ("/request_timeout", self.request_timeout),
        ] {
            expect(
                !duration.is_zero(),
                name.to_owned(),
                "expected more than no time at all",
            );
        }
        invalid
    }

    /// What the ring may hold.
    pub(crate) fn ring_limits(&self) -> Limits {
        Limits {
            messages: self.ring.messages,
            bytes: self.ring.bytes.as_u64(),
        }
    }

    /// How far a client may fall behind.
    pub(crate) fn lag_limits(&self) -> Lag {
        Lag {
            messages: self
                .max_lag
                .messages
                .unwrap_or((self.ring.messages as u64).div_ceil(2)),
            bytes: self
                .max_lag
                .bytes
                .unwrap_or(ByteSize(self.ring.bytes.as_u64().div_ceil(2)))
                .as_u64(),
        }
    }

    /// Origins of pages that may connect: the listed ones and the pages of peers.
    pub(crate) fn allowed_origins(&self) -> impl Iterator<Item = String> {
        self.origins
            .iter()
            .cloned()
            .chain(self.peers.iter().filter_map(|peer| peer_origin(peer)))
    }
}

fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let scheme = uri
        .scheme_str()
        .is_some_and(|scheme| scheme == "http" || scheme == "https");
    scheme && uri.authority().is_some() && !text.ends_with('/') && matches!(uri.path(), "" | "/")
}

/// Origin of the pages that a peer serves beside its WebSocket.
fn peer_origin(peer: &str) -> Option<String> {
    let uri: Uri = peer.parse().ok()?;
    let scheme = match uri.scheme_str()? {
        "ws" => "http",
        "wss" => "https",
        _ => return None,
    };
    Some(format!("{scheme}://{}", uri.authority()?))
}

#[cfg(test)]
mod tests;
