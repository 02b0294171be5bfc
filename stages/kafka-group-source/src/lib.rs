//! `kafka-group-source`: reads a Kafka topic as a member of a consumer group.
//!
//! The instance's own thread polls the consumer and hands out what it reads, one partition a batch. Other stages settle messages
//! on their own threads, straight into the tracker of the assignment that the messages were handed out under; the member commits
//! the end of what is done without a gap.
#![forbid(unsafe_code)]

mod assignment;
mod commits;
mod fatal;
mod fence;
mod host;
mod last_commit;
mod listener;
mod member;
mod metrics;
mod offsets;
mod partition;
mod rebalance;
mod record;
mod resolve;
mod settings;
mod settled;
mod source;
mod start;
mod starts;
mod status;
mod trace;
mod tracker;

#[cfg(test)]
mod tests;

use pipeline_sdk::export_stage;

export_stage!(source source::KafkaGroupSource);
