//! Properties of ring and cursors: whatever comes in whatever order, nobody misses a message without being told, nobody
//! gets one twice, and the ring keeps its bounds.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use stage_envelope::After;

use super::frames::{Seen, message, put, rest, write};
use crate::cursor::{Cursor, Start, View};
use crate::ring::{Lag, Limits, Ring};

const PARTITIONS: i32 = 3;
const ALL: View = View::V1 { local_only: false };

#[derive(Clone, Debug)]
enum Step {
    /// The next message of a partition comes.
    Next(i32),
    /// A message comes again, so many before the newest.
    Again(i32, i64),
    /// The client takes one write of so many bytes.
    Write(usize),
    /// The client is cut off and resumes.
    Resume,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..PARTITIONS).prop_map(Step::Next),
        3 => (0..PARTITIONS, 0..20_i64).prop_map(|(partition, back)| Step::Again(partition, back)),
        4 => (1..2000_usize).prop_map(Step::Write),
        1 => Just(Step::Resume),
    ];
    prop::collection::vec(step, 0..200)
}

/// A client that keeps positions, as a client of `pipeline.v1` does.
#[derive(Default)]
struct Client {
    after: After,
    /// The first offset of each partition that came after the client did.
    owed: [i64; PARTITIONS as usize],
    missed: BTreeSet<(i32, i64)>,
    got: HashMap<(i32, i64), u32>,
}

impl Client {
    /// Takes what came; panics at a hole that was not told.
    fn take(&mut self, seen: Vec<Seen>) {
        for seen in seen {
            match seen {
                Seen::Message(partition, offset, payload) => {
                    assert_eq!(payload, offset.to_string());
                    *self.got.entry((partition, offset)).or_default() += 1;
                    let last = self.after.get("t", partition);
                    if last.is_none_or(|last| last < offset) {
                        let owed = self.owed[partition as usize];
                        for missing in last.map_or(offset, |last| last + 1).max(owed)..offset {
                            let told = self.missed.contains(&(partition, missing));
                            assert!(told, "hole at {partition}:{missing}");
                        }
                        self.after.set("t", partition, offset);
                    }
                }
                Seen::Gap(partition, from, to, _) => {
                    let told_wrongly =
                        (from..=to).find(|offset| self.got.contains_key(&(partition, *offset)));
                    assert_eq!((told_wrongly, from <= to), (None, true));
                    self.missed
                        .extend((from..=to).map(|offset| (partition, offset)));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// What was put into the ring.
struct Model {
    ring: Ring,
    next: [i64; PARTITIONS as usize],
    capacity: usize,
    order: Vec<(i32, i64)>,
}

impl Model {
    fn put(&mut self, partition: i32, offset: i64) {
        let in_ring = self
            .order
            .iter()
            .rev()
            .take(self.capacity)
            .any(|at| *at == (partition, offset));
        let text = offset.to_string();
        let taken = put(
            &mut self.ring,
            &message(partition, offset, offset, &text),
            true,
        );
        assert_eq!(
            (taken.duplicates, taken.accepted),
            if in_ring { (1, 0) } else { (0, 1) }
        );
        if !in_ring {
            self.order.push((partition, offset));
        }
        assert_eq!(self.ring.fill().0, self.order.len().min(self.capacity));
    }
}

proptest! {
    #[test]
    fn a_client_misses_nothing_without_being_told(steps in steps(), capacity in 1..60_usize) {
        let limits = Limits { messages: capacity, bytes: 1 << 40 };
        let mut model = Model { ring: Ring::new(limits), next: [0; 3], capacity, order: Vec::new() };
        let mut client = Client::default();
        let mut cursor = Cursor::new(&model.ring, ALL, Start::Now);
        for step in steps {
            match step {
                Step::Next(partition) => {
                    let offset = model.next[partition as usize];
                    model.next[partition as usize] += 1;
                    model.put(partition, offset);
                }
                Step::Again(partition, back) => {
                    let offset = model.next[partition as usize] - 1 - back;
                    if offset >= 0 {
                        model.put(partition, offset);
                    }
                }
                Step::Write(limit) => client.take(write(&mut cursor, &model.ring, limit)),
                Step::Resume => {
                    let start = if client.after.is_empty() {
                        client.owed = model.next;
                        Start::Now
                    } else {
                        Start::After(client.after.clone())
                    };
                    cursor = Cursor::new(&model.ring, ALL, start);
                }
            }
        }
        client.take(rest(&mut cursor, &model.ring));
    }

    #[test]
    fn a_client_that_keeps_up_gets_each_message_once_and_in_order(
        offsets in prop::collection::vec((0..PARTITIONS, 0..40_i64), 0..200),
        limit in 1..3000_usize,
    ) {
        let mut ring = Ring::new(Limits { messages: 1000, bytes: 1 << 40 });
        let mut cursor = Cursor::new(&ring, ALL, Start::Now);
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        for (partition, offset) in offsets {
            let text = offset.to_string();
            if put(&mut ring, &message(partition, offset, offset, &text), true).accepted == 1 {
                expected.push(Seen::Message(partition, offset, text));
            }
            seen.extend(write(&mut cursor, &ring, limit));
        }
        seen.extend(rest(&mut cursor, &ring));
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn the_ring_keeps_its_bytes_and_knows_distances(
        sizes in prop::collection::vec(0..3000_usize, 1..60),
        bytes in 1..20_000_u64,
    ) {
        let mut ring = Ring::new(Limits { messages: 40, bytes });
        for (offset, size) in (0..).zip(&sizes) {
            let payload = format!("\"{}\"", "x".repeat(*size));
            put(&mut ring, &message(0, offset, offset, &payload), true);
            let (messages, held) = ring.fill();
            prop_assert!(messages <= 40 && (held <= bytes || messages == 1));
            prop_assert_eq!(ring.lag(0), Lag { messages: ring.head(), bytes: held });
            prop_assert_eq!(ring.lag(ring.first()).messages as usize, messages);
            prop_assert_eq!(ring.lag(ring.head()), Lag::default());
        }
    }
}
