//! What a filter answered, checked before it is trusted.

use crate::batch::{BatchFault, Held, View, checked};
use crate::text;
use pipeline_abi::{PlBatch, PlFiltered, PlReject};
use std::mem::{align_of, size_of};

/// Longest reject reason that is looked at, bytes.
const REASON_MAX: usize = 4096;

/// Why an answer is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerFault {
    #[error("answered with an invalid batch: {0}")]
    Batch(BatchFault),
    #[error("answered with a null or misaligned `origin`")]
    Origin,
    #[error(
        "said that output message {output} came from input message {input}, expected a number from {from} to {to}"
    )]
    Order {
        output: u32,
        input: u32,
        from: u32,
        to: u32,
    },
    #[error("answered with {count} rejects for {len} messages, or with a null list of them")]
    Rejects { count: u32, len: u32 },
    #[error("rejected message {index} of {len}")]
    Index { index: u32, len: u32 },
}

/// A checked answer.
pub(super) struct Answer {
    pub(super) output: Option<Output>,
    /// Input messages with reasons; ascending, each once.
    pub(super) rejects: Vec<(u32, String)>,
}

/// A filter's output batch and where its messages came from.
pub(super) struct Output {
    pub(super) view: View,
    origin: *const u32,
    /// Keeps the messages and `origin` alive.
    _held: Held,
}

// SAFETY: the batch and its `origin` are immutable until released, and may be read and released on any thread.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}

impl Output {
    /// For each output message its input message, never decreasing.
    pub(super) fn origin(&self) -> &[u32] {
        // SAFETY: checked to be there, and alive as long as the batch.
        unsafe { std::slice::from_raw_parts(self.origin, self.view.len() as usize) }
    }
}

impl Answer {
    /// An answer for the host to give in: nothing yet.
    pub(super) fn blank() -> PlFiltered {
        PlFiltered {
            struct_size: size_of::<PlFiltered>() as u32,
            n_rejects: 0,
            batch: std::ptr::null(),
            origin: std::ptr::null(),
            rejects: std::ptr::null(),
        }
    }

    /// Checks what a filter wrote for an input of `len` messages.
    ///
    /// # Safety
    /// `process` has just returned success with `raw`: the batch, if any, is ours, and the rejects are valid now.
    pub(super) unsafe fn read(raw: &PlFiltered, len: u32) -> Result<Self, AnswerFault> {
        // SAFETY: promised by the caller.
        let output = unsafe { read_output(raw.batch, raw.origin, len) }?;
        // SAFETY: promised by the caller.
        let rejects = unsafe { read_rejects(raw, len) }?;
        Ok(Answer { output, rejects })
    }
}

unsafe fn read_output(
    batch: *const PlBatch,
    origin: *const u32,
    len: u32,
) -> Result<Option<Output>, AnswerFault> {
    if batch.is_null() {
        return Ok(None);
    }
    // SAFETY: ours, promised by the caller.
    let view = unsafe { checked(batch) }.map_err(AnswerFault::Batch)?;
    // SAFETY: checked, and the reference is ours.
    let held = unsafe { Held::adopt(batch, None) };
    if origin.is_null() || origin.align_offset(align_of::<u32>()) != 0 {
        return Err(AnswerFault::Origin);
    }
    let output = Output {
        view,
        origin,
        _held: held,
    };
    let mut from = 0;
    for (index, input) in output.origin().iter().enumerate() {
        if *input < from || *input >= len {
            return Err(AnswerFault::Order {
                output: index as u32,
                input: *input,
                from,
                to: len - 1,
            });
        }
        from = *input;
    }
    Ok(Some(output))
}

unsafe fn read_rejects(raw: &PlFiltered, len: u32) -> Result<Vec<(u32, String)>, AnswerFault> {
    let count = raw.n_rejects;
    if count == 0 {
        return Ok(Vec::new());
    }
    let valid = !raw.rejects.is_null() && raw.rejects.align_offset(align_of::<PlReject>()) == 0;
    if count > len || !valid {
        return Err(AnswerFault::Rejects { count, len });
    }
    // SAFETY: there, aligned, and as many as the filter says.
    let rejects = unsafe { std::slice::from_raw_parts(raw.rejects, count as usize) };
    let mut read = Vec::with_capacity(rejects.len());
    for PlReject { index, why, .. } in rejects {
        if *index >= len {
            return Err(AnswerFault::Index { index: *index, len });
        }
        // SAFETY: text that is valid until the next `process`.
        read.push((*index, unsafe { text::owned(*why, REASON_MAX) }));
    }
    read.sort_by_key(|(index, _)| *index);
    read.dedup_by_key(|(index, _)| *index);
    Ok(read)
}
