use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::iter;

type Table = InFlight<&'static str>;

fn deliver(
    table: &mut Table,
    slot: usize,
    indices: impl IntoIterator<Item = usize>,
) -> Vec<Delivered<&'static str>> {
    indices
        .into_iter()
        .filter_map(|index| table.delivered(Table::token(slot, index)))
        .collect()
}

#[test]
fn a_batch_that_is_delivered_in_any_order_is_settled_by_one_range() {
    for (len, step) in [(1, 1), (64, 7), (200, 3), (4096, 5)] {
        let mut table = Table::default();
        let slot = table.insert("a", len);
        let settled = deliver(&mut table, slot, (0..len).map(|index| index * step % len));
        assert_eq!(
            settled,
            [Delivered {
                batch: "a",
                runs: iter::once(0..len as u32).collect()
            }]
        );
        assert!(table.is_empty() && table.take_reported().is_empty());
    }
}

#[test]
fn what_is_reported_so_far_is_settled_as_runs_and_once() {
    let mut table = Table::default();
    let slot = table.insert("a", 200);
    assert!(deliver(&mut table, slot, (0..10).chain(60..130).chain([150])).is_empty());
    assert_eq!(
        table.take_reported(),
        [Delivered {
            batch: "a",
            runs: vec![0..10, 60..130, 150..151]
        }]
    );
    assert!(table.take_reported().is_empty());
    let rest = deliver(&mut table, slot, (10..60).chain(130..150).chain(151..200));
    assert_eq!(
        rest,
        [Delivered {
            batch: "a",
            runs: vec![10..60, 130..150, 151..200]
        }]
    );
}

#[test]
fn a_rejected_message_is_left_out_of_the_runs() {
    let mut table = Table::default();
    let slot = table.insert("a", 3);
    deliver(&mut table, slot, [0, 2]);
    let (batch, complete) = table.rejected(Table::token(slot, 1)).unwrap();
    assert_eq!(
        (batch, complete),
        (
            "a",
            Some(Delivered {
                batch: "a",
                runs: vec![0..1, 2..3]
            })
        )
    );
    assert!(table.is_empty());
}

#[test]
fn order_is_that_of_arrival_although_slots_are_used_again() {
    let mut table = Table::default();
    let first = table.insert("a", 1);
    let second = table.insert("b", 2);
    deliver(&mut table, first, [0]);
    let third = table.insert("c", 1);
    assert_eq!(third, first);
    let mut tokens = [
        Table::token(third, 0),
        Table::token(second, 1),
        Table::token(second, 0),
    ];
    tokens.sort_by_key(|token| table.order(*token));
    assert_eq!(
        tokens,
        [
            Table::token(second, 0),
            Table::token(second, 1),
            Table::token(third, 0)
        ]
    );
    assert_eq!(table.batch(tokens[2]), Some(&"c"));
}

#[test]
fn a_slot_that_completed_with_reports_pending_does_not_tell_of_the_next_batch() {
    let mut table = Table::default();
    let slot = table.insert("a", 2);
    deliver(&mut table, slot, [0, 1]);
    let again = table.insert("b", 2);
    assert_eq!(again, slot);
    assert!(table.take_reported().is_empty());
    deliver(&mut table, again, [0]);
    assert_eq!(
        table.take_reported(),
        [Delivered {
            batch: "b",
            runs: iter::once(0..1).collect()
        }]
    );
}

#[derive(Clone, Debug)]
enum Step {
    Insert(usize),
    Deliver(prop::sample::Index),
    Reject(prop::sample::Index),
    Take,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => (1..150usize).prop_map(Step::Insert),
        40 => any::<prop::sample::Index>().prop_map(Step::Deliver),
        2 => any::<prop::sample::Index>().prop_map(Step::Reject),
        1 => Just(Step::Take),
    ];
    prop::collection::vec(step, 1..600)
}

proptest! {
    #[test]
    fn every_message_is_settled_once_in_whatever_order_reports_come(steps in steps()) {
        let mut table: InFlight<u32> = InFlight::default();
        let (mut open, mut settled, mut batches) = (Vec::new(), BTreeSet::new(), 0);
        let mut settle = |delivered: &Delivered<u32>| {
            let all = delivered.runs.iter().flat_map(|run| run.clone());
            all.for_each(|index| assert!(settled.insert((delivered.batch, index)), "settled twice"));
        };
        let mut delivered = 0;
        for step in steps {
            match step {
                Step::Insert(len) => {
                    let slot = table.insert(batches, len);
                    open.extend((0..len).map(|index| InFlight::<u32>::token(slot, index)));
                    batches += 1;
                }
                Step::Deliver(which) if !open.is_empty() => {
                    let token = open.swap_remove(which.index(open.len()));
                    table.delivered(token).iter().for_each(&mut settle);
                    delivered += 1;
                }
                Step::Reject(which) if !open.is_empty() => {
                    let token = open.swap_remove(which.index(open.len()));
                    let (_, complete) = table.rejected(token).unwrap();
                    complete.iter().for_each(&mut settle);
                }
                Step::Take => table.take_reported().iter().for_each(&mut settle),
                Step::Deliver(_) | Step::Reject(_) => {}
            }
        }
        table.take_reported().iter().for_each(&mut settle);
        prop_assert_eq!(settled.len(), delivered);
        prop_assert_eq!(table.is_empty(), open.is_empty());
    }
}
