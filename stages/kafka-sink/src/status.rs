//! The status document: what `/status` shows of the producer.

use serde::Serialize;
use stage_kafka_client::BrokerStatus;

#[derive(Debug, Serialize)]
pub(crate) struct Status<'a> {
    pub(crate) topic: &'a str,
    /// Messages in the producer's queues and in flight.
    pub(crate) queued: u64,
    pub(crate) queued_bytes: u64,
    /// Messages that were sent and not reported.
    pub(crate) waiting: usize,
    pub(crate) brokers: Vec<BrokerStatus>,
}
