//! The filter `trade-normalizer`: the trade messages of several exchanges, in one schema.
//!
//! Invariant: prices, sizes and ids leave with the very characters that came in. Nothing passes through a float.

#![forbid(unsafe_code)]

mod config;
mod decimal;
mod filter;
mod normalizer;
mod time;
mod token;
mod trade;
mod unreadable;
mod venue;
