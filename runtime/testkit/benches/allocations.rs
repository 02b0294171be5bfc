//! How often each thread allocates for one more message, or one more batch: what a long run has more than a short one.

use std::collections::BTreeMap;
use std::fs;

use pipeline_testkit::{Pipeline, profile_folder, unique};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

use crate::feed::{self, Feed};
use crate::figures::{Figure, Run};
use crate::hop;
use crate::limit::Limit;
use crate::paced;
use crate::post::{self, Posting};
use crate::process::Process;
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::scale::sized;
use crate::scene::{Topic, process};

/// Messages a batch from stage to stage.
const BATCH: u64 = 256;
/// What a thread allocates less often than this for each message is not told.
const LEAST: f64 = 0.005;

/// Allocations by the name of the thread.
type Counts = BTreeMap<String, u64>;

pub(crate) async fn measure(report: &mut Report) {
    let short = sized(50_000, 10_000).next_multiple_of(BATCH);
    let long = 3 * short;
    let more = (long - short) as f64;

    let hop = added(hop(short).await, &hop(long).await, more / BATCH as f64);
    let feed = added(feed(short).await, &feed(long).await, more);
    let produce = produce(long).await.saturating_sub(produce(short).await) as f64 / more;
    let batched = added(
        post("envelope", short).await,
        &post("envelope", long).await,
        more,
    );
    let single = added(post("json", short).await, &post("json", long).await, more);
    let consume = consume(long).await.saturating_sub(consume(short).await) as f64 / more;

    let mut rows = Vec::new();
    let titles = [
        (format!("stage to stage, a batch of {BATCH}"), hop, None),
        ("feed → Kafka, a message".to_owned(), feed, Some(produce)),
        ("Kafka → POST, a message".to_owned(), batched, Some(consume)),
        (
            "Kafka → POST, one a request".to_owned(),
            single,
            Some(consume),
        ),
    ];
    for (title, threads, limit) in titles {
        let stages = limit.is_none();
        for (thread, count) in threads.iter().filter(|(_, count)| **count > LEAST) {
            let target = if stages { "1" } else { "" };
            rows.push((format!("{title}: `{thread}`"), None, *count, target));
        }
        if !stages {
            rows.push((format!("{title}: all"), limit, threads.values().sum(), ""));
        }
    }
    let figure = |value| Figure::new([value]);
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, limit, ours, target)| Row {
            figure: name,
            limit: limit.map(figure),
            ours: figure(*ours),
            target,
        })
        .collect();
    report.path(
        "Allocations, by thread",
        "the plain producer and the plain consumer; what the client library of Kafka allocates counts here and there",
        &rows,
    );
}

/// What a long run has more than a short one, for each of `more`.
fn added(short: Counts, long: &Counts, more: f64) -> BTreeMap<String, f64> {
    let before = |name: &String| short.get(name).copied().unwrap_or_default();
    long.iter()
        .map(|(name, count)| {
            (
                name.clone(),
                count.saturating_sub(before(name)) as f64 / more,
            )
        })
        .collect()
}

async fn hop(messages: u64) -> Counts {
    let (counting, folder) = (Counting::new(), tempfile::tempdir().expect("a folder"));
    let seconds = folder.path().join("seconds");
    let pipeline = counting
        .within(hop::stages(messages, BATCH, &seconds))
        .spawn();
    hop::ended(&pipeline, messages, &seconds).await;
    counting.by_thread(process(&pipeline))
}

async fn feed(messages: u64) -> Counts {
    let (counting, feed) = (Counting::new(), Feed::plain(messages));
    let topic = Topic::make(feed.partitions).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let pipeline = counting
        .within(feed::stages(&feed, &topic, &listener))
        .spawn();
    let stream = feed::send(paced::accept(listener).await, &feed).await;
    topic.holds(messages).await;
    let counts = counting.by_thread(process(&pipeline));
    drop((stream, pipeline));
    topic.delete().await;
    counts
}

async fn post(encoding: &str, messages: u64) -> Counts {
    let posting = Posting {
        encoding,
        ..Posting::batched(messages)
    };
    let counting = Counting::new();
    let topic = Topic::filled(3, messages).await;
    let mut receiver = Receiver::expecting(messages).await;
    let pipeline = counting
        .within(post::stages(&posting, &topic, &receiver))
        .spawn();
    receiver.all().await;
    let counts = counting.by_thread(process(&pipeline));
    drop(pipeline);
    topic.delete().await;
    counts
}

async fn produce(messages: u64) -> u64 {
    let (counting, topic) = (Counting::new(), Topic::make(3).await);
    let arguments = [&*topic.kafka.brokers(), &topic.name, &messages.to_string()];
    let mut limit = Limit::start_with("produce", &arguments, &counting.environment());
    let _: Run = limit.told().await;
    topic.delete().await;
    counting.all()
}

async fn consume(messages: u64) -> u64 {
    let (counting, topic) = (Counting::new(), Topic::filled(3, messages).await);
    let (brokers, group) = (topic.kafka.brokers(), unique("bench"));
    let arguments = [&*brokers, &topic.name, &group, &messages.to_string()];
    let mut limit = Limit::start_with("consume", &arguments, &counting.environment());
    let _: Run = limit.told().await;
    topic.delete().await;
    counting.all()
}

/// Counts the allocations of one process, by the fixture `count_allocations`.
struct Counting(NamedTempFile);

impl Counting {
    fn new() -> Self {
        Self(NamedTempFile::new().expect("a file"))
    }

    /// What the process needs in its environment.
    fn environment(&self) -> [(&'static str, String); 2] {
        let library = profile_folder().join("examples/libcount_allocations.so");
        [
            ("LD_PRELOAD", library.display().to_string()),
            ("COUNT_ALLOCATIONS", self.0.path().display().to_string()),
        ]
    }

    fn within(&self, pipeline: Pipeline) -> Pipeline {
        let add = |pipeline: Pipeline, (name, value): (&str, String)| pipeline.env(name, value);
        self.environment().into_iter().fold(pipeline, add)
    }

    /// What the threads of a process that still runs have allocated so far.
    fn by_thread(&self, process: Process) -> Counts {
        let mut counts = Counts::new();
        for (thread, count) in self.slots() {
            *counts.entry(process.thread(thread)).or_default() += count;
        }
        counts
    }

    /// What all threads have allocated.
    fn all(&self) -> u64 {
        self.slots().iter().map(|(_, count)| count).sum()
    }

    fn slots(&self) -> Vec<(u64, u64)> {
        let bytes = fs::read(self.0.path()).expect("the counts");
        let (words, _) = bytes.as_chunks();
        let words: Vec<u64> = words.iter().copied().map(u64::from_ne_bytes).collect();
        let (slots, _) = words.as_chunks();
        let used = slots.iter().take_while(|[thread, _]| *thread > 0);
        let used: Vec<_> = used.map(|[thread, count]| (*thread, *count)).collect();
        assert!(!used.is_empty(), "nothing was counted");
        used
    }
}
