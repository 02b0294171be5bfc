//! What a consumer calls on a batch that it received.

use super::Delivery;
use super::delivery::Word;
use crate::callbacks::guard;
use pipeline_abi::{PlBatch, PlBatchVt, PlStr};
use std::mem::size_of;

/// Longest reject reason that is looked at, bytes.
const REASON_MAX: usize = 4096;

pub(super) static VT: PlBatchVt = PlBatchVt {
    struct_size: size_of::<PlBatchVt>() as u32,
    reserved: 0,
    retain,
    release,
    done,
    reject,
};

/// The delivery behind a pointer that the consumer gives back.
///
/// # Safety
/// `batch` is one that [`super::Edge::receive`] handed out. Headers are never freed while a consumer may still have them.
unsafe fn delivery<'a>(batch: *const PlBatch) -> &'a Delivery {
    // SAFETY: the header is the first field of a delivery.
    unsafe { &*batch.cast::<Delivery>() }
}

unsafe extern "C" fn retain(batch: *const PlBatch) {
    // SAFETY: the batch contract.
    let delivery = unsafe { delivery(batch) };
    guard((), || delivery.retain());
}

unsafe extern "C" fn release(batch: *const PlBatch) {
    // SAFETY: the batch contract.
    let delivery = unsafe { delivery(batch) };
    guard((), || delivery.release());
}

unsafe extern "C" fn done(batch: *const PlBatch, first: u32, count: u32) {
    // SAFETY: the batch contract.
    let delivery = unsafe { delivery(batch) };
    guard((), || delivery.settle(first, count, Word::Done));
}

unsafe extern "C" fn reject(batch: *const PlBatch, first: u32, count: u32, why: PlStr) {
    // SAFETY: the batch contract.
    let delivery = unsafe { delivery(batch) };
    guard((), || {
        // SAFETY: text borrowed for this call.
        let why = unsafe { crate::text::owned(why, REASON_MAX) };
        delivery.settle(first, count, Word::Reject(&why));
    });
}
