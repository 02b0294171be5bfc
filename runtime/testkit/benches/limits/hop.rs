//! What the two stages of `hop` do, in one program: each on a runtime of its own, a bounded channel for batches between
//! them, one for what is done back.

use std::time::Instant;

use tokio::runtime;
use tokio::sync::mpsc;

use crate::figures::Run;
use crate::limit::tell;
use crate::process::Process;
use crate::trades::Trade;

/// Batches that may wait: as many messages as an edge takes by default, but at least so many.
const LEAST_WAITING: u64 = 16;
const EDGE: u64 = 4096;

struct Batch {
    bytes: Vec<u8>,
    messages: Vec<Message>,
    done: mpsc::UnboundedSender<u64>,
}

/// As much as a message over the ABI has.
#[expect(dead_code, reason = "what only takes room")]
struct Message {
    payload: std::ops::Range<usize>,
    key: std::ops::Range<usize>,
    position: (i32, i64),
    timestamp_ns: i64,
}

pub(super) async fn run(messages: u64, batch: u64) {
    let waiting = (EDGE / batch).max(LEAST_WAITING);
    let (sender, receiver) = mpsc::channel(waiting as usize);
    let source = std::thread::spawn(move || on_own_runtime(source(sender, messages, batch)));
    let sink = std::thread::spawn(move || on_own_runtime(sink(receiver, messages)));
    let start = Instant::now();
    tokio::task::spawn_blocking(move || {
        source.join().expect("a source that ends in order");
        sink.join().expect("a sink that ends in order");
    })
    .await
    .expect("both stages");
    tell(&Run::of(Process::own(), messages, start.elapsed()));
}

fn on_own_runtime(stage: impl Future<Output = ()>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(stage);
}

async fn source(sender: mpsc::Sender<Batch>, messages: u64, batch: u64) {
    let (done, mut told) = mpsc::unbounded_channel();
    let mut payload = [b'x'; Trade::LEN];
    let (mut next, mut settled) = (0, 0);
    while next < messages {
        let last = messages.min(next + batch);
        let mut made = Batch {
            bytes: Vec::with_capacity(batch as usize * Trade::LEN),
            messages: Vec::with_capacity(batch as usize),
            done: done.clone(),
        };
        for id in next..last {
            payload[..8].copy_from_slice(&id.to_le_bytes());
            let start = made.bytes.len();
            made.bytes.extend_from_slice(&payload);
            made.messages.push(Message {
                payload: start..made.bytes.len(),
                key: 0..0,
                position: (-1, -1),
                timestamp_ns: 0,
            });
        }
        next = last;
        assert!(sender.send(made).await.is_ok(), "a sink that takes");
        while let Ok(count) = told.try_recv() {
            settled += count;
        }
    }
    while settled < messages {
        settled += told.recv().await.expect("a sink that settles");
    }
}

async fn sink(mut batches: mpsc::Receiver<Batch>, messages: u64) {
    let (mut count, mut sum) = (0, 0_u64);
    while let Some(batch) = batches.recv().await {
        for message in &batch.messages {
            let (id, _) = batch.bytes[message.payload.clone()]
                .split_first_chunk()
                .expect("an id");
            sum = sum.wrapping_add(u64::from_le_bytes(*id));
            count += 1;
        }
        // The source may have ended: it has counted everything then.
        let _ = batch.done.send(batch.messages.len() as u64);
    }
    assert_eq!((count, sum), (messages, messages * (messages - 1) / 2));
}
