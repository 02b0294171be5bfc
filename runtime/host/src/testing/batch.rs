//! Batches whose settles and end can be looked at.

use parking_lot::Mutex;
use pipeline_abi::{PL_MSG_HAS_POSITION, PlBatch, PlBatchVt, PlHeader, PlMsg, PlStr};
use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Made {
    done: Mutex<Vec<u32>>,
    freed: AtomicBool,
}

impl Made {
    /// How often each message was told done.
    pub(crate) fn done(&self) -> Vec<u32> {
        self.done.lock().clone()
    }

    /// Whether each message was told done exactly once.
    pub(crate) fn is_done(&self) -> bool {
        self.done.lock().iter().all(|times| *times == 1)
    }

    /// Whether the last reference was given back.
    pub(crate) fn is_freed(&self) -> bool {
        self.freed.load(Ordering::Acquire)
    }
}

#[repr(C)]
struct Batch {
    header: PlBatch,
    refs: AtomicU32,
    made: Arc<Made>,
    _msgs: Vec<PlMsg>,
    _payloads: Vec<String>,
    _headers: Vec<PlHeader>,
    origin: Vec<u32>,
}

static VT: PlBatchVt = PlBatchVt {
    struct_size: size_of::<PlBatchVt>() as u32,
    reserved: 0,
    retain,
    release,
    done,
    reject,
};

/// A batch with one reference, which is the caller's, and its log. Message `i` has position `topic/3:i`.
pub(crate) fn made<S: AsRef<str>>(payloads: &[S]) -> (*const PlBatch, Arc<Made>) {
    let (batch, made, _) = made_with_origin(payloads, Vec::new());
    (batch, made)
}

/// As [`made`], with a filter's `origin`, which lives as long as the batch.
pub(super) fn made_with_origin<S: AsRef<str>>(
    payloads: &[S],
    origin: Vec<u32>,
) -> (*const PlBatch, Arc<Made>, *const u32) {
    let payloads: Vec<String> = payloads
        .iter()
        .map(|payload| payload.as_ref().to_owned())
        .collect();
    let headers = vec![PlHeader {
        name: PlStr::new(b"kept"),
        value: PlStr::new(b"yes"),
    }];
    let message = |(index, payload): (usize, &String)| PlMsg {
        payload: payload.as_ptr(),
        key: std::ptr::null(),
        payload_len: payload.len() as u32,
        key_len: 0,
        headers: headers.as_ptr(),
        n_headers: 1,
        flags: PL_MSG_HAS_POSITION,
        partition: 3,
        offset: index as i64,
        ts_ns: 1_000_000_000,
        trace: std::ptr::null(),
    };
    let msgs: Vec<PlMsg> = payloads.iter().enumerate().map(message).collect();
    let header = PlBatch {
        struct_size: size_of::<PlBatch>() as u32,
        msg_stride: size_of::<PlMsg>() as u32,
        n_msgs: msgs.len() as u32,
        flags: 0,
        topic: PlStr::new(b"topic"),
        msgs: msgs.as_ptr(),
        vt: &VT,
        bytes: payloads.iter().map(|payload| payload.len() as u64).sum(),
        made_ns: 0,
    };
    let made = Arc::new(Made {
        done: Mutex::new(vec![0; msgs.len()]),
        freed: AtomicBool::new(false),
    });
    let batch = Box::leak(Box::new(Batch {
        header,
        refs: AtomicU32::new(1),
        made: made.clone(),
        _msgs: msgs,
        _payloads: payloads,
        _headers: headers,
        origin,
    }));
    let origin = batch.origin.as_ptr();
    ((&raw const *batch).cast(), made, origin)
}

/// The payloads of a batch.
pub(crate) fn payloads(batch: *const PlBatch) -> Vec<String> {
    // SAFETY: tests look at batches to which they have a reference.
    let batch = unsafe { &*batch };
    let payload = |index: u32| {
        // SAFETY: message `index` of a batch that we hold, and its payload.
        unsafe {
            let message = &*batch.msgs.byte_add((index * batch.msg_stride) as usize);
            let bytes = std::slice::from_raw_parts(message.payload, message.payload_len as usize);
            String::from_utf8(bytes.to_vec()).unwrap()
        }
    };
    (0..batch.n_msgs).map(payload).collect()
}

/// The headers of a message, as text.
pub(crate) fn headers(batch: *const PlBatch, index: u32) -> Vec<(String, String)> {
    // SAFETY: as above.
    unsafe {
        let batch = &*batch;
        let message = &*batch.msgs.byte_add((index * batch.msg_stride) as usize);
        let headers = std::slice::from_raw_parts(message.headers, message.n_headers as usize);
        headers
            .iter()
            .map(|header| {
                (
                    header.name.text().to_owned(),
                    header.value.text().to_owned(),
                )
            })
            .collect()
    }
}

unsafe fn batch<'a>(batch: *const PlBatch) -> &'a Batch {
    // SAFETY: the header is the first field of every batch made here.
    unsafe { &*batch.cast() }
}

unsafe extern "C" fn retain(this: *const PlBatch) {
    // SAFETY: the batch contract.
    unsafe { batch(this) }.refs.fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn release(this: *const PlBatch) {
    // SAFETY: the batch contract.
    let left = unsafe { batch(this) }.refs.fetch_sub(1, Ordering::AcqRel) - 1;
    if left == 0 {
        // SAFETY: the last reference of a leaked box.
        let batch = unsafe { Box::from_raw(this.cast::<Batch>().cast_mut()) };
        batch.made.freed.store(true, Ordering::Release);
    }
}

unsafe extern "C" fn done(this: *const PlBatch, first: u32, count: u32) {
    // SAFETY: the batch contract.
    let mut done = unsafe { batch(this) }.made.done.lock();
    for index in first..first + count {
        done[index as usize] += 1;
    }
}

unsafe extern "C" fn reject(_: *const PlBatch, _: u32, _: u32, _: PlStr) {
    panic!("a producer hears only done");
}
