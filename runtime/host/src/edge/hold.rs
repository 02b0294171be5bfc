//! Holding a delivery from further down the flow.

use super::Delivery;
use std::ops::Range;
use std::ptr::NonNull;

/// A hold on a delivery by a stage further down, which will finish some of its messages.
pub(crate) struct DeliveryRef(NonNull<Delivery>);

impl DeliveryRef {
    /// Takes over a hold that was just counted.
    pub(super) fn new(delivery: NonNull<Delivery>) -> Self {
        DeliveryRef(delivery)
    }

    /// Tells upstream that messages are done.
    pub(crate) fn finish(&self, range: Range<u32>) {
        self.get().finish(range);
    }

    fn get(&self) -> &Delivery {
        // SAFETY: this is a hold, and a held delivery is alive.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for DeliveryRef {
    fn clone(&self) -> Self {
        self.get().keep()
    }
}

impl Drop for DeliveryRef {
    fn drop(&mut self) {
        self.get().drop_hold();
    }
}

// SAFETY: what a hold reaches is immutable or atomic.
unsafe impl Send for DeliveryRef {}
// SAFETY: as above.
unsafe impl Sync for DeliveryRef {}
