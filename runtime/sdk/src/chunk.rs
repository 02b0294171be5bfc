//! What a lane delivers at once: messages of one or several batches, in order.

use crate::lanes::LaneLimits;
use crate::{Batch, Message};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

/// A run of messages of one batch.
pub(crate) struct Piece {
    batch: Batch,
    range: Range<u32>,
}

impl Piece {
    pub(crate) fn new(batch: Batch, range: Range<u32>) -> Self {
        Piece { batch, range }
    }

    /// Cuts off the first `count` messages; `None` is left over when that is all.
    fn cut(self, count: u32) -> (Piece, Option<Piece>) {
        let middle = self.range.start + count;
        let rest = (middle < self.range.end)
            .then(|| Piece::new(self.batch.clone(), middle..self.range.end));
        (Piece::new(self.batch, self.range.start..middle), rest)
    }
}

/// What a lane delivers at once: at least one message, all of the same topic and partition.
pub struct Chunk {
    pieces: Vec<Piece>,
    /// Indices that were rejected one by one.
    rejected: RefCell<BTreeSet<usize>>,
    tries: u32,
}

impl Chunk {
    fn new(pieces: Vec<Piece>) -> Self {
        Chunk {
            pieces,
            rejected: RefCell::default(),
            tries: 0,
        }
    }

    /// Takes what waits, within limits; `None` when nothing waits.
    pub(crate) fn take(queue: &mut VecDeque<Piece>, limits: LaneLimits) -> Option<Self> {
        let mut pieces = Vec::new();
        let (mut messages, mut bytes) = (0, 0);
        while let Some(piece) = queue.pop_front() {
            let fitting = piece.range.clone().take_while(|&index| {
                let message = piece.batch.get(index as usize);
                messages += 1;
                bytes += (message.payload().len() + message.key().map_or(0, <[u8]>::len)) as u64;
                messages == 1 || (messages <= limits.max_messages && bytes <= limits.max_bytes)
            });
            let count = fitting.count() as u32;
            if count == 0 {
                queue.push_front(piece);
                break;
            }
            let (taken, rest) = piece.cut(count);
            pieces.push(taken);
            if let Some(rest) = rest {
                queue.push_front(rest);
                break;
            }
        }
        (!pieces.is_empty()).then(|| Chunk::new(pieces))
    }

    /// Number of messages, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a chunk is never empty")]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.range.len()).sum()
    }

    /// How often these messages were tried before.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// The same messages, to be tried again.
    pub(crate) fn again(self) -> Self {
        Chunk {
            tries: self.tries.saturating_add(1),
            ..self
        }
    }

    /// Payload and key bytes of all messages.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.iter()
            .map(|message| (message.payload().len() + message.key().map_or(0, <[u8]>::len)) as u64)
            .sum()
    }

    /// Topic of the messages' positions; empty when they have none.
    #[must_use]
    pub fn topic(&self) -> &str {
        self.pieces[0].batch.topic()
    }

    /// Partition of the messages, if they have a position.
    #[must_use]
    pub fn partition(&self) -> Option<i32> {
        self.iter()
            .next()?
            .position()
            .map(|position| position.partition)
    }

    /// The messages, in order.
    pub fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        self.pieces.iter().flat_map(|piece| {
            piece
                .range
                .clone()
                .map(|index| piece.batch.get(index as usize))
        })
    }

    /// Rejects one message of a chunk whose delivery succeeded for the others.
    ///
    /// # Panics
    /// If `index` is not below `len`.
    pub fn reject(&self, index: usize, why: &str) {
        let mut before = index;
        for piece in &self.pieces {
            if before < piece.range.len() {
                if self.rejected.borrow_mut().insert(index) {
                    let at = piece.range.start + before as u32;
                    piece.batch.reject(at..at + 1, why);
                }
                return;
            }
            before -= piece.range.len();
        }
        panic!("message {index} of a chunk of {}", self.len());
    }

    /// Settles as delivered what was not rejected.
    pub(crate) fn done(self) {
        let rejected = self.rejected.into_inner();
        let mut first = 0;
        for piece in &self.pieces {
            let in_piece = rejected.range(first..first + piece.range.len());
            let mut start = piece.range.start;
            for index in in_piece {
                let at = piece.range.start + (index - first) as u32;
                if start < at {
                    piece.batch.done_range(start..at);
                }
                start = at + 1;
            }
            if start < piece.range.end {
                piece.batch.done_range(start..piece.range.end);
            }
            first += piece.range.len();
        }
    }

    /// Two halves in order, or the chunk itself when it holds one message.
    pub(crate) fn halve(self) -> Result<(Chunk, Chunk), Chunk> {
        let len = self.len();
        if len == 1 {
            return Err(self);
        }
        let mut left = len as u32 / 2;
        let tries = self.tries.saturating_add(1);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for piece in self.pieces {
            let count = left.min(piece.range.len() as u32);
            left -= count;
            if count == 0 {
                second.push(piece);
                continue;
            }
            let (head, tail) = piece.cut(count);
            first.push(head);
            second.extend(tail);
        }
        let part = |pieces| Chunk {
            tries,
            ..Chunk::new(pieces)
        };
        Ok((part(first), part(second)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use crate::builder::BatchBuilder;
    use crate::owned::Pool;

    const ALL: LaneLimits = LaneLimits {
        max_messages: usize::MAX,
        max_bytes: u64::MAX,
    };

    fn batch(payloads: &[&str]) -> Piece {
        let mut builder = BatchBuilder::new(Pool::new().take());
        for payload in payloads {
            builder.push(Record::new(payload.as_bytes()));
        }
        // SAFETY: the one reference of a finished batch.
        let batch = unsafe { Batch::from_raw(builder.finish().0) };
        Piece::new(batch, 0..payloads.len() as u32)
    }

    fn texts(chunk: &Chunk) -> Vec<&str> {
        chunk
            .iter()
            .map(|message| std::str::from_utf8(message.payload()).unwrap())
            .collect()
    }

    #[test]
    fn all_that_waits_is_taken_in_order() {
        let mut queue = VecDeque::from([batch(&["a", "b"]), batch(&["c"])]);
        assert_eq!(
            texts(&Chunk::take(&mut queue, ALL).unwrap()),
            ["a", "b", "c"]
        );
        assert!(Chunk::take(&mut queue, ALL).is_none());
    }

    #[test]
    fn limits_cut_inside_a_batch_and_the_rest_stays_first() {
        let mut queue = VecDeque::from([batch(&["a", "b", "c"]), batch(&["d"])]);
        let limits = LaneLimits {
            max_messages: 2,
            ..ALL
        };
        assert_eq!(texts(&Chunk::take(&mut queue, limits).unwrap()), ["a", "b"]);
        assert_eq!(texts(&Chunk::take(&mut queue, limits).unwrap()), ["c", "d"]);
    }

    #[test]
    fn a_message_larger_than_the_limit_goes_alone() {
        let mut queue = VecDeque::from([batch(&["large", "x"])]);
        let limits = LaneLimits {
            max_bytes: 3,
            ..ALL
        };
        assert_eq!(texts(&Chunk::take(&mut queue, limits).unwrap()), ["large"]);
        assert_eq!(texts(&Chunk::take(&mut queue, limits).unwrap()), ["x"]);
    }

    #[test]
    fn halves_keep_the_order_down_to_one_message() {
        let mut queue = VecDeque::from([batch(&["a"]), batch(&["b", "c", "d"])]);
        let (first, second) = Chunk::take(&mut queue, ALL).unwrap().halve().ok().unwrap();
        assert_eq!(
            (texts(&first), texts(&second)),
            (vec!["a", "b"], vec!["c", "d"])
        );
        let (single, _) = first.halve().ok().unwrap();
        assert_eq!(texts(&single.halve().err().unwrap()), ["a"]);
    }
}
