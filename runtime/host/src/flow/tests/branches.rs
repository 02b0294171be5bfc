use super::*;
use crate::flow::OnReject;
use crate::testing::{Act, eventually, made};
use pipeline_abi::{PL_AGAIN, PL_OK};

/// A source with two sinks of these names beside each other.
fn fork(names: [&str; 2]) -> ([Arc<Bench>; 3], FlowSpec) {
    let [left, right] = names;
    let benches = ["source", left, right].map(Bench::new);
    let [source, first, second] = &benches;
    let spec = flow(vec![
        stage("in", "source", source, &[]),
        stage(left, "sink", first, &["in"]),
        stage(right, "sink", second, &["in"]),
    ]);
    (benches, spec)
}

/// Two sources into one sink.
fn join() -> ([Arc<Bench>; 3], FlowSpec) {
    let benches = ["one", "two", "sink"].map(Bench::new);
    let [one, two, sink] = &benches;
    let spec = flow(vec![
        stage("one", "source", one, &[]),
        stage("two", "source", two, &[]),
        stage("out", "sink", sink, &["one", "two"]),
    ]);
    (benches, spec)
}

/// A source and two sinks one behind the other.
fn chain() -> ([Arc<Bench>; 3], FlowSpec) {
    let benches = ["source", "first", "second"].map(Bench::new);
    let [source, first, second] = &benches;
    let spec = flow(vec![
        stage("in", "source", source, &[]),
        stage("first", "sink", first, &["in"]),
        stage("second", "sink", second, &["first"]),
    ]);
    (benches, spec)
}

#[test]
fn fan_out_is_done_when_every_consumer_is() {
    let ([source, left, right], spec) = fork(["left", "right"]);
    let (host, _told) = host();
    let flow = host.start(spec).unwrap();
    right.act(|payload| if payload == "b" { Act::Keep } else { Act::Done });
    let batch = source.send(&["a", "b", "c"]);
    eventually("all but one done", || batch.done() == [1, 0, 1]);
    end(&flow);
    assert!(batch.is_done() && batch.is_freed());
    assert_eq!((left.seen().len(), right.seen().len()), (3, 3));
}

#[test]
fn batch_goes_to_every_consumer_or_to_none() {
    let ([source, left, right], mut spec) = fork(["left", "right"]);
    let (host, _told) = host();
    spec.stages[2].buffer.messages = 1;
    right.act(|_| Act::Keep);
    let flow = host.start(spec).unwrap();
    source.send(&["a"]);
    let (batch, _made) = made(&["b"]);
    assert_eq!(source.try_send(batch), PL_AGAIN);
    eventually("the left one has the first", || left.seen() == ["a"]);
    end(&flow);
    assert_eq!(left.seen(), ["a"]);
}

#[test]
fn fan_in_takes_from_every_input() {
    let ([one, two, _sink], spec) = join();
    let (host, _told) = host();
    let flow = host.start(spec).unwrap();
    let batches = [one.send(&["a"]), two.send(&["b"])];
    eventually("done", || batches.iter().all(|batch| batch.is_done()));
    end(&flow);
}

#[test]
fn suspects_come_alone_over_all_inputs() {
    let ([one, two, sink], spec) = join();
    let (host, _told) = host();
    let flow = host.start(spec).unwrap();
    sink.act(|payload| match payload {
        "poison" => Act::Fail("poisoned"),
        "slow" => Act::Keep,
        _ => Act::Done,
    });
    let slow = two.send(&["slow", "slow"]);
    eventually("the slow ones are in hand", || sink.seen().len() == 2);
    sink.act(|payload| {
        if payload == "poison" {
            Act::Fail("poisoned")
        } else {
            Act::Done
        }
    });
    let poison = one.send(&["x", "poison", "y"]);
    eventually("done", || poison.is_done() && slow.is_done());
    assert_eq!(flow.status().stages[2].rejected, 1);
    end(&flow);
}

#[test]
fn sink_that_is_not_last_passes_on_what_it_delivered() {
    let ([source, first, second], mut spec) = chain();
    let (host, _told) = host();
    spec.stages[1].buffer.messages = 3;
    let flow = host.start(spec).unwrap();
    second.act(|_| Act::Keep);
    first.act(|payload| {
        if payload == "b" {
            Act::Reject("not this")
        } else {
            Act::Done
        }
    });
    let batch = source.send(&["a", "b", "c"]);
    eventually("passed on", || second.seen() == ["a", "c"]);
    assert_eq!(batch.done(), [0, 1, 0], "upstream hears of the last one");
    let (more, _made) = made(&["d"]);
    assert_eq!(
        source.try_send(more),
        PL_AGAIN,
        "the first window bounds the second edge"
    );
    end(&flow);
    assert!(batch.is_done() && batch.is_freed());
}

#[test]
fn crash_of_the_passing_sink_repeats_only_what_it_had_not_delivered() {
    let ([source, first, second], spec) = chain();
    let (host, _told) = host();
    let flow = host.start(spec).unwrap();
    let mut failed = false;
    second.act(|_| Act::Keep);
    first.act(move |payload| {
        if payload == "b" && !std::mem::replace(&mut failed, true) {
            Act::Fail("once")
        } else {
            Act::Done
        }
    });
    let batch = source.send(&["a", "b", "c"]);
    eventually("passed on", || second.seen() == ["a", "b", "c"]);
    end(&flow);
    assert!(batch.is_done() && batch.is_freed());
    assert_eq!(first.seen(), ["a", "b", "!", "b", "c"]);
}

#[test]
fn dead_letter_says_what_happened_and_settles_upstream_when_it_is_delivered() {
    let (source, sink, dead) = (Bench::new("source"), Bench::new("sink"), Bench::new("dead"));
    let (host, _told) = host();
    let mut spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("out", "sink", &sink, &["in"]),
        stage("dead-letters", "sink", &dead, &[]),
    ]);
    spec.stages[1].on_reject = OnReject::To("dead-letters".into());
    let flow = host.start(spec).unwrap();
    sink.act(|payload| {
        if payload == "b" {
            Act::Reject("not valid")
        } else {
            Act::Done
        }
    });
    dead.act(|_| Act::Keep);
    let batch = source.send(&["a", "b"]);
    eventually("the letter is there", || dead.seen() == ["b"]);
    assert_eq!(batch.done(), [1, 0]);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        header("kept", "yes"),
        header("pipeline-reject-reason", "not valid"),
        header("pipeline-reject-stage", "out"),
        header("pipeline-timestamp", "1000000000"),
        header("pipeline-origin", "topic/3:1"),
    ];
    assert_eq!(dead.headers.lock()[0], expected);
    end(&flow);
    assert!(batch.is_done() && batch.is_freed());
}

#[test]
fn parked_producer_goes_on_while_the_other_consumer_is_slow() {
    let ([source, fast, slow], mut spec) = fork(["fast", "slow"]);
    let (host, _told) = host();
    spec.stages[1].buffer.messages = 2;
    spec.stages[2].buffer.messages = 7;
    let flow = host.start(spec).unwrap();
    slow.act(|_| {
        std::thread::sleep(Duration::from_micros(200));
        Act::Done
    });
    let batches: Vec<_> = (0..500)
        .map(|number| source.send(&[number.to_string()]))
        .collect();
    eventually("done", || {
        batches
            .iter()
            .all(|batch| batch.is_done() && batch.is_freed())
    });
    assert_eq!(slow.seen(), numbers(0..500));
    assert_eq!(fast.seen(), numbers(0..500));
    let (batch, _made) = made(&["x"]);
    assert_eq!(source.try_send(batch), PL_OK);
    end(&flow);
}
