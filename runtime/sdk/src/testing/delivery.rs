//! A received batch without a host: it writes down what is said of its messages.

use super::{Settled, lock};
use crate::Batch;
use pipeline_abi::*;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// A batch header that writes down what is said of the messages of another one.
#[repr(C)]
pub(super) struct Delivery {
    header: PlBatch, // first: a pointer to it is a pointer to `Delivery`
    references: AtomicU32,
    inner: Batch,
    log: Arc<Mutex<Vec<Settled>>>,
    index: u32,
}

impl Delivery {
    pub(super) fn wrap(
        batch: *const PlBatch,
        log: Arc<Mutex<Vec<Settled>>>,
        index: u32,
    ) -> *const PlBatch {
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
