use super::*;
use proptest::prelude::*;
use std::time::Duration;

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
    tracker.set_committed(7, Instant::now());
    assert_eq!(tracker.committable(), None);
}

#[test]
fn a_commit_that_came_late_does_not_go_back() {
    let mut tracker = Tracker::new(0, Some(0));
    let token = sent(&mut tracker, &[0, 1]);
    tracker.done(token, 0..2);
    tracker.set_committed(2, Instant::now());
    tracker.set_committed(1, Instant::now());
    assert_eq!(
        (tracker.committed(), tracker.committable()),
        (Some(2), None)
    );
}

#[test]
fn an_offset_of_an_earlier_assignment_is_not_taken_for_a_commit() {
    let mut tracker = Tracker::new(0, None);
    tracker.set_committed(5000, Instant::now());
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
    tracker.set_requested(1, Instant::now());
    assert_eq!(tracker.committable(), None);
    assert_eq!(tracker.uncommitted(), Some(1));
    tracker.done(token, 1..2);
    assert_eq!(tracker.committable(), Some(2));
    tracker.set_requested(2, Instant::now());
    assert_eq!(tracker.committable(), None);
    tracker.ask_again();
    assert_eq!(tracker.committable(), Some(2));
}

#[test]
fn a_group_that_confirms_late_but_steadily_is_not_silent() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let mut tracker = Tracker::new(0, Some(0));
    let token = sent(&mut tracker, &[0, 1, 2]);
    tracker.done(token, 0..3);
    tracker.set_requested(1, start);
    tracker.set_requested(2, start + second);
    assert_eq!(tracker.unconfirmed(), Some(start));
    tracker.set_committed(1, start + 2 * second);
    assert_eq!(tracker.unconfirmed(), Some(start + 2 * second));
    tracker.set_committed(1, start + 3 * second);
    assert_eq!(tracker.unconfirmed(), Some(start + 2 * second));
    tracker.set_committed(2, start + 4 * second);
    assert_eq!(tracker.unconfirmed(), None);
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

/// A settle: of which batch, from which message on, how many.
type Settle = (prop::sample::Index, prop::sample::Index, u32);
/// Start, committed offset, batches of offsets, settles.
type History = (i64, Option<i64>, Vec<Vec<i64>>, Vec<Settle>);

/// A partition (ascending offsets with holes), how it is cut into batches, and settles of single messages or runs.
fn history() -> impl Strategy<Value = History> {
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
