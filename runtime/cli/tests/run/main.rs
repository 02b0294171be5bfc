//! `pipeline run` with real stages that need no peer.
#![allow(clippy::unwrap_used)]

mod lifecycle;
mod reload;
mod support;
mod surroundings;
mod tap;
mod traces;
