//! Settings.

use std::collections::BTreeMap;

use pipeline_sdk::prelude::*;
use pipeline_sdk::tls::ClientTls;
use serde::Serialize;

use crate::pointer::Pointer;

/// Reads a WebSocket feed: connects, subscribes, and hands on each text or binary message as it came. A lost, silent or
/// half-open connection is made anew; with several addresses the next one is taken. With `protocol: pipeline.v1` it reads the
/// WebSocket servers of other pipelines, all at once, and keeps position, key, times and trace of each message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Addresses, `ws://` or `wss://`. Plain: the first one, the next one when it fails. `pipeline.v1`: all at once. Without
    /// any the stage idles.
    pub(crate) urls: Vec<String>,
    /// What is spoken on the connection.
    #[serde(default)]
    pub(crate) protocol: Protocol,
    /// `pipeline.v1`: only what reached a server by POST, not what other servers relayed to it.
    #[serde(default)]
    pub(crate) local_only: bool,
    /// `pipeline.v1`: on the first connection, how many messages of each server's past to ask for.
    #[serde(default = "default_recent")]
    #[schemars(range(max = 10_000_000))]
    pub(crate) recent: u32,
    /// `pipeline.v1`: address of the server that these messages end up in, if that keeps them in memory only. When it starts
    /// anew, the others are asked for their past again.
    pub(crate) fills: Option<String>,
    /// Headers of the request that opens the connection.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Secret>,
    /// Messages to send after every connect, in order: text as it is, anything else as JSON.
    #[serde(default)]
    pub(crate) subscribe: Vec<serde_json::Value>,
    /// Pause between two messages of `subscribe`.
    #[serde(default = "default_subscribe_interval")]
    pub(crate) subscribe_interval: HumanDuration,
    /// Keeps the connection alive and provokes a sign of life (default: a ping frame every 20 s). `null`: never ping.
    #[serde(default = "default_ping")]
    pub(crate) ping: Option<Ping>,
    /// How long to wait for a connection, TLS and the server's answer together.
    #[serde(default = "default_connect_timeout")]
    pub(crate) connect_timeout: HumanDuration,
    /// After so long without a single byte the connection counts as half-open and is made anew. `null`: never.
    #[serde(default = "default_idle_timeout")]
    pub(crate) idle_timeout: Option<HumanDuration>,
    /// After so long without a message, pings aside, the feed counts as stale: degraded, and connected anew. Unset: never.
    pub(crate) stale_after: Option<HumanDuration>,
    /// Waits before a new connection.
    #[serde(default)]
    pub(crate) reconnect: Reconnect,
    /// Longest message; a longer one ends the connection.
    #[serde(default = "default_max_message_bytes")]
    pub(crate) max_message_bytes: ByteSize,
    /// JSON pointer to an array whose elements become one message each; the empty pointer means the whole message. A message
    /// without such an array is handed on whole.
    pub(crate) split: Option<Pointer>,
    /// JSON pointer to the message's key.
    pub(crate) key: Option<Pointer>,
    /// Drops messages that were seen before.
    pub(crate) dedupe: Option<Dedupe>,
    /// Counts messages that are missing.
    pub(crate) sequence: Option<Sequence>,
    /// How servers of `wss://` addresses are verified.
    #[serde(default)]
    pub(crate) tls: ClientTls,
}

/// What is spoken on the connection.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Messages are whatever the server sends.
    #[default]
    #[serde(rename = "plain")]
    Plain,
    /// The subprotocol of ws-broadcast: messages with positions.
    #[serde(rename = "pipeline.v1")]
    PipelineV1,
}

/// A ping: a ping frame, unless `text` is given.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ping {
    /// Pause between two pings.
    pub(crate) every: HumanDuration,
    /// Send this as a text message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Send a ping frame with this payload, at most 125 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 125))]
    pub(crate) frame: Option<String>,
}

/// Waits before a new connection: doubled from `initial` to `max`, each drawn at random between zero and that, begun again
/// after a connection that brought data.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reconnect {
    /// First wait.
    pub(crate) initial: HumanDuration,
    /// Longest wait.
    pub(crate) max: HumanDuration,
}

/// What tells a message from others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dedupe {
    /// JSON pointer to the message's id. A message without one is never dropped.
    pub(crate) pointer: Pointer,
    /// JSON pointer to what the id belongs to, such as the market.
    pub(crate) key: Option<Pointer>,
    /// How many ids to remember.
    #[serde(default = "default_window")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub(crate) window: u32,
}

/// A number that counts up by one from message to message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sequence {
    /// JSON pointer to the number.
    pub(crate) pointer: Pointer,
    /// JSON pointer to what the number belongs to, such as the market.
    pub(crate) key: Option<Pointer>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Reconnect {
            initial: HumanDuration::from_millis(100),
            max: HumanDuration::from_secs(30),
        }
    }
}

fn default_recent() -> u32 {
    10_000
}

fn default_subscribe_interval() -> HumanDuration {
    HumanDuration::from_millis(250)
}

fn default_ping() -> Option<Ping> {
    Some(Ping {
        every: HumanDuration::from_secs(20),
        text: None,
        frame: None,
    })
}

fn default_connect_timeout() -> HumanDuration {
    HumanDuration::from_secs(10)
}

#[expect(clippy::unnecessary_wraps, reason = "the setting can be null")]
fn default_idle_timeout() -> Option<HumanDuration> {
    Some(HumanDuration::from_secs(60))
}

fn default_max_message_bytes() -> ByteSize {
    ByteSize::mib(16)
}

fn default_window() -> u32 {
    10_000
}
