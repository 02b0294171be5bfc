//! One client's place in the ring.
//!
//! Invariant: a cursor only moves forward, and whatever it moves over is given to the client, filtered by what the
//! client asked for, or told as a gap.

mod mark;

use std::ops::Range;

use mark::Mark;
use pipeline_sdk::Trace;
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
    /// Nothing but the greeting, for who wants to know when the server starts anew.
    Hello,
}

impl View {
    fn is_local_only(&self) -> bool {
        *self == View::V1 { local_only: true }
    }
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
    /// How many deliveries may be traced, and the traces of those that are.
    claims: usize,
    claimed: Vec<Trace>,
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
            claims: 0,
            claimed: Vec::new(),
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
                View::V1 { local_only } => {
                    let local_only = *local_only;
                    let given = self.v1(ring, entry, local_only, out);
                    if let Some(trace) = &entry.trace
                        && given.messages > 0
                        && !local_only
                        && self.claimed.len() < self.claims
                    {
                        self.claimed.extend(trace.claim());
                    }
                    gathered.add(given);
                }
                View::Hello => {}
            }
            self.next += 1;
        }
        gathered
    }

    /// Says how many deliveries of the next gathering may be traced.
    pub(crate) fn may_claim(&mut self, claims: usize) {
        self.claims = claims;
    }

    /// The traces of the deliveries that were gathered and are recorded.
    pub(crate) fn claimed(&mut self) -> Vec<Trace> {
        std::mem::take(&mut self.claimed)
    }

    /// Moves on to the head without the messages in between; returns how many that were.
    pub(crate) fn skip(&mut self, ring: &Ring, out: &mut Vec<u8>) -> u64 {
        let skipped = ring.head().saturating_sub(self.next);
        self.jump(ring, ring.head(), GapReason::Skipped, out);
        skipped
    }

    /// Moves on to `to`. Gaps are told when the next messages of each partition show how large they are; only that a
    /// partition began again is told at once.
    fn jump(&mut self, ring: &Ring, to: u64, reason: GapReason, out: &mut Vec<u8>) -> u64 {
        let mut told = 0;
        if matches!(self.view, View::V1 { .. }) {
            let local_only = self.view.is_local_only();
            for (id, partition) in ring.partitions().iter() {
                let next = self.next;
                let mark = self.looked_up(ring, id);
                let passed = next.max(mark.current_from())..to;
                match partition
                    .reset()
                    .filter(|reset| passed.contains(&reset.sequence))
                {
                    Some(reset) => {
                        out.extend_from_slice(&reset.frame);
                        *mark = Mark::began_again(reset.sequence);
                        told += 1;
                    }
                    None => mark.may_miss(reason, partition, local_only),
                }
            }
        }
        self.next = to;
        told
    }

    fn v1(&mut self, ring: &Ring, entry: &Entry, local_only: bool, out: &mut Vec<u8>) -> Gathered {
        let sequence = self.next;
        match entry.kind {
            Kind::Reset(id) => {
                let mark = self.looked_up(ring, id);
                if sequence < mark.current_from() {
                    return Gathered::default();
                }
                *mark = Mark::began_again(sequence);
                out.extend_from_slice(&entry.frame);
                Gathered {
                    messages: 0,
                    gaps: 1,
                }
            }
            Kind::Message { local: false, .. } if local_only => Gathered::default(),
            Kind::Repeat(at) if local_only => self.positioned(ring, entry, at, out),
            Kind::Repeat(_) => Gathered::default(),
            Kind::Message { at: None, .. } if sequence < self.live => Gathered::default(),
            Kind::Message { at: None, .. } => {
                out.extend_from_slice(&entry.frame);
                Gathered {
                    messages: 1,
                    gaps: 0,
                }
            }
            Kind::Message { at: Some(at), .. } => self.positioned(ring, entry, at, out),
        }
    }

    fn positioned(
        &mut self,
        ring: &Ring,
        entry: &Entry,
        (id, offset): (PartitionId, i64),
        out: &mut Vec<u8>,
    ) -> Gathered {
        let sequence = self.next;
        let mark = self.looked_up(ring, id);
        let mut gaps = 0;
        if mark.owes_reset {
            let reset = ring.partitions().get(id).and_then(Partition::reset);
            out.extend_from_slice(reset.map_or(&[], |reset| &reset.frame));
            *mark = Mark::began_again(0);
            gaps += 1;
        }
        if !mark.wants(sequence, offset) {
            return Gathered { messages: 0, gaps };
        }
        if let Some((missing, reason)) = mark.pass(offset) {
            append_gap(ring, id, missing, reason, out);
            gaps += 1;
        }
        out.extend_from_slice(&entry.frame);
        Gathered { messages: 1, gaps }
    }

    /// Returns the mark of a partition, with the client's `after` in it.
    fn looked_up(&mut self, ring: &Ring, id: PartitionId) -> &mut Mark {
        let index = id as usize;
        let local_only = self.view.is_local_only();
        if self.marks.len() <= index {
            self.marks.resize(index + 1, Mark::NEW);
        }
        let mark = &mut self.marks[index];
        if !mark.is_known() {
            match ring.partitions().get(id).filter(|_| !self.after.is_empty()) {
                Some(partition) => {
                    let after = self.after.get(&partition.topic, partition.partition);
                    mark.resume(partition, local_only, after, self.next);
                }
                None => mark.look_up(),
            }
        }
        mark
    }
}

impl Gathered {
    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.gaps += other.gaps;
    }
}

fn append_gap(
    ring: &Ring,
    id: PartitionId,
    missing: Range<i64>,
    reason: GapReason,
    out: &mut Vec<u8>,
) {
    let Some(partition) = ring.partitions().get(id) else {
        return;
    };
    let gap = Gap {
        topic: partition.topic.clone(),
        partition: partition.partition,
        from: missing.start,
        to: Some(missing.end - 1),
        reason,
    };
    let mut text = Vec::new();
    write_gap(&mut text, &gap);
    append_frame(out, true, &text);
}
