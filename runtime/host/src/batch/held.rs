//! One owned reference to a batch that a plugin made.

use crate::settle::Ledger;
use pipeline_abi::{PlBatch, PlBatchVt};
use std::ptr::NonNull;
use std::sync::Arc;

/// One reference to a plugin's batch: cloning retains, dropping releases, so the memory lives exactly as long as it is used.
#[derive(Debug)]
pub(crate) struct Held {
    batch: NonNull<PlBatch>,
    ledger: Option<Arc<Ledger>>,
}

impl Held {
    /// Takes over one reference; what is settled is entered in the producer's ledger.
    ///
    /// # Safety
    /// `batch` passed [`super::checked`], and the caller gives away a reference that it owns.
    pub(crate) unsafe fn adopt(batch: *const PlBatch, ledger: Option<Arc<Ledger>>) -> Self {
        // SAFETY: a batch that passed the checks is not null.
        let batch = unsafe { NonNull::new_unchecked(batch.cast_mut()) };
        Held { batch, ledger }
    }

    fn vt(&self) -> &PlBatchVt {
        // SAFETY: the table was checked when the batch came in and is as immutable as the batch, to which we have a reference.
        unsafe { &*self.batch.as_ref().vt }
    }

    /// Tells the producer that messages are done.
    pub(crate) fn done(&self, first: u32, count: u32) {
        // SAFETY: a checked function of a batch that we hold; the range is inside, since claims only ever narrow it.
        unsafe { (self.vt().done)(self.batch.as_ptr(), first, count) };
        // Only now: who sees in the ledger that nothing is left may close the source, which must know it by then.
        if let Some(ledger) = &self.ledger {
            ledger.settle(count);
        }
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        // SAFETY: a checked function of a batch that we hold.
        unsafe { (self.vt().retain)(self.batch.as_ptr()) };
        Held {
            batch: self.batch,
            ledger: self.ledger.clone(),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: gives back the one reference that this value owns.
        unsafe { (self.vt().release)(self.batch.as_ptr()) }
    }
}

// SAFETY: a batch's functions may be called on any thread.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}
