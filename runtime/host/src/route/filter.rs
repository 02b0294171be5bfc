//! A filter: called inline on the thread of whoever sends through it.
//!
//! When the filter fails, the batch that it failed on waits here, in the host's hands, for the next instance: filters
//! before this one have already seen it and do not see it again. Producers are parked meanwhile. From the second failure on
//! the same messages come one at a time, and one that fails each time it comes alone is rejected.
//!
//! The lock makes the calls one at a time, as the contract asks, and keeps the order of what goes on. It is held while the
//! filter works and its output is pushed, never while anybody waits; producers meet in it only where several share a filter.

use super::Outlet;
use super::answer::Answer;
use super::filtered::Filtered;
use crate::batch::View;
use crate::edge::Waiter;
use crate::metrics::Timings;
use crate::settle::{Claim, RejectRoute, Rejected, Suspicion, redelivered};
use crate::supervise::Seat;
use crate::tap::TapPoint;
use parking_lot::Mutex;
use pipeline_abi::{PL_AGAIN, PL_OK, PlBatch, PlFiltered, PlStage};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The `process` of an open instance.
pub(crate) struct Processor {
    pub(crate) stage: *mut PlStage,
    pub(crate) process: unsafe extern "C" fn(*mut PlStage, *const PlBatch, *mut PlFiltered) -> i32,
}

// SAFETY: `process` may be called on any thread, one at a time, which the filter's lock sees to.
unsafe impl Send for Processor {}

/// A filter stage between a producer and what follows.
pub(crate) struct FilterNode {
    seat: Arc<Seat>,
    outlet: Outlet,
    rejects: RejectRoute,
    /// An instance is there and nothing waits: producers may send.
    available: AtomicBool,
    parked: AtomicBool,
    waiters: OnceLock<Vec<Arc<Waiter>>>,
    work: Mutex<Work>,
    pub(crate) stats: FilterStats,
    /// Who looks at what comes in.
    pub(crate) tap: TapPoint,
}

/// What a filter measures.
#[derive(Default)]
pub(crate) struct FilterStats {
    pub(crate) messages: AtomicU64,
    pub(crate) passed: AtomicU64,
    pub(crate) redelivered: AtomicU64,
    pub(crate) processing: Timings,
}

#[derive(Default)]
struct Work {
    processor: Option<Processor>,
    waiting: VecDeque<Input>,
}

struct Input {
    view: View,
    claim: Claim,
    suspicion: Suspicion,
}

/// The filter failed: what it did not process, the culprit first.
struct Failure {
    left: Vec<Input>,
    error: String,
}

impl FilterNode {
    pub(crate) fn new(seat: Arc<Seat>, outlet: Outlet, rejects: RejectRoute) -> Arc<Self> {
        Arc::new(FilterNode {
            seat,
            outlet,
            rejects,
            available: AtomicBool::new(false),
            parked: AtomicBool::new(false),
            waiters: OnceLock::new(),
            work: Mutex::default(),
            stats: FilterStats::default(),
            tap: TapPoint::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.seat.name()
    }

    pub(crate) fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// Names everybody who may be parked here.
    pub(crate) fn set_waiters(&self, waiters: Vec<Arc<Waiter>>) {
        let _ = self.waiters.set(waiters);
    }

    pub(crate) fn is_available(&self) -> bool {
        self.available.load(Ordering::SeqCst)
    }

    /// Raises the producers' flag; to be followed by another look at [`FilterNode::is_available`].
    pub(crate) fn park(&self) {
        self.parked.store(true, Ordering::SeqCst);
    }

    /// Whether no messages wait for the next instance.
    pub(crate) fn is_idle(&self) -> bool {
        self.work.lock().waiting.is_empty()
    }

    /// Processes messages, or keeps them if the filter is away.
    pub(crate) fn offer(&self, view: View, claim: Claim) {
        self.tap.pass(&view);
        let mut work = self.work.lock();
        let input = Input {
            view,
            claim,
            suspicion: Suspicion::default(),
        };
        work.waiting.push_back(input);
        self.work_off(&mut work);
    }

    /// A new instance is open: what waits is processed first, then producers go on.
    pub(crate) fn attach(&self, processor: Processor) {
        let mut work = self.work.lock();
        work.processor = Some(processor);
        self.work_off(&mut work);
        if work.processor.is_none() {
            return;
        }
        self.available.store(true, Ordering::SeqCst);
        if self.parked.swap(false, Ordering::SeqCst) {
            self.waiters
                .get()
                .into_iter()
                .flatten()
                .for_each(|waiter| waiter.wake());
        }
    }

    /// The instance is about to be closed. When this returns, `process` is not running and will not be called.
    pub(crate) fn detach(&self) {
        let mut work = self.work.lock();
        self.available.store(false, Ordering::SeqCst);
        work.processor = None;
    }

    /// Drops what waits without settling it, when the flow ends.
    pub(crate) fn abandon(&self) {
        let waiting = std::mem::take(&mut self.work.lock().waiting);
        drop(waiting);
    }

    fn work_off(&self, work: &mut Work) {
        while let Some(processor) = &work.processor {
            let Some(input) = work.waiting.pop_front() else {
                return;
            };
            if input.suspicion.is_none() {
                self.stats
                    .messages
                    .fetch_add(u64::from(input.view.len()), Ordering::Relaxed);
            }
            if let Err(failure) = self.process(processor, input) {
                self.available.store(false, Ordering::SeqCst);
                work.processor = None;
                self.seat.fail(&failure.error);
                self.keep(work, failure);
            }
        }
    }

    fn process(&self, processor: &Processor, input: Input) -> Result<(), Failure> {
        let began = Instant::now();
        let filtered = Filtered::new(input.view, input.claim.clone());
        let mut raw = Answer::blank();
        // SAFETY: the instance is open, started and ours alone while the lock is held.
        let status =
            unsafe { (processor.process)(processor.stage, filtered.input(), &raw mut raw) };
        self.stats.processing.record(began.elapsed(), 1);
        let failed = |error: String, input| {
            Err(Failure {
                left: vec![input],
                error,
            })
        };
        match status {
            // SAFETY: success, just returned.
            PL_OK => match unsafe { Answer::read(&raw, input.view.len()) } {
                Ok(answer) => {
                    filtered.take(answer, &self.seat, &self.rejects, |view, claim| {
                        self.pass_on(view, claim)
                    });
                    Ok(())
                }
                Err(fault) => failed(fault.to_string(), input),
            },
            PL_AGAIN => self.halve(processor, input),
            status => failed(
                self.seat
                    .failure_or(|| format!("`process` failed with status {status}")),
                input,
            ),
        }
    }

    fn pass_on(&self, view: View, claim: Claim) {
        self.stats
            .passed
            .fetch_add(u64::from(view.len()), Ordering::Relaxed);
        self.outlet.offer(view, claim);
    }

    /// The output does not fit one batch: the input comes in halves. A single message that does not fit is rejected.
    fn halve(&self, processor: &Processor, input: Input) -> Result<(), Failure> {
        let len = input.view.len();
        if len == 1 {
            self.reject(
                &input,
                "the output of this one message does not fit a batch",
            );
            return Ok(());
        }
        let (first, second) = (input.part(0, len / 2), input.part(len / 2, len));
        match self.process(processor, first) {
            Ok(()) => self.process(processor, second),
            Err(mut failure) => {
                failure.left.push(second);
                Err(failure)
            }
        }
    }

    /// Keeps what a failed instance did not process for the next one; a culprit that is guilty is rejected.
    fn keep(&self, work: &mut Work, failure: Failure) {
        let mut left = failure.left.into_iter();
        let Some(mut culprit) = left.next() else {
            return;
        };
        left.rev().for_each(|input| work.waiting.push_front(input));
        culprit.suspicion = culprit.suspicion.after_crash();
        if culprit.suspicion.is_guilty() {
            self.reject(&culprit, &Suspicion::reason(&failure.error));
            return;
        }
        redelivered(&self.seat, &culprit.view, Some(&failure.error));
        let len = culprit.view.len();
        self.stats
            .redelivered
            .fetch_add(u64::from(len), Ordering::Relaxed);
        if culprit.suspicion.comes_alone() {
            for index in (0..len).rev() {
                work.waiting.push_front(culprit.part(index, index + 1));
            }
        } else {
            work.waiting.push_front(culprit);
        }
    }

    fn reject(&self, input: &Input, why: &str) {
        let rejected = Rejected {
            view: &input.view,
            range: 0..input.view.len(),
            why,
        };
        self.rejects
            .take(&self.seat, &rejected, input.claim.clone());
    }
}

impl Input {
    fn part(&self, from: u32, to: u32) -> Input {
        Input {
            view: self.view.slice(from..to),
            claim: self.claim.from(from),
            ..*self
        }
    }
}
