//! What end-to-end and fault tests stand on: real Apache Kafka, the real `pipeline` binary, WebSocket clients, an
//! exchange and an HTTP receiver that misbehave on demand.
//!
//! Callers are tests, so everything here panics with what went wrong where a library would return an error. Nothing
//! sleeps to prove something: a test waits with [`eventually`] for what it expects, with a bound that a slow machine keeps.

#![forbid(unsafe_code)]

mod eventually;
pub mod kafka;
mod ports;

pub use eventually::{eventually, unique};
pub use ports::Ports;
