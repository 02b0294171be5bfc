//! Clients that are given what came by POST alone, or nothing: other servers.

use stage_envelope::GapReason;

use super::cursor::messages;
use super::frames::{Seen, fill, message, put, rest, ring};
use crate::cursor::{Cursor, Start, View};
use crate::ring::Ring;

const ALL: View = View::V1 { local_only: false };
const LOCAL: View = View::V1 { local_only: true };

#[test]
fn a_local_client_gets_only_what_was_posted() {
    let mut ring = ring(10);
    let mut cursor = Cursor::new(&ring, LOCAL, Start::Now);
    put(&mut ring, &message(0, 0, 0, "0"), true);
    put(&mut ring, &message(0, 1, 1, "1"), false);
    put(&mut ring, &message(0, 2, 2, "2"), true);
    assert_eq!(
        rest(&mut cursor, &ring),
        [messages(0, 0..1), messages(0, 2..3)].concat()
    );
}

#[test]
fn what_another_server_told_first_is_told_to_local_clients_once_when_it_is_posted() {
    let mut ring = ring(10);
    let views = [ALL, LOCAL, View::Plain];
    let [mut all, mut local, mut plain] = views.map(|view| Cursor::new(&ring, view, Start::Now));
    let told = message(0, 5, 5, "5");
    assert_eq!(put(&mut ring, &told, false).accepted, 1);
    for _ in 0..2 {
        let taken = put(&mut ring, &told, true);
        assert_eq!((taken.accepted, taken.duplicates), (0, 1));
    }
    put(&mut ring, &told, false);
    assert_eq!(rest(&mut local, &ring), messages(0, 5..6));
    assert_eq!(rest(&mut all, &ring), messages(0, 5..6));
    let mut out = Vec::new();
    assert_eq!(plain.gather(&ring, &mut out, usize::MAX).messages, 1);
}

/// Puts messages of partition 0 into the ring as another server told them.
fn relay(ring: &mut Ring, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        put(ring, &message(0, offset, offset, "0"), false);
    }
}

#[test]
fn a_local_client_is_told_a_gap_only_of_what_was_posted() {
    let mut ring = ring(4);
    fill(&mut ring, 0, 0..2);
    relay(&mut ring, 2..6);
    fill(&mut ring, 0, 6..7);
    let local = |after: &str| {
        let after = Start::After(after.parse().unwrap());
        Cursor::new(&ring, LOCAL, after)
    };
    assert_eq!(rest(&mut local("t/0:1"), &ring), messages(0, 6..7));
    let gap = Seen::Gap(0, 1, 1, GapReason::Evicted);
    assert_eq!(
        rest(&mut local("t/0:0"), &ring),
        [vec![gap], messages(0, 6..7)].concat()
    );
}

#[test]
fn a_local_client_that_is_moved_on_misses_only_what_was_posted() {
    let mut ring = ring(100);
    let mut cursor = Cursor::new(&ring, LOCAL, Start::Now);
    fill(&mut ring, 0, 0..1);
    assert_eq!(rest(&mut cursor, &ring), messages(0, 0..1));
    relay(&mut ring, 1..4);
    cursor.skip(&ring, &mut Vec::new());
    fill(&mut ring, 0, 4..5);
    assert_eq!(rest(&mut cursor, &ring), messages(0, 4..5));
    fill(&mut ring, 0, 5..7);
    relay(&mut ring, 7..9);
    cursor.skip(&ring, &mut Vec::new());
    fill(&mut ring, 0, 9..10);
    let gap = Seen::Gap(0, 5, 6, GapReason::Skipped);
    assert_eq!(
        rest(&mut cursor, &ring),
        [vec![gap], messages(0, 9..10)].concat()
    );
}

#[test]
fn who_asks_for_the_greeting_alone_gets_nothing_else() {
    let mut ring = ring(2);
    let mut cursor = Cursor::new(&ring, View::Hello, Start::Now);
    fill(&mut ring, 0, 0..5);
    put(&mut ring, &message(0, 4, 777, "4"), true);
    assert_eq!(rest(&mut cursor, &ring), []);
    assert_eq!(cursor.next(), ring.head());
}
