//! A batch that a stage received.
//!
//! Invariant: the reference that a `Batch` owns keeps all that is reachable from it valid and unchanged.

use crate::Message;
use bytes::Bytes;
use pipeline_abi::*;
use std::ops::Range;

/// A batch that a stage received: immutable, shared by reference counting, never copied.
///
/// Each message is settled once, by [`done`](Batch::done) or [`reject`](Batch::reject), on any thread and in any order;
/// settling does not need the last reference. Dropping the last reference with unsettled messages is a bug of the stage:
/// the host says so, restarts the stage and delivers them again.
#[derive(Debug)]
pub struct Batch(*const PlBatch);

// SAFETY: a batch is immutable and its functions may be called on any thread.
unsafe impl Send for Batch {}
// SAFETY: as above.
unsafe impl Sync for Batch {}

impl Batch {
    /// # Safety
    /// `raw` is a valid batch, one reference of which moves here.
    pub(crate) unsafe fn from_raw(raw: *const PlBatch) -> Self {
        Batch(raw)
    }

    fn raw(&self) -> &PlBatch {
        // SAFETY: the reference that `self` owns keeps it valid.
        unsafe { &*self.0 }
    }

    fn vt(&self) -> &PlBatchVt {
        // SAFETY: as above.
        unsafe { &*self.raw().vt }
    }

    /// Number of messages, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.raw().n_msgs as usize
    }

    /// Payload and key bytes of all messages.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.raw().bytes
    }

    /// Topic of the messages' positions; empty when they have none.
    #[must_use]
    pub fn topic(&self) -> &str {
        // SAFETY: the reference that `self` owns keeps it valid.
        unsafe { self.raw().topic.text() }
    }

    /// When the batch was made, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn made_ns(&self) -> i64 {
        self.raw().made_ns
    }

    /// Message `index`.
    ///
    /// # Panics
    /// If `index` is not below `len`.
    #[must_use]
    pub fn get(&self, index: usize) -> Message<'_> {
        assert!(
            index < self.len(),
            "message {index} of a batch of {}",
            self.len()
        );
        let raw = self.raw();
        // SAFETY: in bounds; messages are `msg_stride` bytes apart and live as long as the reference that `self` owns.
        unsafe {
            let message = raw.msgs.byte_add(index * raw.msg_stride as usize);
            Message::new(&*message, raw)
        }
    }

    /// The messages, in order.
    #[must_use]
    pub fn iter(&self) -> Messages<'_> {
        Messages {
            batch: self,
            range: 0..self.len(),
        }
    }

    /// The payload of message `index`, sharing the batch's memory.
    ///
    /// # Panics
    /// If `index` is not below `len`.
    #[must_use]
    pub fn payload(&self, index: usize) -> Bytes {
        struct Shared(Batch, usize);
        impl AsRef<[u8]> for Shared {
            fn as_ref(&self) -> &[u8] {
                self.0.get(self.1).payload()
            }
        }
        Bytes::from_owner(Shared(self.clone(), index))
    }

    /// Says that all messages are delivered.
    pub fn done(&self) {
        self.done_range(0..self.raw().n_msgs);
    }

    /// Says that a range of messages is delivered.
    pub fn done_range(&self, range: Range<u32>) {
        // SAFETY: the batch's own function; the host checks the range.
        unsafe { (self.vt().done)(self.0, range.start, range.end.saturating_sub(range.start)) }
    }

    /// Says that a range of messages can never be delivered, and why.
    pub fn reject(&self, range: Range<u32>, why: &str) {
        // SAFETY: the batch's own function; the host checks the range and copies the text.
        unsafe {
            (self.vt().reject)(
                self.0,
                range.start,
                range.end.saturating_sub(range.start),
                PlStr::new(why.as_bytes()),
            );
        }
    }
}

impl Clone for Batch {
    /// Takes one more reference.
    fn clone(&self) -> Self {
        // SAFETY: the batch's own function, on a reference that is held.
        unsafe { (self.vt().retain)(self.0) };
        Batch(self.0)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: gives back the one reference that `self` owns.
        unsafe { (self.vt().release)(self.0) }
    }
}

/// The messages of a batch, in order.
pub struct Messages<'a> {
    batch: &'a Batch,
    range: Range<usize>,
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        self.range.next().map(|index| self.batch.get(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl ExactSizeIterator for Messages<'_> {}

impl<'a> IntoIterator for &'a Batch {
    type Item = Message<'a>;
    type IntoIter = Messages<'a>;

    fn into_iter(self) -> Messages<'a> {
        self.iter()
    }
}
