//! Which messages the producer has, and what their reports mean for the batches that they came in.
//!
//! Reports come one message at a time and, since a batch is spread over partitions, not in its order. They are collected and
//! settled as runs: when the batch is complete, or when somebody asks for what there is.
//!
//! Invariant: each message of a batch is settled once, and a batch leaves when its last message is.

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
    /// Messages with a report that is not settled: one bit each.
    bits: Vec<u64>,
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
                bits: Vec::new(),
                is_reported: false,
            });
            self.slots.len() - 1
        });
        let slot = &mut self.slots[number];
        slot.batch = Some(batch);
        slot.sequence = self.sequence;
        slot.len = len;
        slot.left = len;
        slot.bits.clear();
        slot.bits.resize(len.div_ceil(64), 0);
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
        slot.bits[token.index() / 64] |= 1 << (token.index() % 64);
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
            runs: slot.take_runs(),
        })
    }

    /// What was reported of batches that are not complete.
    pub(crate) fn take_reported(&mut self) -> Vec<Delivered<B>> {
        let mut all = Vec::new();
        for number in self.reported.drain(..) {
            let slot = &mut self.slots[number];
            slot.is_reported = false;
            let runs = if slot.batch.is_some() {
                slot.take_runs()
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

impl<B> Slot<B> {
    /// The runs of set bits, which are cleared.
    fn take_runs(&mut self) -> Vec<Range<u32>> {
        let mut runs: Vec<Range<u32>> = Vec::new();
        for (index, word) in self.bits.iter_mut().enumerate() {
            let base = index as u32 * 64;
            let mut bits = std::mem::take(word);
            while bits != 0 {
                let start = bits.trailing_zeros();
                let len = (bits >> start).trailing_ones();
                match runs.last_mut() {
                    Some(last) if last.end == base + start => last.end += len,
                    _ => runs.push(base + start..base + start + len),
                }
                // A shift by 64 would be an overflow.
                bits &= u64::MAX.checked_shl(start + len).unwrap_or(0);
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Table = InFlight<&'static str>;

    fn deliver(
        table: &mut Table,
        slot: usize,
        indices: impl IntoIterator<Item = usize>,
    ) -> Vec<Delivered<&'static str>> {
        indices
            .into_iter()
            .filter_map(|index| table.delivered(Table::token(slot, index)))
            .collect()
    }

    #[test]
    fn a_batch_that_is_delivered_in_any_order_is_settled_by_one_range() {
        for (len, step) in [(1, 1), (64, 7), (200, 3), (4096, 5)] {
            let mut table = Table::default();
            let slot = table.insert("a", len);
            let settled = deliver(&mut table, slot, (0..len).map(|index| index * step % len));
            assert_eq!(
                settled,
                [Delivered {
                    batch: "a",
                    runs: vec![0..len as u32]
                }]
            );
            assert!(table.is_empty() && table.take_reported().is_empty());
        }
    }

    #[test]
    fn what_is_reported_so_far_is_settled_as_runs_and_once() {
        let mut table = Table::default();
        let slot = table.insert("a", 200);
        assert!(deliver(&mut table, slot, (0..10).chain(60..130).chain([150])).is_empty());
        assert_eq!(
            table.take_reported(),
            [Delivered {
                batch: "a",
                runs: vec![0..10, 60..130, 150..151]
            }]
        );
        assert!(table.take_reported().is_empty());
        let rest = deliver(&mut table, slot, (10..60).chain(130..150).chain(151..200));
        assert_eq!(
            rest,
            [Delivered {
                batch: "a",
                runs: vec![10..60, 130..150, 151..200]
            }]
        );
    }

    #[test]
    fn a_rejected_message_is_left_out_of_the_runs() {
        let mut table = Table::default();
        let slot = table.insert("a", 3);
        deliver(&mut table, slot, [0, 2]);
        let (batch, complete) = table.rejected(Table::token(slot, 1)).unwrap();
        assert_eq!(
            (batch, complete),
            (
                "a",
                Some(Delivered {
                    batch: "a",
                    runs: vec![0..1, 2..3]
                })
            )
        );
        assert!(table.is_empty());
    }

    #[test]
    fn order_is_that_of_arrival_although_slots_are_used_again() {
        let mut table = Table::default();
        let first = table.insert("a", 1);
        let second = table.insert("b", 2);
        deliver(&mut table, first, [0]);
        let third = table.insert("c", 1);
        assert_eq!(third, first);
        let mut tokens = [
            Table::token(third, 0),
            Table::token(second, 1),
            Table::token(second, 0),
        ];
        tokens.sort_by_key(|token| table.order(*token));
        assert_eq!(
            tokens,
            [
                Table::token(second, 0),
                Table::token(second, 1),
                Table::token(third, 0)
            ]
        );
        assert_eq!(table.batch(tokens[2]), Some(&"c"));
    }

    #[test]
    fn a_slot_that_completed_with_reports_pending_does_not_tell_of_the_next_batch() {
        let mut table = Table::default();
        let slot = table.insert("a", 2);
        deliver(&mut table, slot, [0, 1]);
        let again = table.insert("b", 2);
        assert_eq!(again, slot);
        assert!(table.take_reported().is_empty());
        deliver(&mut table, again, [0]);
        assert_eq!(
            table.take_reported(),
            [Delivered {
                batch: "b",
                runs: vec![0..1]
            }]
        );
    }
}
