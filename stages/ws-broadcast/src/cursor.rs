//! One client's place in the ring.
//!
//! Invariant: a cursor only moves forward, and whatever it moves over is given to the client, filtered by what the
//! client asked for, or told as a gap.

use stage_envelope::{After, Gap, GapReason, write_gap};

use crate::ring::{Entry, Kind, Partition, PartitionId, Ring};
use crate::wire::append_frame;

/// What a client wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Payloads as they were sent.
    Plain,
    /// Frames of `pipeline.v1`.
    V1 {
        /// Only what came in by POST.
        local_only: bool,
    },
}

/// Where a client begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the next message.
    Now,
    /// With the last messages of the ring.
    Recent(u64),
    /// Behind what it has.
    After(After),
}

/// One client's place in the ring.
#[derive(Debug)]
pub(crate) struct Cursor {
    view: View,
    next: u64,
    /// Messages without a position before this one are not resumed.
    live: u64,
    after: After,
    marks: Vec<Mark>,
}

/// What a client has of one partition.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The client's `after` was looked up.
    known: bool,
    /// Offsets up to this one are not wanted.
    filter: i64,
    /// The highest offset that the client has.
    last: i64,
    /// The client may miss messages: gaps are told, for this reason, until it has `sure`.
    suspect: Option<GapReason>,
    /// The newest offset when the client began to miss messages: beyond it, it misses nothing.
    sure: i64,
    /// Entries of an epoch that the client has left behind end here.
    current_from: u64,
    /// The client is of an epoch before, and the announcement has gone by: it is made up for at the next message.
    owes_reset: bool,
}

impl Mark {
    const NEW: Self = Self {
        known: false,
        filter: -1,
        last: -1,
        suspect: None,
        sure: -1,
        current_from: 0,
        owes_reset: false,
    };

    /// The mark of a client that was told that the partition began again.
    fn reset(sequence: u64) -> Self {
        Self {
            known: true,
            current_from: sequence,
            ..Self::NEW
        }
    }
}

/// What one gathering gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// Messages.
    pub(crate) messages: u64,
    /// Gaps that were told.
    pub(crate) gaps: u64,
}

impl Cursor {
    pub(crate) fn new(ring: &Ring, view: View, start: Start) -> Self {
        let (next, after) = match start {
            Start::Now => (ring.head(), After::default()),
            Start::Recent(count) => (
                ring.head().saturating_sub(count).max(ring.first()),
                After::default(),
            ),
            Start::After(after) => (ring.first(), after),
        };
        let live = if after.is_empty() { next } else { ring.head() };
        Self {
            view,
            next,
            live,
            after,
            marks: Vec::new(),
        }
    }

    /// Sequence number of the next entry that it looks at.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Appends whole frames to `out` until it holds `limit` bytes or nothing more waits.
    pub(crate) fn gather(&mut self, ring: &Ring, out: &mut Vec<u8>, limit: usize) -> Gathered {
        let mut gathered = Gathered::default();
        if self.next < ring.first() {
            gathered.gaps += self.jump(ring, ring.first(), GapReason::Evicted, out);
        }
        for entry in ring.from(self.next) {
            if out.len() >= limit {
                break;
            }
            match &self.view {
                View::Plain => {
                    if let Some((payload, text)) = entry.plain() {
                        append_frame(out, text, payload);
                        gathered.messages += 1;
                    }
                }
                View::V1 { local_only } => gathered.add(self.v1(ring, entry, *local_only, out)),
            }
            self.next += 1;
        }
        gathered
    }

    /// Moves on to the head without the messages in between; returns how many that were.
    pub(crate) fn skip(&mut self, ring: &Ring, out: &mut Vec<u8>) -> u64 {
        let skipped = ring.head().saturating_sub(self.next);
        self.jump(ring, ring.head(), GapReason::Skipped, out);
        skipped
    }

    /// Moves on to `to`. Gaps are told when the next message of each partition shows how large they are; only that a
    /// partition began again is told at once.
    fn jump(&mut self, ring: &Ring, to: u64, reason: GapReason, out: &mut Vec<u8>) -> u64 {
        let mut told = 0;
        if self.view != View::Plain {
            for (id, partition) in ring.partitions().iter() {
                let next = self.next;
                let mark = self.resolved(ring, id);
                let passed = next.max(mark.current_from)..to;
                if let Some(reset) = partition
                    .reset()
                    .filter(|reset| passed.contains(&reset.sequence))
                {
                    out.extend_from_slice(&reset.frame);
                    *mark = Mark::reset(reset.sequence);
                    told += 1;
                } else {
                    mark.suspect = Some(reason);
                    mark.sure = newest(partition);
                }
            }
        }
        self.next = to;
        told
    }

    fn v1(&mut self, ring: &Ring, entry: &Entry, local_only: bool, out: &mut Vec<u8>) -> Gathered {
        match entry.kind {
            Kind::Reset(id) => {
                let sequence = self.next;
                let mark = self.resolved(ring, id);
                if sequence < mark.current_from {
                    return Gathered::default();
                }
                *mark = Mark::reset(sequence);
                out.extend_from_slice(&entry.frame);
                Gathered {
                    messages: 0,
                    gaps: 1,
                }
            }
            Kind::Message { local: false, .. } if local_only => Gathered::default(),
            Kind::Message { at: None, .. } if self.next < self.live => Gathered::default(),
            Kind::Message { at: None, .. } => {
                out.extend_from_slice(&entry.frame);
                Gathered {
                    messages: 1,
                    gaps: 0,
                }
            }
            Kind::Message {
                at: Some((id, offset)),
                ..
            } => self.positioned(ring, entry, id, offset, out),
        }
    }

    fn positioned(
        &mut self,
        ring: &Ring,
        entry: &Entry,
        id: PartitionId,
        offset: i64,
        out: &mut Vec<u8>,
    ) -> Gathered {
        let sequence = self.next;
        let mark = self.resolved(ring, id);
        let mut gathered = Gathered::default();
        if mark.owes_reset {
            let reset = ring.partitions().get(id).and_then(Partition::reset);
            out.extend_from_slice(reset.map_or(&[], |reset| &reset.frame));
            *mark = Mark::reset(0);
            gathered.gaps += 1;
        }
        if offset <= mark.filter || sequence < mark.current_from {
            return gathered;
        }
        gathered.messages = 1;
        let first_missing = mark.last + 1;
        if offset > first_missing
            && mark.last >= 0
            && let Some(reason) = mark.suspect
        {
            let gap = gap(ring, id, first_missing..offset, reason);
            append_gap(out, gap.as_ref());
            gathered.gaps += u64::from(gap.is_some());
        }
        if offset >= first_missing {
            mark.last = offset;
            // Redelivered messages may stand before older gaps: the first message beyond a gap is not the last.
            mark.suspect = mark.suspect.filter(|_| offset < mark.sure);
        }
        out.extend_from_slice(&entry.frame);
        gathered
    }

    /// Returns the mark of a partition, with the client's `after` in it.
    fn resolved(&mut self, ring: &Ring, id: PartitionId) -> &mut Mark {
        let known = self.marks.get(id as usize).is_some_and(|mark| mark.known);
        let partition = ring.partitions().get(id).filter(|_| !known);
        let after = partition.and_then(|known| self.after.get(&known.topic, known.partition));
        let next = self.next;
        let mark = self.mark(id);
        mark.known = true;
        if let (Some(partition), Some(offset)) = (partition, after) {
            mark.filter = offset;
            mark.last = offset;
            mark.suspect = Some(GapReason::Evicted);
            mark.sure = newest(partition);
            match partition.reset() {
                Some(reset) if partition.is_current(offset) => {
                    mark.current_from = reset.sequence + 1
                }
                Some(reset) => mark.owes_reset = reset.sequence < next,
                None => {}
            }
        }
        mark
    }

    fn mark(&mut self, id: PartitionId) -> &mut Mark {
        let index = id as usize;
        if self.marks.len() <= index {
            self.marks.resize(index + 1, Mark::NEW);
        }
        &mut self.marks[index]
    }
}

impl Gathered {
    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.gaps += other.gaps;
    }
}

fn newest(partition: &Partition) -> i64 {
    partition.newest().map_or(-1, |newest| newest.offset)
}

fn gap(
    ring: &Ring,
    id: PartitionId,
    missing: std::ops::Range<i64>,
    reason: GapReason,
) -> Option<Gap> {
    let partition = ring.partitions().get(id)?;
    Some(Gap {
        topic: partition.topic.clone(),
        partition: partition.partition,
        from: missing.start,
        to: Some(missing.end - 1),
        reason,
    })
}

fn append_gap(out: &mut Vec<u8>, gap: Option<&Gap>) {
    if let Some(gap) = gap {
        let mut text = Vec::new();
        write_gap(&mut text, gap);
        append_frame(out, true, &text);
    }
}
