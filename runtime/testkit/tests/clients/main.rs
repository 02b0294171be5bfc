//! What strangers can do to a WebSocket server in the real command: be many, be slow, and send what they like.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod many;
mod raw;
mod relay;
mod server;
mod stalled;
