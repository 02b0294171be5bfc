//! A batch that went through a filter: maps what is settled of the output back to the input.
//!
//! Mostly each input message made at most one output message and none was rejected. Then output message `k` answers for the
//! input from its origin up to the next one's, dropped messages included, and a run of outputs that are done is one run of
//! inputs: no counting, no lock. Otherwise the obligations of each input message are counted.

use super::answer::{Answer, Output};
use crate::batch::View;
use crate::settle::{Claim, Node, RejectRoute, Rejected, Tally};
use crate::supervise::Seat;
use pipeline_abi::{PlBatch, PlBatchVt, PlStr};
use std::mem::size_of;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A filter's input is the host's: there is nothing to count and nothing to say.
static INPUT_VT: PlBatchVt = PlBatchVt {
    struct_size: size_of::<PlBatchVt>() as u32,
    reserved: 0,
    retain: ignore,
    release: ignore,
    done: ignore_done,
    reject: ignore_reject,
};

unsafe extern "C" fn ignore(_: *const PlBatch) {}
unsafe extern "C" fn ignore_done(_: *const PlBatch, _: u32, _: u32) {}
unsafe extern "C" fn ignore_reject(_: *const PlBatch, _: u32, _: u32, _: PlStr) {}

/// An input of a filter with its output.
pub(super) struct Filtered {
    // The order of the fields is the order of their end: the output may point into the input.
    output: OnceLock<Mapped>,
    input: PlBatch,
    view: View,
    upstream: Claim,
}

/// How the output maps to the input.
struct Mapped {
    output: Option<Output>,
    /// None: every output message answers for a span of the input.
    tally: Option<Tally>,
}

/// The input messages that the filter rejected.
struct RejectedInput(Arc<Filtered>);

impl Node for RejectedInput {
    fn done(&self, range: Range<u32>) {
        self.0.inputs_done(range);
    }
}

impl Node for Filtered {
    fn done(&self, range: Range<u32>) {
        let Some(Mapped {
            output: Some(output),
            tally,
        }) = self.output.get()
        else {
            return;
        };
        let origin = output.origin();
        match tally {
            None => {
                let start = |index: u32| match index {
                    0 => 0,
                    index => origin
                        .get(index as usize)
                        .copied()
                        .unwrap_or(self.view.len()),
                };
                self.upstream.done(start(range.start)..start(range.end));
            }
            Some(tally) => {
                let inputs = origin[range.start as usize..range.end as usize]
                    .iter()
                    .copied();
                tally
                    .report_each(inputs)
                    .into_iter()
                    .for_each(|run| self.upstream.done(run));
            }
        }
    }
}

impl Filtered {
    pub(super) fn new(view: View, upstream: Claim) -> Arc<Self> {
        Arc::new(Filtered {
            output: OnceLock::new(),
            input: view.header(&INPUT_VT),
            view,
            upstream,
        })
    }

    /// What the filter is given.
    pub(super) fn input(&self) -> &PlBatch {
        &self.input
    }

    /// Takes the answer in: settles what was dropped, routes what was rejected. Answers with the messages that go on.
    pub(super) fn take(
        self: Arc<Self>,
        answer: Answer,
        seat: &Seat,
        route: &RejectRoute,
        on: impl FnOnce(View, Claim),
    ) {
        let len = self.view.len();
        let Answer { output, rejects } = answer;
        if output.is_none() && rejects.is_empty() {
            return self.upstream.done(0..len);
        }
        let view = output.as_ref().map(|output| output.view);
        let origin = output.as_ref().map_or(&[][..], Output::origin);
        let simple = rejects.is_empty() && origin.windows(2).all(|pair| pair[0] < pair[1]);
        let counts = (!simple).then(|| counts(len, origin, &rejects));
        let dropped = counts.as_deref().map(dropped).unwrap_or_default();
        let _ = self.output.set(Mapped {
            output,
            tally: counts.map(Tally::each),
        });
        if let Some(view) = view {
            on(view, Claim::node(self.clone()));
        }
        dropped.into_iter().for_each(|run| self.upstream.done(run));
        for (index, why) in &rejects {
            let rejected = Rejected {
                view: &self.view,
                range: *index..index + 1,
                why,
            };
            let claim = Claim::node(Arc::new(RejectedInput(self.clone()))).from(*index);
            route.take(seat, &rejected, claim);
        }
    }

    fn inputs_done(&self, range: Range<u32>) {
        if let Some(Mapped {
            tally: Some(tally), ..
        }) = self.output.get()
        {
            tally
                .report(range)
                .into_iter()
                .for_each(|run| self.upstream.done(run));
        }
    }
}

// SAFETY: the input header is immutable, and what it points to is held by the upstream claim.
unsafe impl Send for Filtered {}
// SAFETY: as above.
unsafe impl Sync for Filtered {}

/// What is owed for each input message.
fn counts(len: u32, origin: &[u32], rejects: &[(u32, String)]) -> Box<[u16]> {
    let mut counts = vec![0; len as usize];
    origin
        .iter()
        .chain(rejects.iter().map(|(index, _)| index))
        .for_each(|index| counts[*index as usize] += 1);
    counts.into()
}

/// The runs of input messages for which nothing is owed.
fn dropped(counts: &[u16]) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    for (index, _) in counts.iter().enumerate().filter(|(_, count)| **count == 0) {
        let index = index as u32;
        match runs.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}
