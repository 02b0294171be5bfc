//! `kafka-sink`: writes messages to a Kafka topic.
//!
//! The instance's own thread gives messages to the producer, a second one takes the delivery reports and settles messages in
//! runs. A message is settled when all in-sync replicas have it, or when the brokers can never take it.
#![forbid(unsafe_code)]

mod bits;
mod headers;
mod in_flight;
mod key;
mod outcome;
mod reports;
mod round;
mod settings;
mod sink;
mod status;
mod trace;

#[cfg(test)]
mod tests;

use pipeline_sdk::export_stage;

export_stage!(sink sink::KafkaSink);
