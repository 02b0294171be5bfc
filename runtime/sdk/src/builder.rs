//! Making batches: a stage fills a [`BatchBuilder`], the host and the stages behind it read the result in place.
//!
//! Invariant: a batch is written only between leaving the pool and [`BatchBuilder::finish`], while nobody else has it; from
//! then on it is read-only until its last release, which empties it and puts it back into the pool of the stage that made it.

use crate::arena::Arena;
use crate::{MAX_BATCH, Message, Trace};
use crossbeam_queue::ArrayQueue;
use pipeline_abi::*;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::{SystemTime, UNIX_EPOCH};

/// Told when messages of a batch are settled for good: delivered, or rejected with their dead letter delivered.
///
/// Called on the thread that settles, which belongs to another stage: it must not block. Each message is told once.
pub trait Done: Send + Sync {
    /// Messages `range` of the batch that was built with `token` are settled.
    fn done(&self, token: u64, range: Range<u32>);
}

/// One message to be added to a batch. Everything is copied.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    payload: &'a [u8],
    key: Option<&'a [u8]>,
    headers: &'a [(&'a str, &'a [u8])],
    timestamp_ns: Option<i64>,
    position: Option<(i32, i64)>,
    trace: Option<Trace>,
    replay: bool,
}

impl<'a> Record<'a> {
    /// A message with this payload, entering the system now.
    #[must_use]
    pub fn new(payload: &'a [u8]) -> Self {
        Record {
            payload,
            key: None,
            headers: &[],
            timestamp_ns: None,
            position: None,
            trace: None,
            replay: false,
        }
    }

    /// With a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Option<&'a [u8]>>) -> Self {
        self.key = key.into();
        self
    }

    /// With headers; at most 65,535, further ones are left out.
    #[must_use]
    pub fn headers(mut self, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        self.headers = headers;
        self
    }

    /// Having entered the system then, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn timestamp_ns(mut self, timestamp_ns: i64) -> Self {
        self.timestamp_ns = Some(timestamp_ns);
        self
    }

    /// At this partition and offset of the batch's topic.
    #[must_use]
    pub fn position(mut self, partition: i32, offset: i64) -> Self {
        self.position = Some((partition, offset));
        self
    }

    /// Belonging to a trace.
    #[must_use]
    pub fn trace(mut self, trace: impl Into<Option<Trace>>) -> Self {
        self.trace = trace.into();
        self
    }

    /// Delivered before, sent again only to refill buffers.
    #[must_use]
    pub fn replay(mut self, replay: bool) -> Self {
        self.replay = replay;
        self
    }
}

/// The memory behind a `PlBatch` of this plugin.
#[repr(C)]
struct Owned {
    header: PlBatch, // first: a pointer to it is a pointer to `Owned`
    references: AtomicU32,
    on_done: Option<(Arc<dyn Done>, u64)>,
    messages: Vec<PlMsg>,
    origin: Vec<u32>,
    arena: Arena,
    /// Where to go after the last release; `None` while it is there, so that an unused pool frees itself.
    home: Option<Arc<Pool>>,
}

/// Batches waiting to be used again.
pub(crate) struct Pool(ArrayQueue<Box<Owned>>);

impl Pool {
    pub(crate) fn new() -> Arc<Self> {
        // About what an edge's window holds; more batches in flight than that cost an allocation each.
        Arc::new(Pool(ArrayQueue::new(64)))
    }

    pub(crate) fn builder(self: &Arc<Self>) -> BatchBuilder {
        let mut owned = self.0.pop().unwrap_or_else(|| Box::new(Owned::empty()));
        owned.home = Some(self.clone());
        BatchBuilder { owned }
    }
}

impl Owned {
    fn empty() -> Self {
        Owned {
            header: PlBatch {
                struct_size: size_of::<PlBatch>() as u32,
                msg_stride: size_of::<PlMsg>() as u32,
                n_msgs: 0,
                flags: 0,
                topic: PlStr::EMPTY,
                msgs: ptr::null(),
                vt: &VT,
                bytes: 0,
                made_ns: 0,
            },
            references: AtomicU32::new(1),
            on_done: None,
            messages: Vec::new(),
            origin: Vec::new(),
            arena: Arena::default(),
            home: None,
        }
    }

    fn clear(&mut self) {
        self.header.n_msgs = 0;
        self.header.topic = PlStr::EMPTY;
        self.header.bytes = 0;
        *self.references.get_mut() = 1;
        self.on_done = None;
        self.messages.clear();
        self.origin.clear();
        self.arena.reset();
    }
}

/// A batch being filled.
pub struct BatchBuilder {
    owned: Box<Owned>,
}

// SAFETY: the pointers inside lead to the batch's own memory, or (a filter's) to a batch that the host keeps.
unsafe impl Send for BatchBuilder {}

impl BatchBuilder {
    /// Sets the topic that the positions of the messages are in.
    pub fn topic(&mut self, topic: &str) -> &mut Self {
        self.owned.header.topic = PlStr {
            ptr: self.owned.arena.bytes(topic.as_bytes()),
            len: topic.len(),
        };
        self
    }

    /// Asks to be told when the batch's messages are settled.
    pub fn on_done(&mut self, done: Arc<dyn Done>, token: u64) -> &mut Self {
        self.owned.on_done = Some((done, token));
        self
    }

    /// Adds a message.
    ///
    /// # Panics
    /// If the batch is full, or payload or key are 4 GiB or longer.
    pub fn push(&mut self, record: Record<'_>) -> &mut Self {
        assert!(
            !self.is_full(),
            "a batch holds at most {MAX_BATCH} messages"
        );
        let arena = &mut self.owned.arena;
        let trace = record
            .trace
            .map_or(ptr::null(), |trace| arena.slice(&[trace.to_abi()]));
        let message = PlMsg {
            payload: arena.bytes(record.payload),
            key: record.key.map_or(ptr::null(), |key| arena.bytes(key)),
            payload_len: length(record.payload),
            key_len: record.key.map_or(0, length),
            headers: ptr::null(),
            n_headers: 0,
            flags: if record.replay { PL_MSG_REPLAY } else { 0 }
                | if record.position.is_some() {
                    PL_MSG_HAS_POSITION
                } else {
                    0
                },
            partition: record.position.map_or(-1, |(partition, _)| partition),
            offset: record.position.map_or(-1, |(_, offset)| offset),
            ts_ns: record.timestamp_ns.unwrap_or_else(now_ns),
            trace,
        };
        self.owned.messages.push(message);
        if !record.headers.is_empty() {
            self.set_headers(record.headers);
        }
        self.owned.header.bytes +=
            (record.payload.len() + record.key.map_or(0, <[u8]>::len)) as u64;
        self
    }

    fn set_headers(&mut self, headers: &[(&str, &[u8])]) {
        let Owned {
            arena, messages, ..
        } = &mut *self.owned;
        if let Some(message) = messages.last_mut() {
            message.n_headers = u16::try_from(headers.len()).unwrap_or(u16::MAX);
            message.headers = arena.fill(usize::from(message.n_headers), |index, arena| {
                let (name, value) = headers[index];
                PlHeader {
                    name: PlStr {
                        ptr: arena.bytes(name.as_bytes()),
                        len: name.len(),
                    },
                    value: PlStr {
                        ptr: arena.bytes(value),
                        len: value.len(),
                    },
                }
            });
        }
    }

    /// Adds a message of a filter's input, with another payload or as it is, without copying the rest of it.
    pub(crate) fn push_from(&mut self, input: Message<'_>, origin: u32, payload: Option<&[u8]>) {
        assert!(
            !self.is_full(),
            "a batch holds at most {MAX_BATCH} messages"
        );
        let mut message = *input.raw();
        if let Some(payload) = payload {
            message.payload = self.owned.arena.bytes(payload);
            message.payload_len = length(payload);
        }
        self.owned.header.bytes += u64::from(message.payload_len) + u64::from(message.key_len);
        self.owned.messages.push(message);
        self.owned.origin.push(origin);
    }

    /// Adds a filter's own message.
    pub(crate) fn push_record(&mut self, origin: u32, record: Record<'_>) {
        self.push(record);
        self.owned.origin.push(origin);
    }

    /// Forgets the messages from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        for message in self.owned.messages.drain(len..) {
            self.owned.header.bytes -= u64::from(message.payload_len) + u64::from(message.key_len);
        }
        self.owned.origin.truncate(len);
    }

    /// Makes the topic of a filter's input the topic of its output.
    pub(crate) fn topic_of(&mut self, input: PlStr) {
        self.owned.header.topic = input;
    }

    /// Number of messages so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owned.messages.len()
    }

    /// Whether there is no message yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owned.messages.is_empty()
    }

    /// Whether no more message fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == MAX_BATCH
    }

    /// Payload and key bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.owned.header.bytes
    }

    /// The batch and its origins, one reference of which moves to the caller. The batch must not be empty.
    pub(crate) fn finish(mut self) -> (*const PlBatch, *const u32) {
        let owned = &mut *self.owned;
        owned.header.n_msgs = owned.messages.len() as u32;
        owned.header.msgs = owned.messages.as_ptr();
        owned.header.made_ns = now_ns();
        let origin = owned.origin.as_ptr();
        (Box::into_raw(self.owned).cast_const().cast(), origin)
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len())
        .unwrap_or_else(|_| panic!("{} bytes are more than one message can hold", bytes.len()))
}

/// Now, nanoseconds since the Unix epoch.
pub(crate) fn now_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos() as i64)
}

static VT: PlBatchVt = PlBatchVt {
    struct_size: size_of::<PlBatchVt>() as u32,
    reserved: 0,
    retain,
    release,
    done,
    reject,
};

unsafe extern "C" fn retain(batch: *const PlBatch) {
    // SAFETY: the caller holds a reference, so the memory is alive.
    unsafe {
        (*batch.cast::<Owned>())
            .references
            .fetch_add(1, Ordering::Relaxed)
    };
}

unsafe extern "C" fn release(batch: *const PlBatch) {
    // SAFETY: the caller gives back a reference that it holds, so the memory is alive.
    if unsafe {
        (*batch.cast::<Owned>())
            .references
            .fetch_sub(1, Ordering::Release)
    } > 1
    {
        return;
    }
    // What other threads did with the batch before they released it happened before it is written again.
    fence(Ordering::Acquire);
    // SAFETY: that was the last reference: nobody else has the memory, which `finish` took out of a box.
    let mut owned = unsafe { Box::from_raw(batch.cast_mut().cast::<Owned>()) };
    // The stage's `Done` may be dropped here, which is the author's code.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        owned.clear();
        if let Some(home) = owned.home.take() {
            let _ = home.0.push(owned);
        }
    }));
}

unsafe extern "C" fn done(batch: *const PlBatch, first: u32, count: u32) {
    // SAFETY: the caller holds a reference; the fields read here do not change until the last release.
    let owned = unsafe { &*batch.cast::<Owned>() };
    if let Some((done, token)) = &owned.on_done {
        let told = catch_unwind(AssertUnwindSafe(|| {
            done.done(*token, first..first.saturating_add(count))
        }));
        if told.is_err() {
            tracing::error!("the stage panicked when it was told that messages are done");
        }
    }
}

unsafe extern "C" fn reject(batch: *const PlBatch, first: u32, count: u32, _why: PlStr) {
    // The host never rejects towards a producer; a peer that does is told the same as `done`, so that nothing waits.
    // SAFETY: as the caller's.
    unsafe { done(batch, first, count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Batch;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Told(Mutex<Vec<(u64, Range<u32>)>>);

    impl Done for Told {
        fn done(&self, token: u64, range: Range<u32>) {
            self.0.lock().unwrap().push((token, range));
        }
    }

    fn received(builder: BatchBuilder) -> Batch {
        // SAFETY: the one reference of a finished batch.
        unsafe { Batch::from_raw(builder.finish().0) }
    }

    #[test]
    fn what_is_pushed_is_what_is_received() {
        let mut builder = Pool::new().builder();
        let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        builder.topic("stock_trade");
        builder.push(Record::new(b"first"));
        builder.push(
            Record::new(b"second")
                .key(&b"BTC"[..])
                .headers(&[("a", b"1"), ("b", b"2"), ("a", b"3")])
                .timestamp_ns(7)
                .position(2, 99)
                .trace(trace)
                .replay(true),
        );
        let batch = received(builder);

        assert_eq!(
            (batch.len(), batch.bytes(), batch.topic()),
            (2, 14, "stock_trade")
        );
        let (first, second) = (batch.get(0), batch.get(1));
        assert_eq!(
            (
                first.payload(),
                first.key(),
                first.position(),
                first.trace()
            ),
            (&b"first"[..], None, None, None)
        );
        assert!(first.timestamp_ns() > 0 && !first.is_replay() && first.headers().len() == 0);
        assert_eq!(
            (second.payload(), second.key(), second.timestamp_ns()),
            (&b"second"[..], Some(&b"BTC"[..]), 7)
        );
        assert_eq!(
            second.position().map(|p| (p.topic, p.partition, p.offset)),
            Some(("stock_trade", 2, 99))
        );
        assert_eq!(
            (second.trace(), second.is_replay(), second.header("a")),
            (trace, true, Some(&b"3"[..]))
        );
    }

    #[test]
    fn a_shared_payload_keeps_its_batch_alive() {
        let mut builder = Pool::new().builder();
        builder.push(Record::new(b"shared"));
        let payload = received(builder).payload(0);
        assert_eq!(payload, "shared");
    }

    #[test]
    fn done_reaches_the_stage_with_its_token() {
        let told = Arc::new(Told::default());
        let mut builder = Pool::new().builder();
        builder
            .on_done(told.clone(), 42)
            .push(Record::new(b"a"))
            .push(Record::new(b"b"));
        let batch = received(builder);
        batch.done_range(1..2);
        batch.done_range(0..1);
        assert_eq!(*told.0.lock().unwrap(), [(42, 1..2), (42, 0..1)]);
    }

    #[test]
    fn a_released_batch_is_used_again_and_empty() {
        let pool = Pool::new();
        let mut builder = pool.builder();
        builder.push(Record::new(b"a"));
        let batch = received(builder);
        let address = batch.get(0).raw() as *const PlMsg;
        drop(batch.clone());
        assert!(pool.0.is_empty(), "one reference is left");
        drop(batch);
        let mut builder = pool.builder();
        assert!(builder.is_empty() && builder.bytes() == 0);
        builder.push(Record::new(b"b"));
        assert_eq!(received(builder).get(0).raw() as *const PlMsg, address);
    }
}
