//! A look at the batches that a stage makes.

use crate::violations::{expect, note};
use pipeline_abi::*;
use std::mem::offset_of;

/// Notes what breaks a rule in a batch that a plugin made; false when it must not be used.
///
/// # Safety
/// `batch` is null or a batch of which the caller has a reference.
pub(crate) unsafe fn check(batch: *const PlBatch) -> bool {
    // SAFETY: promised by the caller.
    let Some(made) = (unsafe { batch.as_ref() }) else {
        note("a null batch was sent");
        return false;
    };
    // SAFETY: as above.
    if let Err(why) = unsafe { check_shape(made) } {
        note(why);
        return false;
    }
    expect(made.made_ns > 0, || {
        "a batch does not say when it was made".to_owned()
    });
    // SAFETY: the shape is right.
    let messages = unsafe { messages(made) };
    let size = |message: &&PlMsg| u64::from(message.payload_len) + u64::from(message.key_len);
    let bytes: u64 = messages.iter().map(size).sum();
    expect(made.bytes == bytes, || {
        format!("a batch says {} bytes and has {bytes}", made.bytes)
    });
    for message in messages {
        check_message(message, made);
    }
    true
}

/// What must hold before anything behind the batch is looked at.
///
/// # Safety
/// The batch is alive.
unsafe fn check_shape(made: &PlBatch) -> Result<(), String> {
    let (size, stride) = (made.struct_size as usize, made.msg_stride as usize);
    if size < size_of::<PlBatch>() {
        return Err(format!("a batch has a struct_size of {size}"));
    }
    if stride < size_of::<PlMsg>() || stride % align_of::<PlMsg>() != 0 {
        return Err(format!("a batch has a msg_stride of {stride}"));
    }
    if !(1..=PL_BATCH_MAX).contains(&made.n_msgs) {
        return Err(format!("a batch has {} messages", made.n_msgs));
    }
    if made.msgs.is_null() {
        return Err("a batch's messages are null".to_owned());
    }
    if made.topic.ptr.is_null() && made.topic.len > 0 {
        return Err("a batch's topic is null and has a length".to_owned());
    }
    // SAFETY: null, or a table that is there as long as the batch.
    unsafe { check_functions(made.vt) }
}

/// # Safety
/// `vt` is null or begins with its size.
unsafe fn check_functions(vt: *const PlBatchVt) -> Result<(), String> {
    // SAFETY: promised by the caller.
    let size = unsafe { vt.cast::<u32>().as_ref() }.ok_or("a batch has no functions")?;
    if (*size as usize) < size_of::<PlBatchVt>() {
        return Err(format!("a batch's functions have a struct_size of {size}"));
    }
    let functions = [
        ("retain", offset_of!(PlBatchVt, retain)),
        ("release", offset_of!(PlBatchVt, release)),
        ("done", offset_of!(PlBatchVt, done)),
        ("reject", offset_of!(PlBatchVt, reject)),
    ];
    for (name, offset) in functions {
        // SAFETY: the table is long enough; read as a word because a Rust function is never null.
        if unsafe { vt.byte_add(offset).cast::<usize>().read() } == 0 {
            return Err(format!("a batch's `{name}` is null"));
        }
    }
    Ok(())
}

fn check_message(message: &PlMsg, batch: &PlBatch) {
    let (payload, key) = (message.payload.is_null(), message.key.is_null());
    expect(!payload || message.payload_len == 0, || {
        "a payload is null".to_owned()
    });
    expect(!key || message.key_len == 0, || {
        "a null key has a length".to_owned()
    });
    expect(!message.headers.is_null() || message.n_headers == 0, || {
        "headers are null".to_owned()
    });
    expect(message.ts_ns > 0, || "a message has no time".to_owned());
    let positioned = message.flags & PL_MSG_HAS_POSITION != 0;
    expect(!positioned || batch.topic.len > 0, || {
        "a message has a position and no topic".to_owned()
    });
}

/// The messages of a batch, by its stride.
///
/// # Safety
/// The batch is valid for `'a`.
pub(crate) unsafe fn messages<'a>(batch: &'a PlBatch) -> Vec<&'a PlMsg> {
    let message = |index: u32| {
        let offset = index as usize * batch.msg_stride as usize;
        // SAFETY: promised by the caller.
        unsafe { &*batch.msgs.byte_add(offset) }
    };
    (0..batch.n_msgs).map(message).collect::<Vec<&'a PlMsg>>()
}
