//! The way from a producer to the queues: fan-out, and filters that run inline.

mod answer;
mod filter;
mod filtered;
mod outlet;

pub(crate) use filter::{FilterNode, FilterStats, Processor};
pub(crate) use outlet::{Branch, Outlet};
