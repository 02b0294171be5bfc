//! `ws-broadcast`: live messages over WebSocket, fed by `POST /api/trades` and by other stages.
//!
//! A message is done when it is in the ring: Kafka is what lasts, and clients recover by position. The way of a message:
//! `http` or `upstream` read it, `intake` tells duplicates and encodes it once, `ring` keeps it, and each client's
//! `cursor` comes by and copies it into one write with all else that waits (`client`).
#![forbid(unsafe_code)]

mod auth;
mod client;
mod config;
mod cursor;
mod gate;
mod http;
mod hub;
mod intake;
mod metrics;
mod phase;
mod ring;
mod stage;
mod status;
#[cfg(test)]
mod tests;
mod trace;
mod upstream;
mod wire;

use stage::WsBroadcast;

pipeline_sdk::export_stage!(sink WsBroadcast);
