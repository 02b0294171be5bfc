//! The whole stage against Kafka, without a host: the SDK's test ends in place of edges.

mod delivery;
mod faults;
mod sink;
