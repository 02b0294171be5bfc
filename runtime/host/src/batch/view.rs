//! A view of some messages of a batch, and the checks that a foreign batch must pass before one is made.
//!
//! Invariant: a [`View`] is made from a batch that passed [`checked`] or from a part of another view, and whoever holds it
//! also holds a reference to the batch behind it; so every message in it may be read.

use pipeline_abi::{PL_BATCH_MAX, PlBatch, PlBatchVt, PlMsg, PlStr};
use std::mem::{align_of, offset_of, size_of};
use std::ops::Range;

/// Most bytes that a batch is believed to have: what its messages can have at most. Sums of it cannot overflow.
const BYTES_MAX: u64 = PL_BATCH_MAX as u64 * 2 * u32::MAX as u64;

/// Why a batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchFault {
    #[error("the batch is a null or misaligned pointer")]
    Pointer,
    #[error("`struct_size` of the batch is {0}, expected at least {expected}", expected = size_of::<PlBatch>())]
    Size(u32),
    #[error("`msg_stride` is {0}, expected a multiple of 8 from {smallest}", smallest = size_of::<PlMsg>())]
    Stride(u32),
    #[error("the batch holds {0} messages, expected 1 to {PL_BATCH_MAX}")]
    Count(u32),
    #[error("`msgs` is a null or misaligned pointer")]
    Messages,
    #[error("the batch's functions are missing or incomplete")]
    Functions,
}

/// A contiguous run of messages, aliasing their maker's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    msgs: *const PlMsg,
    stride: u32,
    len: u32,
    flags: u32,
    topic: PlStr,
    bytes: u64,
    made_ns: i64,
}

/// Checks a batch that came over the boundary.
///
/// # Safety
/// `batch` is null, or points to a batch (perhaps a wrongly filled one) to which the caller has a reference.
pub(crate) unsafe fn checked(batch: *const PlBatch) -> Result<View, BatchFault> {
    if batch.is_null() || batch.align_offset(align_of::<PlBatch>()) != 0 {
        return Err(BatchFault::Pointer);
    }
    // SAFETY: `struct_size` is the first word of every version of the structure.
    let size = unsafe { batch.cast::<u32>().read() };
    if (size as usize) < size_of::<PlBatch>() {
        return Err(BatchFault::Size(size));
    }
    // SAFETY: the maker filled in at least as many bytes as this version of the structure has.
    let batch = unsafe { &*batch };
    if (batch.msg_stride as usize) < size_of::<PlMsg>()
        || !(batch.msg_stride as usize).is_multiple_of(align_of::<PlMsg>())
    {
        return Err(BatchFault::Stride(batch.msg_stride));
    }
    if batch.n_msgs == 0 || batch.n_msgs > PL_BATCH_MAX {
        return Err(BatchFault::Count(batch.n_msgs));
    }
    if batch.msgs.is_null() || batch.msgs.align_offset(align_of::<PlMsg>()) != 0 {
        return Err(BatchFault::Messages);
    }
    // SAFETY: a non-null table of functions; read as plain words before any of them is trusted.
    if !unsafe { has_functions(batch.vt) } {
        return Err(BatchFault::Functions);
    }
    // SAFETY: the fields were just checked.
    Ok(unsafe { View::of(batch) })
}

/// Says whether a batch's table is there with all its functions.
unsafe fn has_functions(vt: *const PlBatchVt) -> bool {
    if vt.is_null() || vt.align_offset(align_of::<PlBatchVt>()) != 0 {
        return false;
    }
    // SAFETY: `struct_size` is the first word of every version of the table.
    if (unsafe { vt.cast::<u32>().read() } as usize) < size_of::<PlBatchVt>() {
        return false;
    }
    let words = [
        offset_of!(PlBatchVt, retain),
        offset_of!(PlBatchVt, release),
        offset_of!(PlBatchVt, done),
        offset_of!(PlBatchVt, reject),
    ];
    // SAFETY: the table is large enough for these words, which need not be valid functions to be read as integers.
    words
        .iter()
        .all(|offset| unsafe { vt.byte_add(*offset).cast::<usize>().read() } != 0)
}

impl View {
    /// All messages of a batch.
    ///
    /// # Safety
    /// The batch's fields are right: it passed [`checked`], or the host made it.
    pub(crate) unsafe fn of(batch: &PlBatch) -> Self {
        View {
            msgs: batch.msgs,
            stride: batch.msg_stride,
            len: batch.n_msgs,
            flags: batch.flags,
            topic: if batch.topic.ptr.is_null() {
                PlStr::EMPTY
            } else {
                batch.topic
            },
            bytes: batch.bytes.min(BYTES_MAX),
            made_ns: batch.made_ns,
        }
    }

    /// Number of messages.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// What the messages cost of a byte window.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Topic of the messages' positions.
    pub(crate) fn topic(&self) -> PlStr {
        self.topic
    }

    /// When the batch was made.
    pub(crate) fn made_ns(&self) -> i64 {
        self.made_ns
    }

    /// Message `index`.
    ///
    /// # Panics
    /// When there is no such message.
    pub(crate) fn message(&self, index: u32) -> &PlMsg {
        assert!(index < self.len, "message {index} of {}", self.len);
        // SAFETY: inside the messages, which are immutable and alive as long as the holder of this view holds the batch.
        unsafe { &*self.msgs.byte_add(index as usize * self.stride as usize) }
    }

    /// A part of the messages.
    ///
    /// # Panics
    /// When the range is empty or not inside.
    pub(crate) fn slice(&self, range: Range<u32>) -> View {
        assert!(
            range.start < range.end && range.end <= self.len,
            "{range:?} of {}",
            self.len
        );
        if range.len() as u32 == self.len {
            return *self;
        }
        // SAFETY: as for `message`.
        let msgs = unsafe {
            self.msgs
                .byte_add(range.start as usize * self.stride as usize)
        };
        let mut part = View {
            msgs,
            len: range.len() as u32,
            ..*self
        };
        part.bytes = (0..part.len).map(|index| cost(part.message(index))).sum();
        part
    }

    /// A batch structure over these messages.
    pub(crate) fn header(&self, vt: &'static PlBatchVt) -> PlBatch {
        PlBatch {
            struct_size: size_of::<PlBatch>() as u32,
            msg_stride: self.stride,
            n_msgs: self.len,
            flags: self.flags,
            topic: self.topic,
            msgs: self.msgs,
            vt,
            bytes: self.bytes,
            made_ns: self.made_ns,
        }
    }
}

// SAFETY: the messages behind a view are immutable and may be read on any thread.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

/// Payload and key bytes of one message.
fn cost(message: &PlMsg) -> u64 {
    u64::from(message.payload_len) + u64::from(message.key_len)
}
