//! Spans of a batch's messages, which end when the messages are done.

use crate::Span;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The spans of the sampled messages of one batch, by index.
#[derive(Default)]
pub(crate) struct OpenSpans {
    /// Written while the batch is filled, only read from then on: most batches have no span, and take no lock.
    any: bool,
    open: Mutex<Vec<(u32, Span)>>,
}

impl OpenSpans {
    pub(crate) fn push(&mut self, index: u32, span: Span) {
        self.any = true;
        self.all().push((index, span));
    }

    fn all(&mut self) -> &mut Vec<(u32, Span)> {
        self.open.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the spans of messages that are done.
    pub(crate) fn done(&self, range: Range<u32>) {
        if !self.any {
            return;
        }
        let done: Vec<_> = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.extract_if(.., |(index, _)| range.contains(index))
                .collect()
        };
        // Handed over without the lock.
        drop(done);
    }

    /// Ends what is left: the batch is given up.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.any) {
            for (_, mut span) in self.all().drain(..) {
                span.fail("unsettled", "given up before it was delivered");
            }
        }
    }
}
