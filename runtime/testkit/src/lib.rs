//! What end-to-end and fault tests stand on: real Apache Kafka, the real `pipeline` binary, WebSocket clients, an
//! exchange and an HTTP receiver that misbehave on demand.
//!
//! Callers are tests, so everything here panics with what went wrong where a library would return an error. Nothing
//! sleeps to prove something: a test waits with [`eventually`] for what it expects, with a bound that a slow machine keeps.

#![forbid(unsafe_code)]

mod daemon;
mod deployment;
mod eventually;
mod exchange;
mod feed;
mod hosts;
pub mod http;
mod jaeger;
pub mod kafka;
pub mod openmetrics;
pub mod otlp;
mod pipeline;
mod ports;
mod prometheus;
mod receiver;
mod target;
mod trade;
mod ws;

pub use deployment::Deployment;
pub use eventually::{eventually, unique};
pub use exchange::{Arrival, Connection, Exchange};
pub use feed::Feed;
pub use hosts::Hosts;
pub use pipeline::{Pipeline, Running};
pub use ports::Ports;
pub use prometheus::{NodeExporter, Prometheus};
pub use receiver::{Answer, HttpReceiver, Received};
pub use target::{profile_folder, repository};
pub use trade::upbit_trade;
pub use ws::{Browser, Seen, V1Client, WsClient};
