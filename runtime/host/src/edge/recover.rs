//! After a consumer failed and was closed: what it left unsettled goes to the next one.

use super::delivery::Cargo;
use super::{Delivery, Edge};
use crate::settle::Suspicion;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

impl Edge {
    /// Queues what a closed consumer left unsettled, in edge order, before anything newer; a message that is guilty is
    /// rejected. `error` says how the consumer failed; without, it did not, and nothing is held against its messages.
    /// Answers with the number of messages that will be delivered again.
    ///
    /// Only when the consumer has been closed: nobody receives, and no word can come any more.
    pub(crate) fn recover(&self, error: Option<&str>) -> u64 {
        let mut left = self.pool.left();
        // SAFETY: references and unsettled messages are holds, and the consumer that could end them is closed.
        left.sort_by_key(|delivery| unsafe { delivery.as_ref().body() }.place);
        let mut again = Vec::new();
        for delivery in left {
            // SAFETY: as above.
            self.recover_one(unsafe { delivery.as_ref() }, error, &mut again);
        }
        // SAFETY: just filled, not shared yet.
        let messages = again
            .iter()
            .map(|new| u64::from(unsafe { new.as_ref().body() }.cargo.view.len()))
            .sum();
        self.stats.redelivered(messages);
        let mut waiting = self.redelivery.lock();
        self.rx.waiting.fetch_add(again.len(), Ordering::SeqCst);
        for delivery in again.into_iter().rev() {
            waiting.push_front(delivery);
        }
        messages
    }

    fn recover_one(
        &self,
        delivery: &Delivery,
        error: Option<&str>,
        again: &mut Vec<NonNull<Delivery>>,
    ) {
        let _own = delivery.keep();
        // SAFETY: held, just above.
        let cargo = unsafe { &delivery.body().cargo };
        let suspicion = match error {
            Some(_) => cargo.suspicion.after_crash(),
            None => cargo.suspicion,
        };
        for run in delivery.surrender() {
            match error {
                Some(error) if suspicion.is_guilty() => self.blame(delivery, cargo, run, error),
                _ => self.repeat(delivery, cargo, run, (suspicion, error), again),
            }
        }
    }

    fn blame(&self, delivery: &Delivery, cargo: &Cargo, run: Range<u32>, error: &str) {
        let why = Suspicion::reason(error);
        self.station().rejected(delivery, &cargo.view, run, &why);
        self.station().end_alone();
    }

    fn repeat(
        &self,
        old: &Delivery,
        cargo: &Cargo,
        run: Range<u32>,
        (suspicion, error): (Suspicion, Option<&str>),
        again: &mut Vec<NonNull<Delivery>>,
    ) {
        let alone = suspicion.comes_alone();
        if cargo.comes_alone() {
            self.station().return_alone();
        } else if alone {
            self.station().suspect(run.len());
        }
        let count = run.len() as u32;
        self.station()
            .redelivered(&cargo.view.slice(run.clone()), error);
        for part in parts(run, alone) {
            let claim = cargo.claim.from(part.start);
            again.push(self.again(Cargo {
                view: cargo.view.slice(part),
                claim,
                suspicion,
            }));
        }
        old.close(count);
    }

    /// A delivery that is charged but not counted as new.
    fn again(&self, cargo: Cargo) -> NonNull<Delivery> {
        let delivery = self.pool.take();
        self.window.charge(cargo.view.len(), cargo.view.bytes());
        // SAFETY: just taken from this edge's pool.
        unsafe { delivery.as_ref().fill(self, cargo) };
        delivery
    }

    /// Drops everything without settling it, when the flow ends: every stage is closed, and the edges that lead on from the
    /// consumer were abandoned before.
    pub(crate) fn abandon(&self) {
        self.redelivery.lock().clear();
        self.rx.waiting.store(0, Ordering::SeqCst);
        while self.queue.pop().is_some() {}
        for delivery in self.pool.held() {
            // SAFETY: the pool's deliveries are alive.
            let delivery = unsafe { delivery.as_ref() };
            let _own = delivery.keep();
            delivery.write_off();
        }
    }

    /// Whether nobody refers to any of the deliveries, so that the edge may go.
    pub(crate) fn is_unused(&self) -> bool {
        self.pool.held().is_empty()
    }
}

/// The run itself, or its messages one by one.
fn parts(run: Range<u32>, alone: bool) -> impl Iterator<Item = Range<u32>> {
    let step = if alone { 1 } else { run.len() };
    run.clone()
        .step_by(step)
        .map(move |start| start..(start + step as u32).min(run.end))
}
