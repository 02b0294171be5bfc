//! The one ring that every client reads from.
//!
//! Invariant: an entry never changes; its sequence number is its place in the order in which messages came in. What a
//! client costs is a [`Cursor`](crate::cursor::Cursor), never a copy: entries hold one encoding of each message, shared
//! by all. Both bounds (messages, bytes) hold after every push; the oldest entries make room.

mod entry;
mod partitions;

use std::collections::VecDeque;

pub(crate) use entry::{Entry, Kind, Payload};
use partitions::Place;
pub(crate) use partitions::{Admission, Partition, PartitionId, Partitions, TooManyPartitions};
use stage_envelope::{Gap, GapReason, Position};

/// What the ring may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: u64,
}

/// A distance to the head of the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Lag {
    /// Tells whether either part is beyond the limit.
    pub(crate) fn exceeds(self, limit: Self) -> bool {
        self.messages > limit.messages || self.bytes > limit.bytes
    }
}

/// The messages that clients may still get, and the index by which duplicates are told.
#[derive(Debug)]
pub(crate) struct Ring {
    limits: Limits,
    entries: VecDeque<Entry>,
    /// Sequence number of the oldest entry.
    first: u64,
    bytes: u64,
    /// Bytes of all entries that there ever were; the difference of two is a distance.
    passed: u64,
    partitions: Partitions,
}

impl Ring {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: VecDeque::new(),
            first: 0,
            bytes: 0,
            passed: 0,
            partitions: Partitions::default(),
        }
    }

    /// Says what becomes of a message at this position; `local` says that it comes by POST. A new epoch is announced in the
    /// ring at once, so that the message, pushed next, stands behind the announcement.
    pub(crate) fn admit(
        &mut self,
        position: &Position<'_>,
        timestamp: Option<i64>,
        local: bool,
    ) -> Result<Admission, TooManyPartitions> {
        let id = self
            .partitions
            .intern(&position.topic, position.partition)?;
        let admission = self.partitions.admit(id, position.offset, timestamp, local);
        if admission == Admission::NewEpoch(id) {
            let gap = Gap {
                topic: position.topic.clone().into_owned(),
                partition: position.partition,
                from: position.offset,
                to: None,
                reason: GapReason::Reset,
            };
            let entry = Entry::reset(id, &gap);
            self.partitions.reset(id, self.head(), entry.frame.clone());
            self.append(entry);
        }
        Ok(admission)
    }

    /// Appends a message that was admitted (or has no position).
    pub(crate) fn push(&mut self, entry: Entry, timestamp: Option<i64>) {
        match entry.kind {
            Kind::Message {
                at: Some((id, offset)),
                local,
                ..
            } => {
                let place = Place {
                    timestamp,
                    sequence: self.head(),
                    local,
                };
                self.partitions.insert(id, offset, place);
            }
            Kind::Repeat((id, offset)) => self.partitions.came_by_post(id, offset),
            Kind::Message { at: None, .. } | Kind::Reset(_) => {}
        }
        self.append(entry);
    }

    fn append(&mut self, mut entry: Entry) {
        let cost = entry.cost();
        self.bytes += cost;
        self.passed += cost;
        entry.passed = self.passed;
        self.entries.push_back(entry);
        while self.entries.len() > self.limits.messages || self.bytes > self.limits.bytes {
            // The newest always stays: a message larger than the ring still goes to who is waiting for it.
            if self.entries.len() == 1 {
                break;
            }
            self.evict();
        }
    }

    fn evict(&mut self) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        match entry.kind {
            Kind::Message {
                at: Some((id, offset)),
                local,
                ..
            } => {
                self.partitions.remove(id, offset, self.first);
                if local {
                    self.partitions.lost_local(id, offset, self.first);
                }
            }
            Kind::Repeat((id, offset)) => self.partitions.lost_local(id, offset, self.first),
            Kind::Message { at: None, .. } | Kind::Reset(_) => {}
        }
        self.bytes -= entry.cost();
        self.first += 1;
    }

    /// Sequence number of the oldest entry.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Sequence number that the next entry will get.
    pub(crate) fn head(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Messages and bytes that it holds.
    pub(crate) fn fill(&self) -> (usize, u64) {
        (self.entries.len(), self.bytes)
    }

    /// What waits from `sequence` to the head. What is in the ring no longer counts by number only.
    pub(crate) fn lag(&self, sequence: u64) -> Lag {
        let messages = self.head().saturating_sub(sequence);
        let bytes = match self.get(sequence.max(self.first)) {
            None => 0,
            Some(entry) => self.passed - entry.passed + entry.cost(),
        };
        Lag { messages, bytes }
    }

    fn get(&self, sequence: u64) -> Option<&Entry> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.entries.get(index)
    }

    /// Walks over the entries from `sequence` on.
    pub(crate) fn from(&self, sequence: u64) -> impl Iterator<Item = &Entry> {
        let skip = usize::try_from(sequence.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.entries.range(skip.min(self.entries.len())..)
    }

    pub(crate) fn partitions(&self) -> &Partitions {
        &self.partitions
    }
}
