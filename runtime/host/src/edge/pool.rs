//! The deliveries of an edge: reused, never moved, all known.

use super::Delivery;
use crossbeam_queue::SegQueue;
use parking_lot::Mutex;
use std::ptr::NonNull;

/// All deliveries that an edge ever made, and those that are free. It grows to the most that was in flight at once, which
/// the window bounds.
#[derive(Default)]
pub(super) struct Pool {
    free: SegQueue<NonNull<Delivery>>,
    all: Mutex<Vec<NonNull<Delivery>>>,
}

impl Pool {
    /// A delivery for the caller alone.
    pub(super) fn take(&self) -> NonNull<Delivery> {
        self.free.pop().unwrap_or_else(|| {
            let new = Delivery::new();
            self.all.lock().push(new);
            new
        })
    }

    /// Takes back a delivery that nobody refers to.
    pub(super) fn give_back(&self, delivery: NonNull<Delivery>) {
        self.free.push(delivery);
    }

    /// What a closed consumer left behind.
    pub(super) fn left(&self) -> Vec<NonNull<Delivery>> {
        self.select(Delivery::is_left)
    }

    /// Number of deliveries about which the consumer owes a word.
    pub(super) fn unsettled(&self) -> usize {
        self.select(Delivery::is_owed).len()
    }

    /// What somebody still refers to.
    pub(super) fn held(&self) -> Vec<NonNull<Delivery>> {
        self.select(Delivery::is_held)
    }

    fn select(&self, wanted: impl Fn(&Delivery) -> bool) -> Vec<NonNull<Delivery>> {
        let all = self.all.lock();
        // SAFETY: deliveries live as long as the pool.
        all.iter()
            .copied()
            .filter(|delivery| wanted(unsafe { delivery.as_ref() }))
            .collect()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // What is not free may still be referred to by a stage that leaked it: it stays.
        while let Some(delivery) = self.free.pop() {
            // SAFETY: made by `Box::leak`, free, and no longer reachable.
            drop(unsafe { Box::from_raw(delivery.as_ptr()) });
        }
    }
}
