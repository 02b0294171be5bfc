//! Dead letters: rejected messages with the headers that say what happened to them.

use super::reject::Rejected;
use super::{Claim, Node};
use crate::batch::View;
use crate::text::clipped;
use pipeline_abi::{PL_MSG_HAS_POSITION, PlBatch, PlHeader, PlMsg, PlStr};
use std::mem::size_of;
use std::ops::Range;
use std::sync::Arc;

const REASON: &str = "pipeline-reject-reason";
const STAGE: &str = "pipeline-reject-stage";
const ORIGIN: &str = "pipeline-origin";
const TIMESTAMP: &str = "pipeline-timestamp";

/// Longest reason that goes into a header, bytes.
const REASON_MAX: usize = 4096;

/// Rejected messages: their own structures and headers, the payloads and keys still the producer's, which the claim holds.
pub(crate) struct Letter {
    upstream: Claim,
    msgs: Vec<PlMsg>,
    /// Never read again after construction, only pointed to by `msgs`.
    _headers: Vec<PlHeader>,
    /// Never read again after construction, only pointed to by `_headers`.
    _texts: Vec<String>,
}

// SAFETY: the pointers inside lead to memory that this structure owns or that its claim holds; all of it is immutable.
unsafe impl Send for Letter {}
// SAFETY: as above.
unsafe impl Sync for Letter {}

impl Node for Letter {
    fn done(&self, range: Range<u32>) {
        self.upstream.done(range);
    }
}

impl Letter {
    /// Writes the dead letters of what `stage` rejected: the messages to deliver and the claim that settles them.
    pub(crate) fn write(stage: &str, rejected: &Rejected<'_>, claim: Claim) -> (View, Claim) {
        let view = rejected.view.slice(rejected.range.clone());
        let texts = texts(stage, rejected.why, &view);
        let (headers, counts) = headers(&texts, &view);
        let mut at = headers.as_ptr();
        let mut msgs = Vec::with_capacity(counts.len());
        for (index, count) in counts.iter().enumerate() {
            msgs.push(PlMsg {
                headers: at,
                n_headers: *count,
                ..*view.message(index as u32)
            });
            // SAFETY: the counts add up to the length of `headers`, so this is at most one past its end.
            at = unsafe { at.add(*count as usize) };
        }
        let letter = Letter {
            upstream: claim,
            msgs,
            _headers: headers,
            _texts: texts,
        };
        let batch = letter.batch(&view);
        // SAFETY: the batch was made just above, over messages that live in the letter, which the claim keeps alive.
        let view = unsafe { View::of(&batch) };
        (view, Claim::node(Arc::new(letter)))
    }

    fn batch(&self, view: &View) -> PlBatch {
        PlBatch {
            struct_size: size_of::<PlBatch>() as u32,
            msg_stride: size_of::<PlMsg>() as u32,
            n_msgs: self.msgs.len() as u32,
            flags: 0,
            topic: view.topic(),
            msgs: self.msgs.as_ptr(),
            vt: std::ptr::null(),
            bytes: view.bytes(),
            made_ns: view.made_ns(),
        }
    }
}

/// The header values: reason and stage for all, then entry time and origin of each message.
fn texts(stage: &str, why: &str, view: &View) -> Vec<String> {
    let mut texts = vec![clipped(why, REASON_MAX).to_owned(), stage.to_owned()];
    for index in 0..view.len() {
        let message = view.message(index);
        texts.push(message.ts_ns.to_string());
        // SAFETY: the topic is immutable text of the batch that the rejected view aliases.
        let topic = unsafe { view.topic().text() };
        texts.push(if message.flags & PL_MSG_HAS_POSITION == 0 {
            String::new()
        } else {
            format!("{topic}/{}:{}", message.partition, message.offset)
        });
    }
    texts
}

/// All headers in one row, and how many of them belong to each message.
fn headers(texts: &[String], view: &View) -> (Vec<PlHeader>, Vec<u16>) {
    let mut headers = Vec::new();
    let mut counts = Vec::with_capacity(view.len() as usize);
    for index in 0..view.len() {
        let before = headers.len();
        let own = &texts[2 + 2 * index as usize..];
        headers.extend(kept(view.message(index)));
        headers.extend([
            header(REASON, &texts[0]),
            header(STAGE, &texts[1]),
            header(TIMESTAMP, &own[0]),
        ]);
        if !own[1].is_empty() {
            headers.push(header(ORIGIN, &own[1]));
        }
        counts.push((headers.len() - before) as u16);
    }
    (headers, counts)
}

/// The headers that a message came with, without those that the letter writes itself.
fn kept(message: &PlMsg) -> impl Iterator<Item = PlHeader> {
    let own = [REASON, STAGE, ORIGIN, TIMESTAMP];
    let headers: &[PlHeader] = if message.n_headers == 0 || message.headers.is_null() {
        &[]
    } else {
        // SAFETY: a message has as many headers as it says, immutable as long as its batch is held.
        unsafe { std::slice::from_raw_parts(message.headers, message.n_headers as usize) }
    };
    // SAFETY: as above, of the names.
    let theirs = move |header: &&PlHeader| !own.contains(&unsafe { header.name.text() });
    headers
        .iter()
        .filter(theirs)
        .take(usize::from(u16::MAX) - own.len())
        .copied()
}

fn header(name: &'static str, value: &str) -> PlHeader {
    PlHeader {
        name: PlStr::new(name.as_bytes()),
        value: PlStr::new(value.as_bytes()),
    }
}
