//! The edge between a producer and a consumer: a bounded queue of batches that remembers each one until it is settled.
//!
//! # What an edge promises
//!
//! * At most a window of unsettled messages and bytes is admitted; a producer that finds the window full is parked and woken.
//! * Deliveries are received in the order in which they were pushed. Those that a failed consumer left unsettled come again
//!   in that same order, before anything newer.
//! * A message is told upstream as done exactly once.
//!
//! # Who touches what
//!
//! `push` runs on the producer's thread (for rejects, passed-on messages and redelivery: on any thread), `recv` on the one
//! thread of the consumer, `done`, `reject`, `retain` and `release` on any thread. What producers write ([`Window`]'s sent
//! side, `parked`) and what the consumer writes (its settled side, `armed`) live on different cache lines, and in the normal
//! path nobody takes a lock: the queue, the pool's free list, the counters and each delivery's settle word are atomics. Locks
//! guard the list of redeliveries and the registry of all deliveries, which are touched only when something failed or when
//! the pool grows.
//!
//! # No wake-up is lost
//!
//! Both sides sleep in the same way: raise a flag, look again, sleep. Whoever could end the sleep first changes what the
//! sleeper looks at and then reads the flag. With sequentially consistent order between the two steps of each side, at least
//! one of them sees the other, so either the sleeper does not go to sleep or it is woken:
//!
//! | sleeper | raises | looks again at | woken by | after changing |
//! |---|---|---|---|---|
//! | consumer | `armed` | the queue | `push` | the queue |
//! | producer | `parked` | the window, `armed` | a settled delivery | the window |
//! | producer | `parked` | the window, `armed` | the consumer going idle | `armed` |
//!
//! A parked producer is woken at half a window, so that it does not run for single batches, or as soon as the consumer is
//! idle and anything fits: a consumer that collects more than half a window before it settles would wait for ever otherwise.

mod calls;
mod delivery;
mod hold;
mod pool;
mod receive;
mod recover;
mod station;
mod stats;
mod wake;
mod window;

pub(crate) use delivery::Delivery;
pub(crate) use hold::DeliveryRef;
pub(crate) use station::Station;
#[cfg(test)]
mod tests;

pub use stats::EdgeCounts;
pub(crate) use stats::{EdgeStats, now_ns};
pub(crate) use wake::{Waiter, Wake, WakeSlot};
pub(crate) use window::{Limits, Window};

use crate::batch::View;
use crate::settle::{Claim, Suspicion};
use crate::tap::TapPoint;
use crossbeam_queue::SegQueue;
use crossbeam_utils::CachePadded;
use delivery::Cargo;
use parking_lot::Mutex;
use pool::Pool;
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};

/// A bounded queue into one input of one stage.
pub(crate) struct Edge {
    from: String,
    station: Arc<Station>,
    window: Window,
    queue: SegQueue<NonNull<Delivery>>,
    pool: Pool,
    tx: CachePadded<Sending>,
    rx: CachePadded<Receiving>,
    redelivery: Mutex<VecDeque<NonNull<Delivery>>>,
    pub(crate) stats: EdgeStats,
    /// Who looks at what comes in.
    pub(crate) tap: TapPoint,
}

/// What producers look at.
struct Sending {
    /// A producer found no credit and sleeps.
    parked: AtomicBool,
    /// Everybody who may be parked here; set once, when the flow is wired.
    waiters: OnceLock<Vec<Arc<Waiter>>>,
}

/// What the consumer looks at.
struct Receiving {
    /// The consumer found nothing and sleeps.
    armed: AtomicBool,
    wake: WakeSlot,
    /// Position of the next delivery in edge order. Counted when it is received: there is one receiver, so this is the order.
    next: AtomicU64,
    /// Deliveries in `redelivery`, readable without its lock.
    waiting: AtomicUsize,
    /// The consumer is about to be replaced: it gets nothing more, what is queued waits for the next one.
    held: AtomicBool,
    /// Nothing will be pushed any more.
    finished: AtomicBool,
}

// SAFETY: the raw pointers lead to deliveries that the pool owns; which thread may touch which part of one is argued there.
unsafe impl Send for Edge {}
// SAFETY: as above.
unsafe impl Sync for Edge {}

impl Edge {
    /// An edge from the stage named `from` into `station`.
    pub(crate) fn new(from: String, station: Arc<Station>, limits: Limits) -> Arc<Self> {
        Arc::new(Edge {
            from,
            station,
            window: Window::new(limits),
            queue: SegQueue::new(),
            pool: Pool::default(),
            tx: CachePadded::new(Sending {
                parked: AtomicBool::new(false),
                waiters: OnceLock::new(),
            }),
            rx: CachePadded::new(Receiving {
                armed: AtomicBool::new(false),
                wake: WakeSlot::default(),
                next: AtomicU64::new(0),
                waiting: AtomicUsize::new(0),
                held: AtomicBool::new(false),
                finished: AtomicBool::new(false),
            }),
            redelivery: Mutex::new(VecDeque::new()),
            stats: EdgeStats::default(),
            tap: TapPoint::default(),
        })
    }

    /// Name of the stage whose messages come this way.
    pub(crate) fn from(&self) -> &str {
        &self.from
    }

    /// The consumer's side of the host.
    pub(crate) fn station(&self) -> &Arc<Station> {
        &self.station
    }

    /// The window and what is in flight.
    pub(crate) fn window(&self) -> &Window {
        &self.window
    }

    /// Names everybody who may be parked at this edge.
    pub(crate) fn set_waiters(&self, waiters: Vec<Arc<Waiter>>) {
        let _ = self.tx.waiters.set(waiters);
    }

    /// Hands messages to the consumer. Never fails and never waits: who may be refused asks [`Edge::has_credit`] first;
    /// rejects, passed-on messages and redeliveries are already inside somebody's window.
    pub(crate) fn push(&self, view: View, claim: Claim) {
        let delivery = self.pool.take();
        // SAFETY: just taken from the pool, so nobody else refers to it.
        unsafe {
            delivery.as_ref().fill(
                self,
                Cargo {
                    view,
                    claim,
                    suspicion: Suspicion::default(),
                },
            )
        };
        self.tap.pass(&view);
        self.stats.pushed(&view);
        self.window.charge(view.len(), view.bytes());
        self.queue.push(delivery);
        self.wake_consumer();
    }

    /// Whether a batch is admitted now.
    pub(crate) fn has_credit(&self) -> bool {
        self.window.has_credit()
    }

    /// Raises the producer's flag. To be followed by [`Edge::is_resumable`], and by sleep only if that says no.
    pub(crate) fn park(&self) {
        self.tx.parked.store(true, Ordering::SeqCst);
    }

    /// Whether a parked producer should go on.
    pub(crate) fn is_resumable(&self) -> bool {
        self.window.is_low() || (self.rx.armed.load(Ordering::SeqCst) && self.window.has_room())
    }

    /// Gives the window back what a settled delivery took of it.
    fn credit(&self, view: &View) {
        self.window.credit(view.len(), view.bytes());
        self.wake_producers();
    }

    fn wake_producers(&self) {
        // Order: the caller changed the window or `armed` (sequentially consistent), then looks at `parked`.
        if self.tx.parked.load(Ordering::SeqCst)
            && self.is_resumable()
            && self.tx.parked.swap(false, Ordering::SeqCst)
        {
            self.tx
                .waiters
                .get()
                .into_iter()
                .flatten()
                .for_each(|waiter| waiter.wake());
        }
    }

    /// Wakes the consumer if it sleeps.
    pub(crate) fn wake_consumer(&self) {
        // Order: the caller changed the queue, then we look at `armed`.
        fence(Ordering::SeqCst);
        if self.rx.armed.load(Ordering::Relaxed) && self.rx.armed.swap(false, Ordering::SeqCst) {
            self.rx.wake.wake();
        }
    }

    /// Says that nothing will be pushed any more: the consumer is told when it has received everything.
    pub(crate) fn finish(&self) {
        self.rx.finished.store(true, Ordering::SeqCst);
        self.wake_consumer();
    }

    /// Takes [`Edge::finish`] back: the producer was opened again.
    pub(crate) fn unfinish(&self) {
        self.rx.finished.store(false, Ordering::SeqCst);
    }

    /// Says whether the consumer gets anything more; what is queued stays.
    pub(crate) fn hold(&self, held: bool) {
        self.rx.held.store(held, Ordering::SeqCst);
        self.wake_consumer();
    }

    /// Whether the consumer was given everything and has said its word about all of it.
    pub(crate) fn is_consumed(&self) -> bool {
        self.queue.is_empty() && self.rx.waiting.load(Ordering::Acquire) == 0 && !self.owes()
    }

    /// Whether the consumer has messages about which it has not said its word.
    pub(crate) fn owes(&self) -> bool {
        self.pool.unsettled() > 0
    }
}
