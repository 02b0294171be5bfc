//! The central promise: whatever dies, freezes or moves, a `pipeline.v1` client is shown every message of the topic
//! exactly once, in order per partition.

mod faults;
mod fenced;
mod live;
mod servers;
mod sleepers;
