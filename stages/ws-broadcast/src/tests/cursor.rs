//! Where clients begin, what they are given, and what they are told of what they are not.

use stage_envelope::{After, GapReason};

use super::frames::{Seen, decode, fill, loose, message, put, rest, ring};
use crate::cursor::{Cursor, Start, View};
use crate::ring::Ring;

const ALL: View = View::V1 { local_only: false };

fn after(ring: &Ring, after: &str) -> Cursor {
    Cursor::new(ring, ALL, Start::After(after.parse::<After>().unwrap()))
}

pub(super) fn messages(partition: i32, offsets: std::ops::Range<i64>) -> Vec<Seen> {
    offsets
        .map(|offset| Seen::Message(partition, offset, offset.to_string()))
        .collect()
}

#[test]
fn a_client_from_now_on_gets_what_comes() {
    let mut ring = ring(10);
    fill(&mut ring, 0, 0..3);
    let mut cursor = Cursor::new(&ring, ALL, Start::Now);
    assert_eq!(rest(&mut cursor, &ring), []);
    fill(&mut ring, 0, 3..5);
    assert_eq!(rest(&mut cursor, &ring), messages(0, 3..5));
}

#[test]
fn a_client_of_recent_messages_gets_the_last_ones() {
    let mut ring = ring(10);
    fill(&mut ring, 0, 0..5);
    assert_eq!(
        rest(&mut Cursor::new(&ring, ALL, Start::Recent(2)), &ring),
        messages(0, 3..5)
    );
    assert_eq!(
        rest(&mut Cursor::new(&ring, ALL, Start::Recent(99)), &ring),
        messages(0, 0..5)
    );
}

#[test]
fn a_client_that_resumes_gets_what_it_has_not() {
    let mut ring = ring(10);
    fill(&mut ring, 0, 0..4);
    put(&mut ring, &loose("\"unpositioned\""), true);
    fill(&mut ring, 1, 7..9);
    let mut cursor = after(&ring, "t/0:1");
    let expected = [messages(0, 2..4), messages(1, 7..9)].concat();
    assert_eq!(rest(&mut cursor, &ring), expected);
    put(&mut ring, &loose("\"live\""), true);
    assert_eq!(
        rest(&mut cursor, &ring),
        [Seen::Loose("\"live\"".to_owned())]
    );
}

#[test]
fn a_gap_is_told_at_the_first_message_beyond_it_and_once() {
    let mut ring = ring(3);
    fill(&mut ring, 0, 0..10);
    let mut cursor = after(&ring, "t/0:4,t/1:0");
    let gap = Seen::Gap(0, 5, 6, GapReason::Evicted);
    assert_eq!(
        rest(&mut cursor, &ring),
        [vec![gap], messages(0, 7..10)].concat()
    );
    fill(&mut ring, 0, 12..13);
    assert_eq!(rest(&mut cursor, &ring), messages(0, 12..13));
    fill(&mut ring, 1, 1..2);
    assert_eq!(rest(&mut cursor, &ring), messages(1, 1..2));
}

#[test]
fn what_a_client_has_is_not_sent_when_it_comes_late() {
    let mut ring = ring(10);
    let mut cursor = after(&ring, "t/0:4");
    fill(&mut ring, 0, 5..6);
    fill(&mut ring, 0, 3..5);
    assert_eq!(rest(&mut cursor, &ring), messages(0, 5..6));
}

#[test]
fn a_lower_offset_that_is_not_in_the_ring_is_broadcast() {
    let mut ring = ring(10);
    let mut cursor = Cursor::new(&ring, ALL, Start::Now);
    fill(&mut ring, 0, 5..6);
    let taken = put(&mut ring, &message(0, 4, 4, "4"), true);
    assert_eq!((taken.accepted, taken.out_of_order), (1, 1));
    assert_eq!(
        rest(&mut cursor, &ring),
        [messages(0, 5..6), messages(0, 4..5)].concat()
    );
}

#[test]
fn another_message_at_a_known_offset_is_a_new_epoch() {
    let mut ring = ring(10);
    fill(&mut ring, 0, 0..3);
    fill(&mut ring, 1, 0..1);
    let mut live = Cursor::new(&ring, ALL, Start::Now);
    let taken = put(&mut ring, &message(0, 0, 777, "0"), true);
    assert_eq!((taken.accepted, taken.resets), (1, 1));
    // The index was cleared: what had these offsets before is no duplicate.
    assert_eq!(put(&mut ring, &message(0, 1, 1, "1"), true).accepted, 1);
    assert_eq!(put(&mut ring, &message(1, 0, 0, "0"), true).duplicates, 1);
    assert_eq!(
        rest(&mut live, &ring),
        [vec![Seen::Reset(0)], messages(0, 0..2)].concat()
    );
}

#[test]
fn a_client_of_the_epoch_before_is_told_and_gets_the_new_one_whole() {
    let mut ring = ring(10);
    fill(&mut ring, 0, 0..6);
    put(&mut ring, &message(0, 0, 777, "0"), true);
    fill(&mut ring, 0, 1..3);
    let told = rest(&mut after(&ring, "t/0:4"), &ring);
    assert_eq!(
        told,
        [messages(0, 5..6), vec![Seen::Reset(0)], messages(0, 0..3)].concat()
    );
}

#[test]
fn a_client_of_the_epoch_before_is_told_even_when_the_announcement_has_left_the_ring() {
    let mut ring = ring(2);
    fill(&mut ring, 0, 0..6);
    put(&mut ring, &message(0, 4, 777, "4"), true);
    put(&mut ring, &message(0, 0, 1, "0"), true);
    put(&mut ring, &message(0, 1, 1, "1"), true);
    let told = rest(&mut after(&ring, "t/0:5"), &ring);
    assert_eq!(told, [vec![Seen::Reset(0)], messages(0, 0..2)].concat());
}

#[test]
fn a_client_of_the_new_epoch_hears_nothing_of_the_one_before() {
    let mut ring = ring(10);
    fill(&mut ring, 0, 0..6);
    put(&mut ring, &message(0, 0, 777, "0"), true);
    fill(&mut ring, 0, 1..4);
    assert_eq!(rest(&mut after(&ring, "t/0:1"), &ring), messages(0, 2..4));
}

#[test]
fn plain_clients_get_payloads_and_nothing_else() {
    let mut ring = ring(10);
    let mut cursor = Cursor::new(&ring, View::Plain, Start::Now);
    fill(&mut ring, 0, 0..1);
    let mut replayed = message(0, 1, 1, "1");
    replayed.replay = true;
    put(&mut ring, &replayed, true);
    put(&mut ring, &message(0, 0, 777, "{\"new\": \"epoch\"}"), true);
    put(&mut ring, &loose("not json"), true);
    let mut out = Vec::new();
    cursor.gather(&ring, &mut out, usize::MAX);
    assert_eq!(decode(&out), ["0", "{\"new\": \"epoch\"}", "not json"]);
}

#[test]
fn replayed_messages_go_to_clients_that_know_positions() {
    let mut ring = ring(10);
    let mut cursor = Cursor::new(&ring, ALL, Start::Now);
    let mut replayed = message(0, 1, 1, "1");
    replayed.replay = true;
    put(&mut ring, &replayed, true);
    assert_eq!(rest(&mut cursor, &ring), messages(0, 1..2));
}

#[test]
fn a_client_that_is_moved_on_is_told_what_it_misses() {
    let mut ring = ring(100);
    let mut cursor = Cursor::new(&ring, ALL, Start::Now);
    fill(&mut ring, 0, 0..3);
    fill(&mut ring, 1, 0..1);
    let mut out = Vec::new();
    cursor.gather(&ring, &mut out, usize::MAX);
    fill(&mut ring, 0, 3..8);
    assert_eq!(cursor.skip(&ring, &mut out), 5);
    fill(&mut ring, 0, 8..9);
    fill(&mut ring, 1, 1..2);
    let gap = Seen::Gap(0, 3, 7, GapReason::Skipped);
    assert_eq!(
        rest(&mut cursor, &ring),
        [vec![gap], messages(0, 8..9), messages(1, 1..2)].concat()
    );
}

#[test]
fn a_client_that_is_moved_over_a_new_epoch_is_told() {
    let mut ring = ring(100);
    let mut cursor = Cursor::new(&ring, ALL, Start::Now);
    fill(&mut ring, 0, 0..3);
    rest(&mut cursor, &ring);
    put(&mut ring, &message(0, 0, 777, "0"), true);
    let mut out = Vec::new();
    cursor.skip(&ring, &mut out);
    assert_eq!(decode(&out).len(), 1);
    fill(&mut ring, 0, 1..2);
    assert_eq!(rest(&mut cursor, &ring), messages(0, 1..2));
}

#[test]
fn a_write_ends_at_a_frame() {
    let mut ring = ring(100);
    let mut cursor = Cursor::new(&ring, ALL, Start::Now);
    fill(&mut ring, 0, 0..10);
    let mut out = Vec::new();
    let first = cursor.gather(&ring, &mut out, 1);
    assert_eq!((first.messages, decode(&out).len()), (1, 1));
    assert_eq!(rest(&mut cursor, &ring), messages(0, 1..10));
}
