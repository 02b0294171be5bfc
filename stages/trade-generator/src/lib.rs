//! The source `trade-generator`: trades without an exchange.
//!
//! Invariant: the schedule is absolute. The n-th message is due at a time that is counted from the start, never from the
//! message before, so that neither slow stages behind nor timers make the pace drift.

#![forbid(unsafe_code)]

mod config;
mod faults;
mod feed;
mod market;
mod random;
mod recording;
mod stage;
mod synthetic;
