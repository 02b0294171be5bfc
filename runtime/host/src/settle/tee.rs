//! Fan-out: one batch that went to several consumers is done when all of them are.

use super::{Claim, Node, Tally};
use std::ops::Range;

/// A batch that was handed to several consumers.
pub(crate) struct Tee {
    upstream: Claim,
    tally: Tally,
}

impl Tee {
    /// A batch of `len` messages that goes to `consumers` consumers, each of which settles each message once.
    pub(crate) fn new(upstream: Claim, consumers: u16, len: u32) -> Self {
        Tee {
            upstream,
            tally: Tally::same(consumers, len),
        }
    }
}

impl Node for Tee {
    fn done(&self, range: Range<u32>) {
        for run in self.tally.report(range) {
            self.upstream.done(run);
        }
    }
}
