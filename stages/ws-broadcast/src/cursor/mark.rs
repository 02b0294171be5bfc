//! What a client has of one partition.
//!
//! Invariant: whatever lies between what the client has and what it is given next is told as a gap, as long as it may
//! have missed something.

use std::ops::Range;

use stage_envelope::GapReason;

use crate::ring::Partition;

/// What a client has of one partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The client's `after` was looked up.
    known: bool,
    /// Offsets up to this one are not wanted.
    filter: i64,
    /// The highest offset that the client has; -1 when it has none.
    last: i64,
    /// The client may miss messages, for this reason, until it has `sure`.
    suspect: Option<GapReason>,
    /// The newest offset when the client began to miss messages: beyond it, it misses nothing.
    sure: i64,
    /// The highest offset that the client can have missed, if that is known.
    most: i64,
    /// Entries of an epoch that the client has left behind end here.
    current_from: u64,
    /// The client is of an epoch before, and the announcement has gone by: it is made up for at the next message.
    pub(super) owes_reset: bool,
}

impl Mark {
    /// A partition that the client knows nothing of.
    pub(super) const NEW: Self = Self {
        known: false,
        filter: -1,
        last: -1,
        suspect: None,
        sure: -1,
        most: i64::MAX,
        current_from: 0,
        owes_reset: false,
    };

    /// A partition that began again at `sequence`, as the client was told.
    pub(super) fn began_again(sequence: u64) -> Self {
        Self {
            known: true,
            current_from: sequence,
            ..Self::NEW
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.known
    }

    /// Marks the partition as looked up, for a client that does not resume.
    pub(super) fn look_up(&mut self) {
        self.known = true;
    }

    /// Marks the partition as looked up, for a client that resumes. `after` is the last offset that it has of this
    /// partition, `next` where it reads on.
    pub(super) fn resume(
        &mut self,
        partition: &Partition,
        local_only: bool,
        after: Option<i64>,
        next: u64,
    ) {
        self.known = true;
        self.may_miss(GapReason::Evicted, partition, local_only);
        let Some(offset) = after else { return };
        self.filter = offset;
        self.last = offset;
        match partition.reset() {
            Some(reset) if partition.is_current(offset) => self.current_from = reset.sequence + 1,
            Some(reset) => self.owes_reset = reset.sequence < next,
            None => {}
        }
    }

    /// From now on the client may miss messages. Who is told only what came by POST sees a part of the offsets: it misses at
    /// most what the server knows to have had.
    pub(super) fn may_miss(&mut self, reason: GapReason, partition: &Partition, local_only: bool) {
        self.suspect = Some(reason);
        (self.sure, self.most) = match reason {
            _ if !local_only => {
                let newest = partition.newest().map_or(-1, |newest| newest.offset);
                (newest, i64::MAX)
            }
            GapReason::Skipped => (partition.local().newest, partition.local().newest),
            _ => (partition.local().evicted, partition.local().evicted),
        };
    }

    /// The first entry of the epoch that the client is in.
    pub(super) fn current_from(&self) -> u64 {
        self.current_from
    }

    /// Tells whether the client wants a message.
    pub(super) fn wants(&self, sequence: u64, offset: i64) -> bool {
        offset > self.filter && sequence >= self.current_from
    }

    /// Gives the client a message; answers what it misses before it.
    pub(super) fn pass(&mut self, offset: i64) -> Option<(Range<i64>, GapReason)> {
        let first_missing = self.last + 1;
        if offset < first_missing {
            return None;
        }
        let missing = first_missing..offset.min(self.most.saturating_add(1));
        let reason = self
            .suspect
            .filter(|_| self.last >= 0 && !missing.is_empty());
        self.last = offset;
        // Redelivered messages may stand before older gaps: the first message beyond a gap is not the last to look at.
        self.suspect = self.suspect.filter(|_| offset < self.sure);
        reason.map(|reason| (missing, reason))
    }
}
