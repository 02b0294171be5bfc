//! The consumer's side of an edge.

use super::delivery::Word;
use super::{Delivery, Edge, Wake};
use pipeline_abi::{PL_CLOSED, PlBatch};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

impl Edge {
    /// Moves what waits to the consumer; see `PlPortVt::recv` for the answer. One thread at a time.
    pub(crate) fn receive(&self, out: &mut [*const PlBatch]) -> i32 {
        let taken = self.take(out);
        if taken > 0 {
            return taken as i32;
        }
        self.rx.armed.store(true, Ordering::SeqCst);
        // Order: `armed` is up, then we look at everything again; see the module.
        fence(Ordering::SeqCst);
        // Read before the queue: what was pushed before `finish` is then seen below.
        let ended = self.rx.held.load(Ordering::SeqCst) || self.rx.finished.load(Ordering::SeqCst);
        let taken = self.take(out);
        if taken > 0 {
            self.rx.armed.store(false, Ordering::SeqCst);
            return taken as i32;
        }
        if ended && self.nothing_waits() {
            return PL_CLOSED;
        }
        self.wake_producers();
        0
    }

    /// Says how to wake the current consumer, or that there is none.
    pub(crate) fn attach(&self, wake: Option<Arc<Wake>>) {
        if wake.is_none() {
            self.rx.armed.store(false, Ordering::SeqCst);
        }
        self.rx.wake.set(wake);
    }

    fn nothing_waits(&self) -> bool {
        self.rx.held.load(Ordering::SeqCst) || self.rx.waiting.load(Ordering::SeqCst) == 0
    }

    fn take(&self, out: &mut [*const PlBatch]) -> usize {
        if self.rx.held.load(Ordering::Relaxed) {
            return 0;
        }
        if self.rx.waiting.load(Ordering::SeqCst) > 0 || self.station().is_careful() {
            return self.take_again(out);
        }
        let now = Instant::now();
        let mut taken = 0;
        while taken < out.len() {
            let Some(delivery) = self.queue.pop() else {
                break;
            };
            out[taken] = self.give(delivery, now);
            taken += 1;
        }
        taken
    }

    /// What failed consumers left, in edge order: suspects one at a time, and nothing else while there are any.
    fn take_again(&self, out: &mut [*const PlBatch]) -> usize {
        let now = Instant::now();
        let mut waiting = self.redelivery.lock();
        let mut taken = 0;
        while taken < out.len() {
            let Some(delivery) = waiting.front().copied() else {
                break;
            };
            // SAFETY: queued deliveries belong to the receiver.
            let alone = unsafe { delivery.as_ref().body() }.cargo.comes_alone();
            if self.station().is_careful() && !(alone && taken == 0 && self.station().begin_alone())
            {
                break;
            }
            waiting.pop_front();
            self.rx.waiting.fetch_sub(1, Ordering::SeqCst);
            out[taken] = self.give(delivery, now);
            taken += 1;
            if alone {
                break;
            }
        }
        taken
    }

    fn give(&self, delivery: NonNull<Delivery>, now: Instant) -> *const PlBatch {
        let place = self.rx.next.load(Ordering::Relaxed);
        self.rx.next.store(place + 1, Ordering::Relaxed);
        // SAFETY: just taken out of the queue, by the receiver.
        let body = unsafe { delivery.as_ref().body() };
        self.stats
            .received(&body.cargo.view, now.saturating_duration_since(body.pushed));
        // SAFETY: as above.
        unsafe { delivery.as_ref().give(place, now) };
        delivery.as_ptr().cast_const().cast::<PlBatch>()
    }

    /// The consumer's word about messages that nobody spoke about before. The caller has a hold on the delivery.
    pub(super) fn answered(&self, delivery: &Delivery, run: Range<u32>, word: Word<'_>) {
        // SAFETY: held.
        let body = unsafe { delivery.body() };
        let view = &body.cargo.view;
        self.stats
            .answered(view, run.clone(), body.given, matches!(word, Word::Done));
        match word {
            Word::Done => self.station().delivered(delivery, view, run),
            Word::Reject(why) => self.station().rejected(delivery, view, run, why),
        }
        if body.cargo.comes_alone() {
            self.station().end_alone();
        }
    }
}
