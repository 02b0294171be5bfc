use super::*;
use crate::flow::OnReject;
use crate::testing::{Act, eventually};
use pipeline_abi::{PL_AGAIN, PL_ERR, PL_ERR_PANIC};
use proptest::prelude::*;

struct Filtered {
    source: Arc<Bench>,
    filter: Arc<Bench>,
    sink: Arc<Bench>,
    flow: FlowHandle,
    _host: Arc<Host>,
    told: Arc<Told>,
}

fn filtered() -> Filtered {
    let (source, filter, sink) = (
        Bench::new("source"),
        Bench::new("filter"),
        Bench::new("sink"),
    );
    let spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("change", "filter", &filter, &["in"]),
        stage("out", "sink", &sink, &["change"]),
    ]);
    let (host, told) = host();
    let flow = host.start(spec).unwrap();
    Filtered {
        source,
        filter,
        sink,
        flow,
        _host: host,
        told,
    }
}

fn one_to_one(messages: &[String]) -> Vec<(u32, String)> {
    messages
        .iter()
        .enumerate()
        .map(|(index, message)| (index as u32, format!("{message}!")))
        .collect()
}

#[test]
fn settles_of_the_output_reach_the_input() {
    let this = filtered();
    this.filter
        .process(|messages| Ok((one_to_one(messages), vec![])));
    this.sink.act(|payload| {
        if payload == "b!" {
            Act::Keep
        } else {
            Act::Done
        }
    });
    let batch = this.source.send(&["a", "b", "c"]);
    eventually("all but the kept one", || batch.done() == [1, 0, 1]);
    end(&this.flow);
    assert!(batch.is_done() && batch.is_freed());
}

#[test]
fn dropped_messages_are_done() {
    let this = filtered();
    this.filter.process(|_| Ok((vec![], vec![])));
    let batch = this.source.send(&["a", "b"]);
    assert!(batch.is_done() && batch.is_freed());
    this.filter
        .process(|_| Ok((vec![(1, "x".into()), (3, "y".into())], vec![])));
    let batch = this.source.send(&["a", "b", "c", "d", "e"]);
    eventually("done", || batch.is_done() && batch.is_freed());
    end(&this.flow);
}

#[test]
fn rejects_of_a_filter_are_done_and_counted() {
    let this = filtered();
    this.filter.process(|_| {
        Ok((
            vec![(0, "x".into()), (0, "y".into())],
            vec![(1, "unreadable")],
        ))
    });
    let batch = this.source.send(&["a", "b", "c"]);
    eventually("done", || batch.is_done() && batch.is_freed());
    assert_eq!(this.flow.status().stages[1].rejected, 1);
    assert!(this.told.logged("because unreadable"));
    end(&this.flow);
}

#[test]
fn filter_that_fails_is_opened_again_and_gets_the_batch_again() {
    let this = filtered();
    let mut failed = false;
    this.filter.process(move |messages| {
        if std::mem::replace(&mut failed, true) {
            Ok((one_to_one(messages), vec![]))
        } else {
            Err(PL_ERR_PANIC)
        }
    });
    let first = this.source.send(&["a", "b"]);
    let second = this.source.send(&["c"]);
    eventually("done", || first.is_done() && second.is_done());
    assert_eq!(this.sink.seen(), ["a!", "b!", "c!"]);
    assert_eq!(this.flow.status().stages[1].restarts, 1);
    end(&this.flow);
}

#[test]
fn only_the_message_that_fails_the_filter_alone_is_rejected() {
    let this = filtered();
    this.filter.process(|messages| {
        if messages.iter().any(|message| message == "b") {
            Err(PL_ERR)
        } else {
            Ok((one_to_one(messages), vec![]))
        }
    });
    let first = this.source.send(&["a", "b", "c"]);
    let second = this.source.send(&["d"]);
    eventually("done", || first.is_done() && second.is_done());
    assert_eq!(this.sink.seen(), ["a!", "c!", "d!"]);
    let filter = &this.flow.status().stages[1];
    assert_eq!((filter.rejected, filter.restarts), (1, 5));
    end(&this.flow);
}

#[test]
fn filter_that_fails_now_and_then_costs_no_message() {
    let this = filtered();
    let mut count = 0;
    this.filter.process(move |messages| {
        count += 1;
        if [1, 2, 3, 5].contains(&count) {
            Err(PL_ERR)
        } else {
            Ok((one_to_one(messages), vec![]))
        }
    });
    let first = this.source.send(&["a", "b", "c"]);
    let second = this.source.send(&["d"]);
    eventually("done", || first.is_done() && second.is_done());
    assert_eq!(this.sink.seen(), ["a!", "b!", "c!", "d!"]);
    let filter = &this.flow.status().stages[1];
    assert_eq!((filter.rejected, filter.restarts), (0, 4));
    end(&this.flow);
}

#[test]
fn invalid_answers_of_a_filter_are_failures_with_a_reason() {
    let cases: [(Vec<(u32, String)>, &str); 2] = [
        (
            vec![(1, "x".into()), (0, "y".into())],
            "came from input message 0, expected a number from 1 to 1",
        ),
        (vec![(7, "x".into())], "came from input message 7"),
    ];
    for (outputs, expected) in cases {
        let this = filtered();
        let mut outputs = Some(outputs);
        this.filter.process(move |messages| match outputs.take() {
            Some(outputs) => Ok((outputs, vec![])),
            None => Ok((one_to_one(messages), vec![])),
        });
        let batch = this.source.send(&["a", "b"]);
        eventually("done", || batch.is_done() && batch.is_freed());
        assert!(this.told.logged(expected), "{:?}", this.told.logs.lock());
        end(&this.flow);
    }
}

#[test]
fn output_that_does_not_fit_is_asked_for_in_halves() {
    let this = filtered();
    this.filter.process(|messages| {
        let too_large = messages.len() > 2 || messages[0] == "huge";
        if too_large {
            Err(PL_AGAIN)
        } else {
            Ok((one_to_one(messages), vec![]))
        }
    });
    let batch = this.source.send(&["a", "b", "huge", "c", "d"]);
    eventually("done", || batch.is_done() && batch.is_freed());
    assert_eq!(this.sink.seen(), ["a!", "b!", "c!", "d!"]);
    assert_eq!(this.flow.status().stages[1].rejected, 1);
    end(&this.flow);
}

#[test]
fn chain_of_filters_with_fan_out_between_them() {
    let names = ["source", "first", "second", "left", "right", "dead"];
    let [source, first, second, left, right, dead] = names.map(Bench::new);
    let mut spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("first", "filter", &first, &["in"]),
        stage("second", "filter", &second, &["first"]),
        stage("left", "sink", &left, &["first"]),
        stage("right", "sink", &right, &["second"]),
        stage("dead", "sink", &dead, &[]),
    ]);
    spec.stages[2].on_reject = OnReject::To("dead".into());
    let (host, _told) = host();
    let flow = host.start(spec).unwrap();
    first.process(|messages| Ok((one_to_one(messages), vec![])));
    second.process(|messages| Ok((vec![(0, format!("{}!", messages[0]))], vec![(1, "bad")])));
    let batch = source.send(&["a", "b", "c"]);
    eventually("done", || batch.is_done() && batch.is_freed());
    assert_eq!(left.seen(), ["a!", "b!", "c!"]);
    assert_eq!(right.seen(), ["a!!"]);
    assert_eq!(dead.seen(), ["b!"]);
    end(&flow);
}

#[test]
fn filter_behind_a_passing_sink_sees_what_that_delivered() {
    let [source, first, filter, last] = ["source", "first", "filter", "last"].map(Bench::new);
    let spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("first", "sink", &first, &["in"]),
        stage("change", "filter", &filter, &["first"]),
        stage("last", "sink", &last, &["change"]),
    ]);
    let (host, _told) = host();
    let flow = host.start(spec).unwrap();
    let mut failed = false;
    filter.process(move |messages| {
        if std::mem::replace(&mut failed, true) {
            Ok((one_to_one(messages), vec![]))
        } else {
            Err(PL_ERR)
        }
    });
    let batch = source.send(&["a", "b", "c"]);
    eventually("done", || batch.is_done() && batch.is_freed());
    assert_eq!(last.seen(), ["a!", "b!", "c!"]);
    end(&flow);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn every_input_is_done_once_whatever_the_filter_makes_of_it(
        copies in prop::collection::vec(0_usize..4, 1..20),
        rejects in prop::collection::btree_set(0_u32..20, 0..5),
    ) {
        let this = filtered();
        let len = copies.len() as u32;
        this.filter.process(move |messages| {
            let copy = |(index, message): (usize, &String)| vec![(index as u32, message.clone()); copies[index]];
            let rejects = rejects.iter().filter(|index| **index < len).map(|index| (*index, "no")).collect();
            Ok((messages.iter().enumerate().flat_map(copy).collect(), rejects))
        });
        let batch = this.source.send(&numbers(0..len));
        eventually("done", || batch.is_done() && batch.is_freed());
        end(&this.flow);
    }
}
