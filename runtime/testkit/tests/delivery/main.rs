//! What is in Kafka is delivered, in order and once, whatever happens between it and its receiver.
#![allow(clippy::unwrap_used)]

mod brokers;
mod crashes;
mod dead_letters;
mod drain;
mod receiver;
mod reload;
mod scene;
mod secured;
mod topic_again;
