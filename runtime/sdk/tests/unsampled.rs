//! What a message costs that nobody traces: no memory.

use allocation_counter::measure;
use pipeline_sdk::prelude::*;
use pipeline_sdk::testing;

const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const MESSAGES: usize = 1000;

async fn batch(traceparent: Option<&str>) -> Batch {
    let (feed, mut input) = testing::input(&Context::detached("test"));
    let trace = traceparent.and_then(Trace::parse);
    feed.push(&vec![Record::new(b"a trade").trace(trace); MESSAGES]);
    input.recv().await.expect("a batch")
}

/// What a stage asks of each message before it makes a span; the number of spans that it made.
fn look(batch: &Batch, roots: &mut Roots, context: &Context) -> usize {
    let mut spans = 0;
    for message in batch {
        let begins = message.trace().is_none() && roots.pick(1);
        if begins || message.sampled().is_some() {
            let span = context.span(SpanKind::Internal, "test", message.trace());
            drop(span.with("messaging.system", "kafka"));
            spans += 1;
        }
    }
    spans
}

#[tokio::test(flavor = "current_thread")]
async fn an_unsampled_message_costs_no_memory() {
    let context = Context::detached("test");
    for traceparent in [None, Some(UNSAMPLED)] {
        let batch = batch(traceparent).await;
        let mut roots = context.roots();
        let cost = measure(|| assert_eq!(look(&batch, &mut roots, &context), 0));
        assert_eq!(cost.count_total, 0, "{cost:?}");
    }
    // The counter counts: a span is memory.
    let batch = batch(Some(SAMPLED)).await;
    let mut roots = context.roots();
    let cost = measure(|| assert_eq!(look(&batch, &mut roots, &context), MESSAGES));
    println!(
        "a sampled message: {} allocations",
        cost.count_total / MESSAGES as u64
    );
    assert!(cost.count_total >= MESSAGES as u64);
}

#[test]
fn reading_and_writing_a_traceparent_costs_no_memory() {
    let long = "z".repeat(10 << 10);
    let cost = measure(|| {
        for _ in 0..MESSAGES {
            let trace = Trace::parse(UNSAMPLED).expect("a traceparent");
            assert_eq!(trace.text().as_str(), UNSAMPLED);
            assert_eq!(Trace::parse(&long), None);
        }
    });
    assert_eq!(cost.count_total, 0, "{cost:?}");
}
