use super::*;
use crate::testing::{Act, eventually};
use proptest::prelude::*;

#[test]
fn unsettled_messages_come_again_in_order_before_newer_ones() {
    let line = line();
    let mut failed = false;
    line.sink.act(move |payload| match payload {
        "3" if !std::mem::replace(&mut failed, true) => Act::Fail("once"),
        _ => Act::Done,
    });
    let batches: Vec<_> = [0..2, 2..5, 5..6]
        .map(|range| line.source.send(&numbers(range)))
        .into();
    eventually("done", || batches.iter().all(|batch| batch.is_done()));
    let seen = line.sink.seen();
    let after = seen.iter().position(|payload| payload == "!").unwrap() + 1;
    assert_eq!(seen[..after - 1], numbers(0..4));
    assert_eq!(seen[after..], numbers(3..6));
    line.end();
}

#[test]
fn only_the_poisonous_message_is_rejected() {
    let line = line();
    line.sink.act(|payload| {
        if payload == "2" {
            Act::Fail("poison")
        } else {
            Act::Done
        }
    });
    let batches: Vec<_> = [0..4, 4..8]
        .map(|range| line.source.send(&numbers(range)))
        .into();
    eventually("done", || {
        batches
            .iter()
            .all(|batch| batch.is_done() && batch.is_freed())
    });
    let status = line.flow.status();
    assert_eq!(
        (status.stages[1].rejected, status.stages[1].restarts),
        (1, 5)
    );
    assert!(
        line.told
            .logged("failed 3 times while this message was all that it had, the last time: poison"),
        "{:?}",
        line.told.logs.lock()
    );
    let runs: Vec<Vec<String>> = line
        .sink
        .seen()
        .split(|payload| payload == "!")
        .map(<[String]>::to_vec)
        .collect();
    assert_eq!(runs[0], numbers(0..3));
    assert!(runs[1..5].iter().all(|run| run == &["2"]), "{runs:?}");
    assert_eq!(runs[5], numbers(3..8));
    line.end();
}

#[test]
fn sink_that_fails_now_and_then_costs_no_message() {
    let line = line();
    let mut count = 0;
    line.sink.act(move |_| {
        count += 1;
        if count % 3 == 0 && count < 13 {
            Act::Fail("by chance")
        } else {
            Act::Done
        }
    });
    let batches: Vec<_> = [0..9, 9..20]
        .map(|range| line.source.send(&numbers(range)))
        .into();
    eventually("done", || batches.iter().all(|batch| batch.is_done()));
    let status = line.flow.status();
    assert_eq!(
        (status.stages[1].rejected, status.stages[1].restarts),
        (0, 4)
    );
    line.end();
}

#[test]
fn batch_released_unsettled_fails_the_stage_and_is_given_again() {
    let line = line();
    let mut forgotten = false;
    line.sink.act(move |_| {
        if std::mem::replace(&mut forgotten, true) {
            Act::Done
        } else {
            Act::Forget
        }
    });
    let batch = line.source.send(&["a"]);
    eventually("done", || batch.is_done());
    assert!(
        line.told
            .logged("released messages that it had not settled")
    );
    assert_eq!(line.flow.status().stages[1].restarts, 1);
    line.end();
}

#[test]
fn source_that_fails_is_opened_again_and_what_it_sent_is_settled() {
    let line = line();
    line.sink.act(|_| Act::Keep);
    let batch = line.source.send(&["a"]);
    line.source.event(pipeline_abi::PL_EVENT_FAILED, -1, "gone");
    eventually("opened again", || {
        line.source
            .calls()
            .iter()
            .filter(|call| *call == "open")
            .count()
            == 2
    });
    eventually("running", || line.flow.is_open());
    let second = line.source.send(&["b"]);
    line.end();
    assert!(batch.is_done() && second.is_done());
}

#[test]
fn failure_while_draining_is_overcome() {
    let line = line();
    let mut failed = false;
    line.sink.act(move |_| {
        if std::mem::replace(&mut failed, true) {
            Act::Done
        } else {
            Act::Fail("once")
        }
    });
    let batch = line.source.send(&numbers(0..3));
    assert!(line.flow.drain(Duration::from_secs(10)).clean);
    assert!(batch.is_done());
    line.flow.close(Duration::from_secs(5)).unwrap();
}

#[test]
fn sink_that_is_drained_without_having_settled_loses_nothing() {
    let line = line();
    let sink = line.sink.clone();
    sink.act(|_| Act::Keep);
    *sink.forgets_when_drained.lock() = true;
    let batch = line.source.send(&numbers(0..3));
    eventually("in hand", || sink.seen().len() == 3);
    let drained = line.flow.drain(Duration::from_millis(700));
    assert!(!drained.clean && drained.left[0].messages == 3);
    assert!(
        line.told
            .logged("said that it was drained, but did not settle")
    );
    assert_eq!(
        (line.flow.status().stages[1].rejected, batch.done()),
        (0, vec![0; 3])
    );
    line.flow.close(Duration::from_secs(5)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_or_reordered_whatever_crashes(
        sizes in prop::collection::vec(1_u32..6, 1..8),
        crashes in prop::collection::btree_set(0_usize..40, 0..3),
        rejects in prop::collection::btree_set(0_u32..40, 0..3),
        window in 1_u32..12,
    ) {
        let line = line_with(|spec| spec.stages[1].buffer.messages = window);
        let mut count = 0;
        line.sink.act(move |payload| {
            count += 1;
            if crashes.contains(&count) {
                Act::Fail("crash")
            } else if rejects.contains(&payload.parse().unwrap()) {
                Act::Reject("no")
            } else {
                Act::Done
            }
        });
        let mut next = 0;
        let mut batches = Vec::new();
        for size in sizes {
            batches.push(line.source.send(&numbers(next..next + size)));
            next += size;
        }
        eventually("done", || batches.iter().all(|batch| batch.is_done() && batch.is_freed()));
        // In each run order holds, and a run begins with the first message that was not settled before.
        let seen = line.sink.seen();
        let mut settled = 0;
        for run in seen.split(|payload| payload == "!") {
            let run: Vec<u32> = run.iter().map(|payload| payload.parse().unwrap()).collect();
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                prop_assert!(run.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{:?}", seen);
                prop_assert!(*first <= settled, "{:?}", seen);
                settled = settled.max(last + 1);
            }
        }
        line.end();
    }
}
