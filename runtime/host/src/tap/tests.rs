use super::*;
use crate::flow::FlowHandle;
use crate::testing::{Act, Bench, eventually, flow, host, stage};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Takes copies while there is room.
#[derive(Default)]
struct Taken {
    copies: Mutex<Vec<Tapped>>,
    room: AtomicUsize,
    gone: AtomicBool,
}

impl TapSink for Arc<Taken> {
    fn is_wanted(&self) -> bool {
        !self.gone.load(Ordering::SeqCst)
    }

    fn take(&self, message: Tapped) -> bool {
        let mut copies = self.copies.lock();
        let has_room = copies.len() < self.room.load(Ordering::SeqCst);
        if has_room {
            copies.push(message);
        }
        has_room
    }
}

impl Taken {
    fn with_room(room: usize) -> Arc<Self> {
        Arc::new(Taken {
            room: AtomicUsize::new(room),
            ..Taken::default()
        })
    }

    fn payloads(&self) -> Vec<String> {
        let text = |copy: &Tapped| String::from_utf8(copy.payload.clone()).unwrap();
        self.copies.lock().iter().map(text).collect()
    }
}

/// A source, a filter that adds an exclamation mark, and a sink.
struct Line {
    source: Arc<Bench>,
    sink: Arc<Bench>,
    flow: FlowHandle,
}

fn line() -> Line {
    let [source, filter, sink] = ["source", "filter", "sink"].map(Bench::new);
    let spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("change", "filter", &filter, &["in"]),
        stage("out", "sink", &sink, &["change"]),
    ]);
    filter.process(|messages| {
        let changed = messages.iter().map(|message| format!("{message}!"));
        Ok(((0..).zip(changed).collect(), vec![]))
    });
    let (host, _told) = host();
    let flow = host.start(spec).unwrap();
    Line { source, sink, flow }
}

impl Line {
    fn send(&self, payloads: &[&str]) {
        let batch = self.source.send(payloads);
        eventually("done", || batch.is_done());
    }

    fn end(self) {
        assert!(self.flow.drain(Duration::from_secs(60)).clean);
        self.flow.close(Duration::from_secs(60)).unwrap();
    }
}

#[test]
fn a_tap_shows_what_comes_into_a_stage_and_what_a_source_hands_on() {
    let line = line();
    let tapped = ["in", "change", "out"].map(|stage| {
        let taken = Taken::with_room(9);
        assert!(
            line.flow
                .tap(stage, &Tap::new(100, Box::new(taken.clone())))
        );
        taken
    });
    line.send(&["a", "b"]);
    let shown = tapped.each_ref().map(|taken| taken.payloads());
    assert_eq!(shown, [["a", "b"], ["a", "b"], ["a!", "b!"]]);
    let first = tapped[0].copies.lock()[1].clone();
    assert_eq!(first.position, Some(("topic".to_owned(), 3, 1)));
    assert_eq!(first.headers, [("kept".to_owned(), b"yes".to_vec())]);
    assert_eq!((first.timestamp_ns, first.payload_len), (1_000_000_000, 1));
    assert_eq!(
        (first.key, first.trace, first.is_replay),
        (None, None, false)
    );
    line.end();
}

#[test]
fn a_stage_that_is_not_there_is_not_tapped() {
    let line = line();
    assert!(
        !line
            .flow
            .tap("elsewhere", &Tap::new(1, Box::new(Taken::with_room(1))))
    );
    line.end();
}

#[test]
fn whoever_has_no_room_misses_messages_and_holds_up_nothing() {
    let line = line();
    let taken = Taken::with_room(1);
    line.flow
        .tap("out", &Tap::new(1000, Box::new(taken.clone())));
    line.send(&["a", "b", "c"]);
    line.send(&["d"]);
    taken.room.store(2, Ordering::SeqCst);
    line.send(&["e"]);
    assert_eq!(taken.payloads(), ["a!", "e!"]);
    assert_eq!(taken.copies.lock()[1].skipped, 3);
    assert_eq!(line.sink.seen().len(), 5);
    line.end();
}

#[test]
fn copies_are_as_many_as_the_rate_allows() {
    let taken = Taken::with_room(usize::MAX);
    let tap = Tap::new(2, Box::new(taken.clone()));
    let (batch, _made) = crate::testing::made(&["a", "b", "c", "d", "e"]);
    // SAFETY: a batch that the test made, which lives until its end.
    let view = unsafe { View::of(&*batch) };
    assert!(tap.offer(&view));
    assert_eq!(taken.payloads(), ["a", "b"]);
    tap.budget.lock().since -= Duration::from_secs(3600);
    assert!(tap.offer(&view));
    let copies = taken.copies.lock();
    assert_eq!((copies.len(), copies[2].skipped), (4, 3));
    // SAFETY: gives back the test's reference.
    unsafe { ((*(*batch).vt).release)(batch) };
}

#[test]
fn a_tap_that_nobody_wants_any_more_is_forgotten() {
    let point = TapPoint::default();
    let taken = Taken::with_room(9);
    let tap = Tap::new(1, Box::new(taken.clone()));
    point.attach(tap.clone());
    taken.gone.store(true, Ordering::SeqCst);
    let next = Tap::new(1, Box::new(Taken::with_room(9)));
    point.attach(next.clone());
    assert_eq!((Arc::strong_count(&tap), Arc::strong_count(&next)), (1, 2));
}

#[test]
fn long_parts_of_a_message_are_cut() {
    let long = "x".repeat(100 << 10);
    let (batch, _made) = crate::testing::made(&[long]);
    // SAFETY: a batch that the test made, which lives until its end.
    let view = unsafe { View::of(&*batch) };
    let copy = Tapped::copy(&view, 0, 7);
    assert_eq!(
        (copy.payload.len(), copy.payload_len),
        (64 << 10, 100 << 10)
    );
    assert_eq!(copy.skipped, 7);
    // SAFETY: gives back the test's reference.
    unsafe { ((*(*batch).vt).release)(batch) };
}

#[test]
fn a_tap_does_not_outlive_its_flow() {
    let line = line();
    line.sink.act(|_| Act::Done);
    let taken = Taken::with_room(9);
    line.flow.tap("out", &Tap::new(1, Box::new(taken.clone())));
    assert_eq!(Arc::strong_count(&taken), 2);
    let Line { flow, .. } = line;
    assert!(flow.drain(Duration::from_secs(60)).clean);
    flow.close(Duration::from_secs(60)).unwrap();
    drop(flow);
    eventually("let go", || Arc::strong_count(&taken) == 1);
}
