//! Batches that a check gives to a stage; they record how they are settled.

use crate::violations::{expect, note};
use pipeline_abi::*;
use std::sync::{Mutex, PoisonError};

/// Longer than version 1.0's message, as a newer host's would be: who walks by `sizeof` reads the gap.
const STRIDE: usize = size_of::<PlMsg>() + 32;

/// How a message was settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    Rejected(String),
}

/// A batch that the plugin is given. Never freed, so that use after the last release is noted and not a crash.
#[repr(C)]
pub(crate) struct Given {
    batch: PlBatch, // first: a pointer to it is a pointer to `Given`
    payloads: Vec<String>,
    headers: Vec<[PlHeader; 1]>,
    trace: PlTrace,
    messages: Vec<u8>,
    state: Mutex<State>,
}

struct State {
    references: usize,
    settled: Vec<Option<Settled>>,
}

static VT: PlBatchVt = PlBatchVt {
    struct_size: size_of::<PlBatchVt>() as u32,
    reserved: 0,
    retain,
    release,
    done,
    reject,
};

impl Given {
    /// A batch of partition 0 of a topic, with keys, headers and trace context, offsets from `first_offset`; one reference.
    pub(crate) fn new(payloads: Vec<String>, first_offset: i64) -> &'static Given {
        let count = payloads.len();
        let header = || {
            [PlHeader {
                name: PlStr::new(b"source"),
                value: PlStr::new(b"conformance"),
            }]
        };
        let given: &'static mut Given = Box::leak(Box::new(Given {
            batch: PlBatch {
                struct_size: size_of::<PlBatch>() as u32,
                msg_stride: STRIDE as u32,
                n_msgs: count as u32,
                flags: 0,
                topic: PlStr::new(b"conformance"),
                msgs: std::ptr::null(),
                vt: &VT,
                bytes: payloads
                    .iter()
                    .map(|payload| payload.len() as u64 + 3)
                    .sum(),
                made_ns: 1_700_000_000_000_000_000,
            },
            headers: (0..count).map(|_| header()).collect(),
            trace: PlTrace {
                trace_id: [7; 16],
                span_id: [7; 8],
                flags: 1,
                reserved: [0; 7],
                tracestate: PlStr::EMPTY,
            },
            // Twice the alignment's worth more, to begin aligned; what lies between two messages is no valid pointer.
            messages: vec![0xA5; count * STRIDE + align_of::<PlMsg>()],
            state: Mutex::new(State {
                references: 1,
                settled: vec![None; count],
            }),
            payloads,
        }));
        let start = given.messages.as_mut_ptr();
        // SAFETY: the offset stays within the slack.
        let first = unsafe { start.add(start.align_offset(align_of::<PlMsg>())) };
        for index in 0..count {
            let message = given.message(index, first_offset);
            // SAFETY: inside of `messages`, aligned because the stride is a multiple of the alignment.
            unsafe { first.add(index * STRIDE).cast::<PlMsg>().write(message) };
        }
        given.batch.msgs = first.cast();
        given
    }

    fn message(&self, index: usize, first_offset: i64) -> PlMsg {
        PlMsg {
            payload: self.payloads[index].as_ptr(),
            key: b"key".as_ptr(),
            payload_len: self.payloads[index].len() as u32,
            key_len: 3,
            headers: self.headers[index].as_ptr(),
            n_headers: 1,
            flags: PL_MSG_HAS_POSITION,
            partition: 0,
            offset: first_offset + index as i64,
            ts_ns: 1_700_000_000_000_000_000,
            trace: &raw const self.trace,
        }
    }

    pub(crate) fn as_ptr(&'static self) -> *const PlBatch {
        std::ptr::from_ref(self).cast()
    }

    pub(crate) fn settled(&self) -> Vec<Option<Settled>> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .settled
            .clone()
    }

    pub(crate) fn references(&self) -> usize {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .references
    }

    fn settle(&self, first: u32, count: u32, how: &Settled) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        expect(state.references > 0, || {
            "a batch was settled after its last release".to_owned()
        });
        let range = first as usize..first as usize + count as usize;
        expect(count > 0, || "an empty range was settled".to_owned());
        let Some(messages) = state.settled.get_mut(range.clone()) else {
            return note(format!(
                "{range:?} was settled of a batch of {}",
                self.payloads.len()
            ));
        };
        for message in messages {
            expect(message.is_none(), || {
                format!("a message in {range:?} was settled twice")
            });
            message.get_or_insert_with(|| how.clone());
        }
    }
}

/// # Safety
/// `batch` came from [`Given::as_ptr`].
unsafe fn of(batch: *const PlBatch) -> &'static Given {
    // SAFETY: promised by the caller; batches are never freed.
    unsafe { &*batch.cast::<Given>() }
}

unsafe extern "C" fn retain(batch: *const PlBatch) {
    // SAFETY: the plugin was given this pointer.
    let mut state = unsafe { of(batch) }
        .state
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    expect(state.references > 0, || {
        "a batch was retained after its last release".to_owned()
    });
    state.references += 1;
}

unsafe extern "C" fn release(batch: *const PlBatch) {
    // SAFETY: as above.
    let mut state = unsafe { of(batch) }
        .state
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    expect(state.references > 0, || {
        "a batch was released more often than retained".to_owned()
    });
    state.references = state.references.saturating_sub(1);
}

unsafe extern "C" fn done(batch: *const PlBatch, first: u32, count: u32) {
    // SAFETY: as above.
    unsafe { of(batch) }.settle(first, count, &Settled::Done);
}

unsafe extern "C" fn reject(batch: *const PlBatch, first: u32, count: u32, why: PlStr) {
    // SAFETY: as above; the text is there for the call.
    let (batch, why) = unsafe { (of(batch), String::from_utf8_lossy(why.bytes()).into_owned()) };
    expect(!why.is_empty(), || "a rejection says no reason".to_owned());
    batch.settle(first, count, &Settled::Rejected(why));
}
