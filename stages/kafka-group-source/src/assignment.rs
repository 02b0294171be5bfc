//! One assignment of one partition: what was handed out, told apart from earlier assignments of the same partition.
//!
//! Invariant: every assignment has a tracker of its own, and a batch settles on the tracker of the assignment that it was handed
//! out under. So a settle of an older generation falls on a tracker that nobody asks any more.

use crate::offsets::Offsets;
use crate::start::Start;
use crate::tracker::Tracker;
use parking_lot::Mutex;
use pipeline_sdk::Done;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::Notify;

/// An assigned partition, as the settling threads see it.
pub(crate) struct Assignment {
    partition: i32,
    generation: u64,
    /// Messages before this offset were committed before: they are replayed.
    replay_until: i64,
    tracked: Mutex<Tracked>,
    wake: Arc<Notify>,
}

struct Tracked {
    tracker: Tracker,
    /// Held back until no more than so many messages are in flight; then the source is woken.
    held: Option<usize>,
    /// The source is woken when nothing is in flight.
    watched: bool,
}

/// What an assignment can take in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) messages: usize,
    pub(crate) bytes: u64,
}

impl Assignment {
    pub(crate) fn new(
        partition: i32,
        generation: u64,
        start: Start,
        wake: Arc<Notify>,
    ) -> Arc<Self> {
        let tracker = Tracker::new(start.offset, start.committed);
        Arc::new(Assignment {
            partition,
            generation,
            replay_until: start.committed.unwrap_or(start.offset),
            tracked: Mutex::new(Tracked {
                tracker,
                held: None,
                watched: false,
            }),
            wake,
        })
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn is_replay(&self, offset: i64) -> bool {
        offset < self.replay_until
    }

    /// Reads from the tracker.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Tracker) -> T) -> T {
        read(&self.tracked.lock().tracker)
    }

    pub(crate) fn sent(&self, offsets: Offsets, bytes: u64, timestamp_ms: i64) -> u64 {
        self.tracked
            .lock()
            .tracker
            .sent(offsets, bytes, timestamp_ms)
    }

    /// Forgets the last batch, which was not handed out after all.
    pub(crate) fn take_back(&self, token: u64) {
        self.tracked.lock().tracker.take_back(token);
    }

    /// Writes to the tracker what concerns commits.
    pub(crate) fn write(&self, write: impl FnOnce(&mut Tracker)) {
        write(&mut self.tracked.lock().tracker);
    }

    /// How many more messages may be handed out under `share`. With none left the partition is held back until half of what is
    /// in flight is settled, then the source is woken.
    pub(crate) fn room(&self, share: Share) -> usize {
        let mut tracked = self.tracked.lock();
        let (messages, bytes) = (tracked.tracker.messages(), tracked.tracker.bytes());
        if tracked.held.is_some_and(|level| messages > level) {
            return 0;
        }
        if messages >= share.messages || (bytes >= share.bytes && messages > 0) {
            tracked.held = Some(messages / 2);
            return 0;
        }
        tracked.held = None;
        share.messages - messages
    }

    /// Whether nothing is in flight; if something is, the source is woken when nothing is any more.
    pub(crate) fn is_settled(&self) -> bool {
        let mut tracked = self.tracked.lock();
        tracked.watched = tracked.tracker.messages() > 0;
        !tracked.watched
    }
}

impl Done for Assignment {
    fn done(&self, token: u64, range: Range<u32>) {
        let mut tracked = self.tracked.lock();
        let before = tracked.tracker.messages();
        tracked.tracker.done(token, range);
        let after = tracked.tracker.messages();
        let released = tracked
            .held
            .is_some_and(|level| before > level && after <= level);
        let emptied = tracked.watched && before > 0 && after == 0;
        drop(tracked);
        if released || emptied {
            self.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(offset: i64, committed: i64) -> Arc<Assignment> {
        let start = Start {
            offset,
            committed: Some(committed),
            reset: None,
        };
        Assignment::new(0, 1, start, Arc::default())
    }

    fn send(assignment: &Assignment, from: i64, count: i64) -> u64 {
        let mut offsets = Offsets::default();
        (from..from + count).for_each(|offset| offsets.push(offset));
        assignment.sent(offsets, 10 * count as u64, 0)
    }

    async fn woken(assignment: &Assignment) -> bool {
        let waited = tokio::time::timeout(std::time::Duration::ZERO, assignment.wake.notified());
        waited.await.is_ok()
    }

    #[test]
    fn a_settle_of_an_older_generation_does_not_touch_the_newer_one() {
        let (older, newer) = (assignment(0, 0), assignment(0, 0));
        let token = send(&older, 0, 5);
        send(&newer, 0, 5);
        older.done(token, 0..5);
        assert_eq!(newer.read(Tracker::committable), None);
        assert_eq!(newer.read(Tracker::messages), 5);
    }

    #[test]
    fn messages_before_the_committed_offset_are_replayed() {
        let assignment = assignment(5, 10);
        assert!(assignment.is_replay(9) && !assignment.is_replay(10));
    }

    #[tokio::test]
    async fn a_partition_over_its_share_is_held_back_until_half_is_settled() {
        let share = Share {
            messages: 8,
            bytes: 1000,
        };
        let assignment = assignment(0, 0);
        assert_eq!(assignment.room(share), 8);
        let token = send(&assignment, 0, 8);
        assert_eq!(assignment.room(share), 0);
        assignment.done(token, 0..3);
        assert_eq!(assignment.room(share), 0);
        assert!(!woken(&assignment).await);
        assignment.done(token, 3..4);
        assert!(woken(&assignment).await);
        assert_eq!(assignment.room(share), 4);
    }

    #[test]
    fn bytes_hold_a_partition_back_too_but_one_batch_always_fits() {
        let share = Share {
            messages: 100,
            bytes: 15,
        };
        let assignment = assignment(0, 0);
        assert_eq!(assignment.room(share), 100);
        send(&assignment, 0, 2);
        assert_eq!(assignment.room(share), 0);
    }

    #[tokio::test]
    async fn whoever_waits_for_the_last_message_is_woken() {
        let assignment = assignment(0, 0);
        assert!(assignment.is_settled());
        let token = send(&assignment, 0, 2);
        assert!(!assignment.is_settled());
        assignment.done(token, 0..1);
        assert!(!woken(&assignment).await);
        assignment.done(token, 1..2);
        assert!(woken(&assignment).await);
        assert!(assignment.is_settled());
    }
}
