//! A partition that this member reads: its queue of fetched records and what of it is in flight.

use crate::assignment::{Assignment, Share};
use crate::listener::{Consumer, Listener};
use crate::offsets::Offsets;
use crate::record;
use crate::trace::Tracer;
use crate::tracker::Tracker;
use pipeline_sdk::prelude::*;
use rdkafka::Message as _;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Bytes after which a batch is closed; the message that crosses the line is still in it.
const BATCH_BYTES: u64 = 1024 * 1024;

pub(crate) struct Partition {
    assignment: Arc<Assignment>,
    queue: PartitionQueue<Listener>,
    /// Nothing more is handed out: the group takes the partition away.
    stopped: bool,
    held_back: bool,
    /// Timestamp of the last record handed out.
    last_ms: Option<i64>,
    trouble: Option<KafkaError>,
}

/// A batch on its way out.
pub(crate) struct Outgoing {
    pub(crate) batch: BatchBuilder,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) token: u64,
}

impl Partition {
    /// Takes the partition's records out of the consumer's common queue. To be called before the partition is assigned, so that
    /// no record comes the other way.
    pub(crate) fn new(
        consumer: &Arc<Consumer>,
        topic: &str,
        assignment: Arc<Assignment>,
        wake: Arc<Notify>,
    ) -> Result<Self> {
        let number = assignment.partition();
        let mut queue = consumer
            .split_partition_queue(topic, number)
            .ok_or_else(|| format!("partition {number} of `{topic}` has no queue"))?;
        queue.set_nonempty_callback(move || wake.notify_one());
        Ok(Partition {
            assignment,
            queue,
            stopped: false,
            held_back: false,
            last_ms: None,
            trouble: None,
        })
    }

    pub(crate) fn assignment(&self) -> &Arc<Assignment> {
        &self.assignment
    }

    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether the partition waits for a part of its share to be settled.
    pub(crate) fn is_held_back(&self) -> bool {
        self.held_back
    }

    pub(crate) fn last_ms(&self) -> Option<i64> {
        self.last_ms
    }

    /// What librdkafka told about the partition in place of a record, once.
    pub(crate) fn take_trouble(&mut self) -> Option<KafkaError> {
        self.trouble.take()
    }

    /// What waits, as one batch, as far as the partition's share has room.
    pub(crate) fn next(
        &mut self,
        topic: &str,
        share: Share,
        output: &Output,
        tracer: &mut Tracer,
    ) -> Option<Outgoing> {
        if self.stopped {
            return None;
        }
        let room = self.assignment.room(share).min(MAX_BATCH);
        self.held_back = room == 0;
        let mut open: Option<Open> = None;
        while open
            .as_ref()
            .is_none_or(|open| open.batch.bytes() < BATCH_BYTES)
            && open.as_ref().map_or(0, Open::len) < room
        {
            match self.queue.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => {
                    let open = open.get_or_insert_with(|| {
                        tracer.begin_batch();
                        Open::new(&self.assignment, topic, output, &message)
                    });
                    open.push(&self.assignment, &message, tracer);
                    self.last_ms = record::timestamp_ms(&message).or(self.last_ms);
                }
                Some(Err(error)) => {
                    self.trouble = Some(error);
                    break;
                }
            }
        }
        open?.close(&self.assignment)
    }
}

/// A batch that is being filled.
struct Open {
    batch: BatchBuilder,
    offsets: Offsets,
    next: i64,
    timestamp_ms: i64,
}

impl Open {
    fn new(
        assignment: &Assignment,
        topic: &str,
        output: &Output,
        first: &BorrowedMessage<'_>,
    ) -> Self {
        let mut batch = output.batch();
        batch.topic(topic);
        let next = assignment.read(Tracker::position);
        Open {
            batch,
            offsets: Offsets::default(),
            next,
            timestamp_ms: record::timestamp_ms(first).unwrap_or_default(),
        }
    }

    fn len(&self) -> usize {
        self.batch.len()
    }

    fn push(
        &mut self,
        assignment: &Assignment,
        message: &BorrowedMessage<'_>,
        tracer: &mut Tracer,
    ) {
        let offset = message.offset();
        if offset < self.next {
            tracing::debug!(
                offset,
                expected = self.next,
                "a record that was handed out already is skipped"
            );
            return;
        }
        self.next = offset + 1;
        self.offsets.push(offset);
        let replay = assignment.is_replay(offset);
        record::push(&mut self.batch, message, replay, tracer);
    }

    fn close(mut self, assignment: &Arc<Assignment>) -> Option<Outgoing> {
        if self.batch.is_empty() {
            return None;
        }
        // Noted before it is sent: it may be settled before `send` returns.
        let token = assignment.sent(self.offsets, self.batch.bytes(), self.timestamp_ms);
        self.batch.on_done(assignment.clone(), token);
        Some(Outgoing {
            batch: self.batch,
            assignment: assignment.clone(),
            token,
        })
    }
}
