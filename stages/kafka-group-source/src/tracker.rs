//! How far one partition is done: which offset may be committed.
//!
//! Invariant: [`Tracker::committable`] is never beyond the first message that was handed out and is not settled, in whatever
//! order messages are settled and whatever holes (compaction, transaction markers) the offsets have.

use crate::offsets::Offsets;
use crate::settled::Settled;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

/// The messages of one partition that were handed out since it was assigned.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// What the group has committed; `None` if nothing that holds.
    committed: Option<i64>,
    /// What it was asked to commit.
    requested: Option<i64>,
    /// Since when it has confirmed nothing of that.
    unconfirmed: Option<Instant>,
    /// End of what is done without a gap.
    end: i64,
    /// Offset behind the last message handed out.
    position: i64,
    /// Token of the first batch in `batches`.
    first: u64,
    batches: VecDeque<InFlight>,
    messages: usize,
    bytes: u64,
}

#[derive(Debug)]
struct InFlight {
    offsets: Offsets,
    bytes: u64,
    timestamp_ms: i64,
    settled: Settled,
}

impl Tracker {
    /// A partition that is read from `start` on, while the group has `committed`; if it has nothing, `start` is committable at
    /// once.
    pub(crate) fn new(start: i64, committed: Option<i64>) -> Self {
        Tracker {
            committed,
            requested: None,
            unconfirmed: None,
            end: start,
            position: start,
            first: 0,
            batches: VecDeque::new(),
            messages: 0,
            bytes: 0,
        }
    }

    /// Notes a batch that is about to be handed out; the token names it in [`done`](Self::done).
    pub(crate) fn sent(&mut self, offsets: Offsets, bytes: u64, timestamp_ms: i64) -> u64 {
        self.position = offsets.last() + 1;
        self.messages += offsets.len() as usize;
        self.bytes += bytes;
        let settled = Settled::new(offsets.len());
        self.batches.push_back(InFlight {
            offsets,
            bytes,
            timestamp_ms,
            settled,
        });
        self.first + self.batches.len() as u64 - 1
    }

    /// Notes that messages of a batch are settled. Words about what is settled already change nothing.
    pub(crate) fn done(&mut self, token: u64, range: Range<u32>) {
        let index = token
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        let Some(batch) = index.and_then(|index| self.batches.get_mut(index)) else {
            return;
        };
        self.messages -= batch.settled.add(range) as usize;
        while let Some(front) = self.batches.front() {
            if let Some(last) = front.settled.prefix().checked_sub(1) {
                self.end = front.offsets.get(last) + 1;
            }
            if !front.settled.is_complete() {
                break;
            }
            self.bytes -= front.bytes;
            self.batches.pop_front();
            self.first += 1;
        }
    }

    /// Forgets the last batch, which was not handed out after all.
    pub(crate) fn take_back(&mut self, token: u64) {
        if token == self.first + self.batches.len() as u64 - 1
            && let Some(batch) = self.batches.pop_back()
        {
            self.messages -= batch.offsets.len() as usize;
            self.bytes -= batch.bytes;
            self.position = batch.offsets.get(0);
        }
    }

    /// The offset that should be committed now, if it is beyond what is committed or was asked for. Replayed messages are before
    /// it and so never move it.
    pub(crate) fn committable(&self) -> Option<i64> {
        let known = self.committed.max(self.requested);
        known
            .is_none_or(|known| self.end > known)
            .then_some(self.end)
    }

    /// The offset that the group has not confirmed yet, whether it was asked for or not.
    pub(crate) fn uncommitted(&self) -> Option<i64> {
        self.committed
            .is_none_or(|committed| self.end > committed)
            .then_some(self.end)
    }

    /// Notes that the group was asked to commit an offset.
    pub(crate) fn set_requested(&mut self, offset: i64, now: Instant) {
        self.requested = Some(offset);
        self.unconfirmed.get_or_insert(now);
    }

    /// Notes what the group has committed. Offsets of an earlier assignment, which do not fit, are ignored.
    pub(crate) fn set_committed(&mut self, offset: i64, now: Instant) {
        if offset <= self.end && Some(offset) > self.committed {
            self.committed = Some(offset);
            self.unconfirmed = (self.requested > self.committed).then_some(now);
        }
    }

    /// Since when the group has confirmed nothing of what it was asked to commit.
    pub(crate) fn unconfirmed(&self) -> Option<Instant> {
        self.unconfirmed
    }

    /// Forgets what the group was asked to commit: it is asked again.
    pub(crate) fn ask_again(&mut self) {
        self.requested = None;
    }

    /// What the group has committed.
    pub(crate) fn committed(&self) -> Option<i64> {
        self.committed
    }

    /// End of what is done without a gap.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Offset behind the last message handed out.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// Messages handed out and not settled.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// Bytes of the batches that are not wholly settled.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Record timestamp of the first message of the oldest batch that is not wholly settled.
    pub(crate) fn oldest_ms(&self) -> Option<i64> {
        self.batches.front().map(|batch| batch.timestamp_ms)
    }
}

#[cfg(test)]
mod tests;
