//! The memory behind a batch that this plugin made: who holds it, whom it tells, where it goes afterwards.
//!
//! Invariant: a batch is written only between leaving the pool and being finished, while nobody else has it; from then on it is
//! read-only until its last release, which empties it and puts it back into the pool of the stage that made it.

use crate::arena::Arena;
use crate::open_spans::OpenSpans;
use crossbeam_queue::ArrayQueue;
use pipeline_abi::*;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

/// About what an edge's window holds; more batches in flight than that cost an allocation each.
const POOLED: usize = 64;
/// Most memory that waits in a pool. Each burst fills another batch to its full size: without a bound all would keep it.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Told when messages of a batch are settled for good: delivered, or rejected with their dead letter delivered.
///
/// Called on the thread that settles, which belongs to another stage: it must not block. Each message is told once.
pub trait Done: Send + Sync {
    /// Messages `range` of the batch that was built with `token` are settled.
    fn done(&self, token: u64, range: Range<u32>);
}

/// The memory behind a `PlBatch` of this plugin.
#[repr(C)]
pub(crate) struct Owned {
    pub(crate) header: PlBatch, // first: a pointer to it is a pointer to `Owned`
    references: AtomicU32,
    pub(crate) on_done: Option<(Arc<dyn Done>, u64)>,
    pub(crate) spans: OpenSpans,
    pub(crate) messages: Vec<PlMsg>,
    pub(crate) origin: Vec<u32>,
    pub(crate) arena: Arena,
    /// Where to go after the last release; `None` while it is there, so that an unused pool frees itself.
    home: Option<Arc<Pool>>,
}

/// Batches waiting to be used again.
pub(crate) struct Pool {
    batches: ArrayQueue<Box<Owned>>,
    kept_bytes: AtomicUsize,
}

impl Pool {
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn kept_bytes(&self) -> usize {
        self.kept_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Pool {
            batches: ArrayQueue::new(POOLED),
            kept_bytes: AtomicUsize::new(0),
        })
    }

    /// An empty batch that comes back here.
    pub(crate) fn take(self: &Arc<Self>) -> Box<Owned> {
        let mut owned = match self.batches.pop() {
            Some(owned) => {
                self.kept_bytes.fetch_sub(owned.memory(), Ordering::Relaxed);
                owned
            }
            None => Box::new(Owned::empty()),
        };
        owned.home = Some(self.clone());
        owned
    }

    /// Keeps an emptied batch, unless enough is kept.
    fn give_back(&self, owned: Box<Owned>) {
        let memory = owned.memory();
        let kept = self.kept_bytes.fetch_add(memory, Ordering::Relaxed) + memory;
        if kept > KEPT_BYTES || self.batches.push(owned).is_err() {
            self.kept_bytes.fetch_sub(memory, Ordering::Relaxed);
        }
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
            spans: OpenSpans::default(),
            messages: Vec::new(),
            origin: Vec::new(),
            arena: Arena::default(),
            home: None,
        }
    }

    /// Bytes that it takes while it is empty.
    fn memory(&self) -> usize {
        size_of::<Self>()
            + self.messages.capacity() * size_of::<PlMsg>()
            + self.origin.capacity() * size_of::<u32>()
            + self.arena.memory()
    }

    fn clear(&mut self) {
        self.header.n_msgs = 0;
        self.header.topic = PlStr::EMPTY;
        self.header.bytes = 0;
        *self.references.get_mut() = 1;
        self.on_done = None;
        self.spans.clear();
        self.messages.clear();
        self.origin.clear();
        self.arena.reset();
    }
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
            home.give_back(owned);
        }
    }));
}

unsafe extern "C" fn done(batch: *const PlBatch, first: u32, count: u32) {
    // SAFETY: the caller holds a reference; the fields read here do not change until the last release.
    let owned = unsafe { &*batch.cast::<Owned>() };
    owned.spans.done(first..first.saturating_add(count));
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
