//! The whole stage against real Kafka, without a host: the SDK's test ends in place of edges.

mod faults;
mod member;
mod offsets;
mod sharing;
