//! The source `websocket-source`: any exchange's WebSocket feed, or the WebSocket servers of other pipelines.
//!
//! A [`link`] keeps one connection: it connects, subscribes, reads, and connects again, to the next address if there are
//! several. What it read goes to the stage's own loop through a queue of one; there a frame becomes messages ([`plain`] or
//! [`relay`]). [`report`] tells health and status, [`fills`] whether what was told is still there.
//!
//! Invariant: no frame of a server, and no server, ends the stage. Whatever is wrong is told, counted, and answered with a
//! new connection.

#![forbid(unsafe_code)]

mod address;
mod check;
mod config;
mod connect;
mod failure;
mod fills;
mod inbox;
mod link;
mod metrics;
mod plain;
mod pointer;
mod relay;
mod report;
mod search;
mod sequence;
mod session;
mod shared;
mod stage;
mod throttle;
mod timers;
mod trace;
mod transport;
mod window;

#[cfg(test)]
mod tests;
