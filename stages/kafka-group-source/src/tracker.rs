//! How far one partition is done: which offset may be committed.
//!
//! Invariant: [`Tracker::committable`] is never beyond the first message that was handed out and is not settled, in whatever
//! order messages are settled and whatever holes (compaction, transaction markers) the offsets have.

use crate::offsets::Offsets;
use std::collections::VecDeque;
use std::ops::Range;

/// The messages of one partition that were handed out since it was assigned.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// What the group has committed; `None` if nothing that holds.
    committed: Option<i64>,
    /// What it was asked to commit.
    requested: Option<i64>,
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

    /// Notes that the group was asked to commit an offset that was [`committable`](Self::committable).
    pub(crate) fn set_requested(&mut self, offset: i64) {
        self.requested = Some(offset);
    }

    /// Notes what the group has committed. Offsets of an earlier assignment, which do not fit, are ignored.
    pub(crate) fn set_committed(&mut self, offset: i64) {
        if offset <= self.end {
            self.committed = self.committed.max(Some(offset));
        }
    }

    /// Whether the group has not confirmed what it was asked to commit.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        self.requested > self.committed
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

/// Which messages of a batch are settled: a prefix, which is nearly always all there is, and bits behind it.
#[derive(Debug)]
struct Settled {
    len: u32,
    prefix: u32,
    count: u32,
    /// One bit a message, made when the first one out of order is settled.
    bits: Vec<u64>,
}

impl Settled {
    fn new(len: u32) -> Self {
        Settled {
            len,
            prefix: 0,
            count: 0,
            bits: Vec::new(),
        }
    }

    fn prefix(&self) -> u32 {
        self.prefix
    }

    fn is_complete(&self) -> bool {
        self.count == self.len
    }

    /// Adds a range and tells how many of it are new.
    fn add(&mut self, range: Range<u32>) -> u32 {
        let range = range.start.max(self.prefix)..range.end.min(self.len);
        if range.is_empty() {
            return 0;
        }
        let before = self.count;
        if range.start == self.prefix && self.bits.is_empty() {
            self.prefix = range.end;
            self.count = range.end;
        } else {
            self.add_bits(range);
        }
        self.count - before
    }

    fn add_bits(&mut self, range: Range<u32>) {
        if self.bits.is_empty() {
            self.bits = vec![0; self.len.div_ceil(64) as usize];
        }
        for index in range {
            let word = &mut self.bits[index as usize / 64];
            let bit = 1 << (index % 64);
            self.count += u32::from(*word & bit == 0);
            *word |= bit;
        }
        while self.prefix < self.len
            && self.bits[self.prefix as usize / 64] & (1 << (self.prefix % 64)) != 0
        {
            self.prefix += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offsets(list: &[i64]) -> Offsets {
        let mut offsets = Offsets::default();
        list.iter().for_each(|&offset| offsets.push(offset));
        offsets
    }

    fn sent(tracker: &mut Tracker, list: &[i64]) -> u64 {
        tracker.sent(offsets(list), list.len() as u64, list[0])
    }

    #[test]
    fn only_what_is_done_without_a_gap_is_committable() {
        let mut tracker = Tracker::new(10, Some(10));
        let first = sent(&mut tracker, &[10, 11, 12]);
        let second = sent(&mut tracker, &[13, 14]);
        tracker.done(second, 0..2);
        assert_eq!(tracker.committable(), None);
        tracker.done(first, 0..1);
        assert_eq!(tracker.committable(), Some(11));
        tracker.done(first, 2..3);
        assert_eq!(tracker.committable(), Some(11));
        tracker.done(first, 1..2);
        assert_eq!(tracker.committable(), Some(15));
        assert_eq!((tracker.messages(), tracker.bytes()), (0, 0));
    }

    #[test]
    fn replayed_messages_never_move_a_commit() {
        let mut tracker = Tracker::new(5, Some(10));
        let replayed = sent(&mut tracker, &[5, 6, 9]);
        tracker.done(replayed, 0..3);
        assert_eq!(tracker.committable(), None);
        let fresh = sent(&mut tracker, &[10]);
        tracker.done(fresh, 0..1);
        assert_eq!(tracker.committable(), Some(11));
    }

    #[test]
    fn without_a_committed_offset_the_start_is_committable_at_once() {
        let mut tracker = Tracker::new(7, None);
        assert_eq!(
            (tracker.committable(), tracker.committed()),
            (Some(7), None)
        );
        tracker.set_committed(7);
        assert_eq!(tracker.committable(), None);
    }

    #[test]
    fn a_commit_that_came_late_does_not_go_back() {
        let mut tracker = Tracker::new(0, Some(0));
        let token = sent(&mut tracker, &[0, 1]);
        tracker.done(token, 0..2);
        tracker.set_committed(2);
        tracker.set_committed(1);
        assert_eq!(
            (tracker.committed(), tracker.committable()),
            (Some(2), None)
        );
    }

    #[test]
    fn an_offset_of_an_earlier_assignment_is_not_taken_for_a_commit() {
        let mut tracker = Tracker::new(0, None);
        tracker.set_committed(5000);
        assert_eq!(
            (tracker.committed(), tracker.committable()),
            (None, Some(0))
        );
    }

    #[test]
    fn what_was_asked_for_is_asked_once_until_it_is_given_up() {
        let mut tracker = Tracker::new(0, Some(0));
        let token = sent(&mut tracker, &[0, 1]);
        tracker.done(token, 0..1);
        tracker.set_requested(1);
        assert_eq!(
            (tracker.committable(), tracker.is_unconfirmed()),
            (None, true)
        );
        tracker.done(token, 1..2);
        assert_eq!(tracker.committable(), Some(2));
        tracker.set_requested(2);
        tracker.set_committed(1);
        assert!(tracker.is_unconfirmed());
        tracker.ask_again();
        assert_eq!(
            (tracker.committable(), tracker.is_unconfirmed()),
            (Some(2), false)
        );
        tracker.set_requested(2);
        tracker.set_committed(2);
        assert_eq!(
            (tracker.committable(), tracker.is_unconfirmed()),
            (None, false)
        );
    }

    #[test]
    fn a_batch_that_was_taken_back_is_not_in_flight() {
        let mut tracker = Tracker::new(0, Some(0));
        let first = sent(&mut tracker, &[0, 1]);
        let second = sent(&mut tracker, &[2]);
        tracker.take_back(second);
        assert_eq!(
            (tracker.messages(), tracker.bytes(), tracker.position()),
            (2, 2, 2)
        );
        tracker.done(first, 0..2);
        assert_eq!(tracker.committable(), Some(2));
        assert_eq!(sent(&mut tracker, &[2]), second);
    }

    #[test]
    fn a_token_that_is_not_in_flight_is_ignored() {
        let mut tracker = Tracker::new(0, Some(0));
        let token = sent(&mut tracker, &[0]);
        tracker.done(token + 1, 0..1);
        tracker.done(token, 0..1);
        tracker.done(token, 0..1);
        assert_eq!((tracker.committable(), tracker.messages()), (Some(1), 0));
    }

    /// A partition (ascending offsets with holes), how it is cut into batches, and settles of single messages or runs.
    fn history() -> impl Strategy<
        Value = (
            i64,
            Option<i64>,
            Vec<Vec<i64>>,
            Vec<(prop::sample::Index, prop::sample::Index, u32)>,
        ),
    > {
        let batch = prop::collection::vec(1..4i64, 1..80);
        (
            0..1000i64,
            prop::option::of(0..60i64),
            prop::collection::vec(batch, 1..8),
            prop::collection::vec(
                (
                    any::<prop::sample::Index>(),
                    any::<prop::sample::Index>(),
                    1..200u32,
                ),
                0..400,
            ),
        )
            .prop_map(|(start, replayed, steps, settles)| {
                let mut next = start;
                let batches = steps.into_iter().map(|steps| {
                    steps
                        .into_iter()
                        .map(|step| {
                            next += step;
                            next
                        })
                        .collect()
                });
                (
                    start,
                    replayed.map(|replayed| start + replayed),
                    batches.collect(),
                    settles,
                )
            })
    }

    proptest! {
        #[test]
        fn the_commit_is_the_end_of_the_contiguous_done_range((start, committed, batches, settles) in history()) {
            let mut tracker = Tracker::new(start, committed);
            let tokens: Vec<u64> = batches.iter().map(|batch| sent(&mut tracker, batch)).collect();
            let mut open: Vec<Vec<bool>> = batches.iter().map(|batch| vec![true; batch.len()]).collect();
            for (batch, from, count) in settles {
                let batch = batch.index(batches.len());
                let from = from.index(batches[batch].len()) as u32;
                tracker.done(tokens[batch], from..from + count);
                open[batch].iter_mut().skip(from as usize).take(count as usize).for_each(|open| *open = false);

                let all = || batches.iter().flatten().zip(open.iter().flatten());
                let unsettled = all().filter(|(_, open)| **open).count();
                let first_open = all().find(|(_, open)| **open).map(|(offset, _)| *offset);
                let end = all().take_while(|(_, open)| !**open).last().map_or(start, |(offset, _)| offset + 1);
                prop_assert_eq!(tracker.messages(), unsettled);
                prop_assert_eq!(tracker.end(), end);
                prop_assert!(first_open.is_none_or(|first| tracker.end() <= first));
                prop_assert_eq!(tracker.committable(), committed.is_none_or(|committed| end > committed).then_some(end));
            }
        }

        #[test]
        fn everything_settled_leaves_nothing_in_flight((start, committed, batches, _) in history()) {
            let mut tracker = Tracker::new(start, committed);
            let tokens: Vec<u64> = batches.iter().map(|batch| sent(&mut tracker, batch)).collect();
            for (token, batch) in tokens.iter().zip(&batches).rev() {
                tracker.done(*token, 0..batch.len() as u32);
            }
            let last = *batches.last().unwrap().last().unwrap();
            prop_assert_eq!((tracker.messages(), tracker.bytes()), (0, 0));
            prop_assert_eq!((tracker.end(), tracker.position()), (last + 1, last + 1));
            prop_assert_eq!(tracker.oldest_ms(), None);
        }
    }
}
