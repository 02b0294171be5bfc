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

mod delivery;
mod port;

use crate::builder::BatchBuilder;
use crate::owned::Pool;
use crate::phase::Phase;
use crate::{Batch, Context, Error, Input, Output, Record};
use delivery::Delivery;
use port::Port;
use std::ops::Range;
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
        let mut builder = BatchBuilder::new(Pool::new().take());
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
        self.0.take().map(|batch| unsafe { Batch::from_raw(batch) })
    }

    /// Takes away all credit, or gives it back.
    pub fn block(&self, blocked: bool) {
        self.0.block(blocked);
    }

    /// Whether a batch waits for the credit that was taken away.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.0.has_refused()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
