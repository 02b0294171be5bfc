//! In-process ends of edges, for a stage's own unit tests: no host, no plugin, the same port and batch calls.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use pipeline_sdk::{prelude::*, testing};
//!
//! let context = Context::detached("print");
//! let (feed, mut input) = testing::input(&context);
//! feed.push(&[Record::new(b"a"), Record::new(b"b")]);
//! testing::drain(&context);
//! while let Some(batch) = input.recv().await {
//!     batch.done();
//! }
//! assert_eq!(feed.settled(), [testing::Settled { batch: 0, range: 0..2, rejected: None }]);
//! # }
//! ```

use crate::builder::Pool;
use crate::phase::Phase;
use crate::{Batch, Context, Error, Input, Output, Record};
use pipeline_abi::*;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Asks the stage to drain.
pub fn drain(context: &Context) {
    context.control().advance(Phase::Draining);
}

/// Asks the stage to close.
pub fn close(context: &Context) {
    context.control().advance(Phase::Closing);
}

/// Why the stage is degraded; `None` while it is ready.
#[must_use]
pub fn trouble(context: &Context) -> Option<String> {
    context.trouble().clone()
}

/// Waits until the stage has failed.
pub async fn failure(context: &Context) -> Error {
    context.control().failure().await
}

/// An input port, and the end that feeds it.
#[must_use]
pub fn input(context: &Context) -> (Feed, Input) {
    let port = Port::new();
    let raw = port.raw();
    // SAFETY: the port is kept by `Feed` and leaked with the input's, see `Port::raw`.
    let input = unsafe { Input::bind(&[raw], context.clone()) };
    (
        Feed {
            port,
            log: Arc::default(),
            pushed: AtomicU32::new(0),
        },
        input,
    )
}

/// An output port, and the end that takes what was sent.
#[must_use]
pub fn output(context: &Context) -> (Output, Sent) {
    let port = Port::new();
    let raw = port.raw();
    // SAFETY: as above.
    let output = unsafe { Output::bind(raw, context.clone()) };
    (output, Sent(port))
}

/// What a sink said of messages that it received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which batch, in the order of [`Feed::push`], from 0.
    pub batch: u32,
    /// Which messages of it.
    pub range: Range<u32>,
    /// Why, if they were rejected.
    pub rejected: Option<String>,
}

/// Feeds an [`Input`].
pub struct Feed {
    port: Arc<Port>,
    log: Arc<Mutex<Vec<Settled>>>,
    pushed: AtomicU32,
}

impl Feed {
    /// Adds a batch without a topic.
    pub fn push(&self, records: &[Record<'_>]) {
        self.push_topic("", records);
    }

    /// Adds a batch of a topic.
    pub fn push_topic(&self, topic: &str, records: &[Record<'_>]) {
        let mut builder = Pool::new().builder();
        builder.topic(topic);
        for record in records {
            builder.push(*record);
        }
        let delivery = Delivery::wrap(
            builder.finish().0,
            self.log.clone(),
            self.pushed.fetch_add(1, Ordering::Relaxed),
        );
        self.port.put(delivery);
    }

    /// What was settled so far, in that order.
    #[must_use]
    pub fn settled(&self) -> Vec<Settled> {
        lock(&self.log).clone()
    }
}

/// Takes what an [`Output`] sent. Dropping a batch does not settle it.
pub struct Sent(Arc<Port>);

impl Sent {
    /// The next batch that was sent.
    #[must_use]
    pub fn next(&self) -> Option<Batch> {
        // SAFETY: the reference that `send` moved here.
        lock(&self.0.state)
            .batches
            .pop_front()
            .map(|batch| unsafe { Batch::from_raw(batch.0) })
    }

    /// Takes away all credit, or gives it back.
    pub fn block(&self, blocked: bool) {
        lock(&self.0.state).blocked = blocked;
        if !blocked {
            self.0.notify();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Raw(*const PlBatch);
// SAFETY: a batch may be used on any thread.
unsafe impl Send for Raw {}

#[derive(Default)]
struct State {
    batches: VecDeque<Raw>,
    blocked: bool,
    notify: Option<(PlNotify, usize)>,
}

#[repr(C)]
struct Port {
    header: PlPort, // first: a pointer to it is a pointer to `Port`
    state: Mutex<State>,
}
// SAFETY: the header is constant, the rest is behind a mutex.
unsafe impl Send for Port {}
// SAFETY: as above.
unsafe impl Sync for Port {}

impl Port {
    fn new() -> Arc<Self> {
        Arc::new(Port {
            header: PlPort { vt: &PORT_VT },
            state: Mutex::default(),
        })
    }

    /// Lives as long as the test's process: an `Input` or `Output` does not own its port.
    fn raw(self: &Arc<Self>) -> *mut PlPort {
        Arc::into_raw(self.clone()).cast_mut().cast()
    }

    fn put(&self, batch: *const PlBatch) {
        lock(&self.state).batches.push_back(Raw(batch));
        self.notify();
    }

    fn notify(&self) {
        let notify = lock(&self.state).notify;
        if let Some((notify, context)) = notify {
            // SAFETY: what `bind` was given.
            unsafe { notify(ptr::with_exposed_provenance_mut(context)) };
        }
    }
}

static PORT_VT: PlPortVt = PlPortVt {
    struct_size: size_of::<PlPortVt>() as u32,
    reserved: 0,
    bind,
    send,
    recv,
};

unsafe fn port<'a>(port: *mut PlPort) -> &'a Port {
    // SAFETY: made by `Port::raw`, never freed.
    unsafe { &*port.cast_const().cast::<Port>() }
}

unsafe extern "C" fn bind(raw: *mut PlPort, notify: PlNotify, context: *mut c_void) -> i32 {
    // SAFETY: a port of this module.
    lock(&unsafe { port(raw) }.state).notify = Some((notify, context.expose_provenance()));
    PL_OK
}

unsafe extern "C" fn send(raw: *mut PlPort, batch: *const PlBatch) -> i32 {
    // SAFETY: a port of this module.
    let mut state = lock(&unsafe { port(raw) }.state);
    if state.blocked {
        return PL_AGAIN;
    }
    state.batches.push_back(Raw(batch));
    PL_OK
}

unsafe extern "C" fn recv(raw: *mut PlPort, out: *mut *const PlBatch, max: u32) -> i32 {
    // SAFETY: a port of this module.
    let mut state = lock(&unsafe { port(raw) }.state);
    let mut count = 0;
    while count < max
        && let Some(batch) = state.batches.pop_front()
    {
        // SAFETY: room for `max` batches.
        unsafe { out.add(count as usize).write(batch.0) };
        count += 1;
    }
    count.cast_signed()
}

/// A batch header that writes down what is said of the messages of another one.
#[repr(C)]
struct Delivery {
    header: PlBatch, // first: a pointer to it is a pointer to `Delivery`
    references: AtomicU32,
    inner: Batch,
    log: Arc<Mutex<Vec<Settled>>>,
    index: u32,
}

impl Delivery {
    fn wrap(batch: *const PlBatch, log: Arc<Mutex<Vec<Settled>>>, index: u32) -> *const PlBatch {
        // SAFETY: a finished batch, the one reference of which moves here.
        let (header, inner) = unsafe {
            (
                PlBatch {
                    vt: &DELIVERY_VT,
                    ..ptr::read(batch)
                },
                Batch::from_raw(batch),
            )
        };
        let delivery = Delivery {
            header,
            references: AtomicU32::new(1),
            inner,
            log,
            index,
        };
        Box::into_raw(Box::new(delivery)).cast_const().cast()
    }
}

static DELIVERY_VT: PlBatchVt = PlBatchVt {
    struct_size: size_of::<PlBatchVt>() as u32,
    reserved: 0,
    retain,
    release,
    done,
    reject,
};

unsafe fn delivery<'a>(batch: *const PlBatch) -> &'a Delivery {
    // SAFETY: made by `Delivery::wrap`; the caller holds a reference.
    unsafe { &*batch.cast::<Delivery>() }
}

unsafe extern "C" fn retain(batch: *const PlBatch) {
    // SAFETY: a delivery that the caller holds.
    unsafe { delivery(batch) }
        .references
        .fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn release(batch: *const PlBatch) {
    // SAFETY: a delivery that the caller holds.
    if unsafe { delivery(batch) }
        .references
        .fetch_sub(1, Ordering::AcqRel)
        == 1
    {
        // SAFETY: that was the last reference.
        drop(unsafe { Box::from_raw(batch.cast_mut().cast::<Delivery>()) });
    }
}

unsafe fn settle(batch: *const PlBatch, range: Range<u32>, rejected: Option<String>) {
    // SAFETY: a delivery that the caller holds.
    let delivery = unsafe { delivery(batch) };
    lock(&delivery.log).push(Settled {
        batch: delivery.index,
        range: range.clone(),
        rejected,
    });
    delivery.inner.done_range(range);
}

unsafe extern "C" fn done(batch: *const PlBatch, first: u32, count: u32) {
    // SAFETY: a delivery that the caller holds.
    unsafe { settle(batch, first..first + count, None) }
}

unsafe extern "C" fn reject(batch: *const PlBatch, first: u32, count: u32, why: PlStr) {
    // SAFETY: as above; the text is borrowed for the call.
    unsafe { settle(batch, first..first + count, Some(why.text().to_owned())) }
}
