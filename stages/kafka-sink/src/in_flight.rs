//! Which messages the producer has, and what their reports mean for the batches that they came in.
//!
//! Reports come one message at a time and, since a batch is spread over partitions, not in its order. They are collected and
//! settled as runs: when the batch is complete, or when somebody asks for what there is.
//!
//! Invariant: each message of a batch is settled once, and a batch leaves when its last message is.

use crate::bits::Bits;
use pipeline_sdk::MAX_BATCH;
use std::ops::Range;

/// Names a message in the producer's opaque word: the batch's slot above, the index in the batch below. No memory per message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token(pub(crate) usize);

const INDEX_BITS: u32 = 12;
const _: () = assert!(MAX_BATCH <= 1 << INDEX_BITS);

impl Token {
    fn new(slot: usize, index: usize) -> Self {
        Token(slot << INDEX_BITS | index)
    }

    fn slot(self) -> usize {
        self.0 >> INDEX_BITS
    }

    /// Index of the message in its batch.
    pub(crate) fn index(self) -> usize {
        self.0 & ((1 << INDEX_BITS) - 1)
    }
}

/// The batches that are not settled; `B` is cheap to clone.
#[derive(Debug)]
pub(crate) struct InFlight<B> {
    slots: Vec<Slot<B>>,
    free: Vec<usize>,
    /// Slots with reports that are not settled yet.
    reported: Vec<usize>,
    sequence: u64,
}

#[derive(Debug)]
struct Slot<B> {
    batch: Option<B>,
    sequence: u64,
    len: usize,
    /// Messages without a report.
    left: usize,
    /// Messages with a report that is not settled.
    bits: Bits,
    is_reported: bool,
}

/// Runs of a batch that are delivered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delivered<B> {
    pub(crate) batch: B,
    pub(crate) runs: Vec<Range<u32>>,
}

impl<B> Default for InFlight<B> {
    fn default() -> Self {
        InFlight {
            slots: Vec::new(),
            free: Vec::new(),
            reported: Vec::new(),
            sequence: 0,
        }
    }
}

impl<B: Clone> InFlight<B> {
    /// Takes a batch of `len` messages; the tokens of its messages are made from the slot's number.
    pub(crate) fn insert(&mut self, batch: B, len: usize) -> usize {
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                batch: None,
                sequence: 0,
                len: 0,
                left: 0,
                bits: Bits::default(),
                is_reported: false,
            });
            self.slots.len() - 1
        });
        let slot = &mut self.slots[number];
        slot.batch = Some(batch);
        slot.sequence = self.sequence;
        slot.len = len;
        slot.left = len;
        slot.bits.clear(len);
        self.sequence += 1;
        number
    }

    /// The token of a message.
    pub(crate) fn token(slot: usize, index: usize) -> Token {
        Token::new(slot, index)
    }

    /// The batch of a message.
    pub(crate) fn batch(&self, token: Token) -> Option<&B> {
        self.slots.get(token.slot())?.batch.as_ref()
    }

    /// Sorts tokens by the order in which their messages came.
    pub(crate) fn order(&self, token: Token) -> (u64, usize) {
        (
            self.slots.get(token.slot()).map_or(0, |slot| slot.sequence),
            token.index(),
        )
    }

    /// Notes that a message is delivered. Gives all that is to be settled if the batch is complete now.
    pub(crate) fn delivered(&mut self, token: Token) -> Option<Delivered<B>> {
        let slot = self
            .slots
            .get_mut(token.slot())
            .filter(|slot| slot.batch.is_some())?;
        slot.bits.set(token.index());
        slot.left -= 1;
        if slot.left > 0 {
            if !std::mem::replace(&mut slot.is_reported, true) {
                self.reported.push(token.slot());
            }
            return None;
        }
        self.complete(token.slot())
    }

    /// Notes that a message was rejected: its batch is given to settle it with. The second part is as with
    /// [`delivered`](Self::delivered).
    pub(crate) fn rejected(&mut self, token: Token) -> Option<(B, Option<Delivered<B>>)> {
        let slot = self.slots.get_mut(token.slot())?;
        let batch = slot.batch.clone()?;
        slot.left -= 1;
        let complete = slot.left == 0;
        Some((
            batch,
            if complete {
                self.complete(token.slot())
            } else {
                None
            },
        ))
    }

    fn complete(&mut self, number: usize) -> Option<Delivered<B>> {
        self.free.push(number);
        let slot = &mut self.slots[number];
        let batch = slot.batch.take()?;
        Some(Delivered {
            batch,
            runs: slot.bits.take_runs(),
        })
    }

    /// What was reported of batches that are not complete.
    pub(crate) fn take_reported(&mut self) -> Vec<Delivered<B>> {
        let mut all = Vec::new();
        for number in self.reported.drain(..) {
            let slot = &mut self.slots[number];
            slot.is_reported = false;
            let runs = if slot.batch.is_some() {
                slot.bits.take_runs()
            } else {
                Vec::new()
            };
            if let Some(batch) = slot.batch.clone().filter(|_| !runs.is_empty()) {
                all.push(Delivered { batch, runs });
            }
        }
        all
    }

    /// Whether every batch is settled.
    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }
}

#[cfg(test)]
mod tests;
