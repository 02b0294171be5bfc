//! The life of one stage, on a thread of its own.
//!
//! ```text
//!            ┌────────────────────── backoff ◀────────────────────┐
//!            ▼                                                    │ failed: close, queue again what it left
//! open ─▶ OPENING ─opened─▶ RUNNING ─drain─▶ DRAINING ─drained─▶ DRAINED
//!                              │ ▲              │                  │
//!                     finished ▼ └── opened ────┴─ swap: close, open with the new settings (or the old ones again)
//!                           FINISHED                               │ close
//!                              └───────────────────────────────────┴──────▶ CLOSED
//! ```

use super::backoff::Backoff;
use super::board::StageState;
use super::instance::{Instance, Ports};
use super::mail::{Command, Mail};
use super::opening::Opening;
use super::swap::Swap;
use super::{Post, Seat};
use crate::callbacks::Level;
use crate::flow::{Restart, StageSpec};
use crate::loader::Role;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long an instance may take to say that it is open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a failed or replaced instance may take to end.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a condition is looked at that nobody announces.
const POLL: Duration = Duration::from_millis(5);

/// Supervises one stage.
pub(crate) struct Supervisor {
    pub(super) seat: Arc<Seat>,
    pub(super) post: Post,
    pub(super) spec: StageSpec,
    pub(super) instance: Option<Instance>,
    pub(super) phase: Phase,
    backoff: Backoff,
    opening: Opening,
    /// Asked to drain, until then.
    pub(super) drain: Option<Instant>,
    pub(super) swap: Option<Swap>,
    pub(super) retired: VecDeque<Ports>,
}

/// Where the life is, with what only that place needs.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Phase {
    Opening {
        since: Instant,
    },
    Running {
        since: Instant,
    },
    Draining,
    Drained,
    Finished,
    /// Failed; opened again then, or never.
    Down {
        until: Option<Instant>,
    },
    Ended,
}

impl Supervisor {
    /// Starts the thread, which opens the stage at once.
    pub(crate) fn spawn(
        seat: Arc<Seat>,
        post: Post,
        spec: StageSpec,
    ) -> std::io::Result<JoinHandle<()>> {
        let opening = Opening::asked_for();
        let name: String = seat.name().chars().take(15).collect();
        std::thread::Builder::new().name(name).spawn(move || {
            let phase = Phase::Down { until: None };
            let (backoff, retired) = (Backoff::default(), VecDeque::new());
            let mut this = Supervisor {
                seat,
                post,
                spec,
                instance: None,
                phase,
                backoff,
                opening,
                drain: None,
                swap: None,
                retired,
            };
            this.open();
            while this.phase != Phase::Ended {
                let mail = this.seat.mailbox().next(this.alarm());
                this.handle(mail);
                this.tick();
            }
        })
    }

    // === what arrives ===

    fn handle(&mut self, mail: Mail) {
        match (mail.failed, mail.found) {
            (Some(error), _) => self.failed(&error),
            (None, Some(fault)) => self.found(&fault),
            (None, None) => {
                if mail.opened {
                    self.opened();
                }
                if mail.drained {
                    self.drained();
                }
                if mail.finished {
                    self.finished();
                }
            }
        }
        for command in mail.commands {
            match command {
                _ if self.phase == Phase::Ended => {}
                Command::Drain { until } => self.begin_drain(until),
                Command::Swap { spec, until } => self.begin_swap(spec, until),
                Command::Resume => self.resume(),
                Command::Close { timeout } => self.end(timeout),
            }
        }
    }

    /// The next moment at which something is due without mail.
    fn alarm(&self) -> Option<Instant> {
        match (self.phase, &self.swap) {
            (Phase::Opening { since }, _) => Some(since + OPEN_TIMEOUT),
            (Phase::Down { until }, _) => until,
            (Phase::Drained, Some(Swap::Leaving { .. })) => Some(Instant::now() + POLL),
            (_, Some(Swap::Leaving { until, .. })) => Some(*until),
            _ => None,
        }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        match self.phase {
            Phase::Opening { since } if now >= since + OPEN_TIMEOUT => {
                self.found(&format!("did not open within {} s", OPEN_TIMEOUT.as_secs()));
            }
            Phase::Down { until: Some(until) } if now >= until => self.reopen(),
            _ => self.tick_swap(now),
        }
    }

    // === opening ===

    pub(super) fn open(&mut self) {
        self.phase = Phase::Opening {
            since: Instant::now(),
        };
        self.seat.set_state(StageState::Opening);
        // Before the instance exists: what it says about its health counts from its first word on.
        self.seat.set_healthy();
        self.opening.begin(&self.seat);
        match Instance::open(&self.seat, &self.spec, &self.post) {
            Ok(instance) => self.instance = Some(instance),
            Err(error) => self.down(&error, Duration::ZERO),
        }
    }

    pub(super) fn reopen(&mut self) {
        self.seat.change(|board| board.restarts += 1);
        self.open();
    }

    fn opened(&mut self) {
        let (Phase::Opening { .. }, Some(instance)) = (self.phase, &self.instance) else {
            return;
        };
        if let Err(error) = instance.start() {
            return self.found(&error);
        }
        let processor = instance
            .processor()
            .filter(|_| self.post.role() == Role::Filter);
        self.phase = Phase::Running {
            since: Instant::now(),
        };
        self.opening.end();
        self.seat.set_state(StageState::Running);
        self.seat
            .change(|board| _ = board.first_open.get_or_insert(Ok(())));
        if let Some(Swap::Trying { .. }) = self.swap {
            self.swap = None;
            self.seat.change(|board| board.swapped = Some(Ok(())));
        }
        self.post.attach(processor);
        if self.drain.is_some() {
            self.call_drain();
        }
    }

    // === failing ===

    /// The instance said that it cannot go on.
    pub(super) fn failed(&mut self, error: &str) {
        self.bury(true, |_| error.to_owned());
    }

    /// The host found that the instance cannot go on. That is often only a consequence: what the instance itself says while
    /// it is closed is nearer to the cause.
    pub(super) fn found(&mut self, fault: &str) {
        self.bury(true, |said| said.unwrap_or_else(|| fault.to_owned()));
    }

    /// As [`Supervisor::found`], of a fault that has nothing to do with the messages in its hands.
    pub(super) fn found_innocent(&mut self, fault: &str) {
        self.bury(false, |said| said.unwrap_or_else(|| fault.to_owned()));
    }

    /// Closes the instance and queues what it left for the next one. `blame` holds the end against the messages that it had;
    /// `error` is given what it said meanwhile.
    fn bury(&mut self, blame: bool, error: impl FnOnce(Option<String>) -> String) {
        let ran = match self.phase {
            Phase::Running { since } => since.elapsed(),
            Phase::Down { .. } | Phase::Ended => return,
            _ => Duration::ZERO,
        };
        let at_end = self.phase == Phase::Finished;
        let Ok(said) = self.close_instance(CLOSE_TIMEOUT) else {
            return;
        };
        let error = error(said);
        if at_end {
            let told = format!("failed after it had reached its end: {error}");
            return self.seat.log(Level::Warn, &told);
        }
        let left = self.post.recover(blame.then_some(&error));
        if left > 0 {
            let told = format!("{left} unsettled messages will be delivered again");
            self.seat.log(Level::Info, &told);
        }
        self.down(&error, ran);
    }

    /// There is no instance now, because of `error`.
    fn down(&mut self, error: &str, ran: Duration) {
        self.phase = Phase::Down { until: None };
        self.opening.fail(error);
        self.seat
            .set_state_because(StageState::Failed, Some(error.to_owned()));
        self.seat.change(|board| {
            _ = board
                .first_open
                .get_or_insert_with(|| Err(error.to_owned()))
        });
        match self.swap.take() {
            Some(Swap::Trying { old }) => return self.go_back(*old, error),
            Some(Swap::Leaving { next, .. }) => return self.try_settings(*next),
            None => {}
        }
        if self.spec.restart == Restart::Never {
            self.seat.log(Level::Error, &format!("failed: {error}"));
            self.seat.change(|board| board.given_up = true);
            return self.seat.fail_flow(error);
        }
        if self.drain.is_some() && self.post.is_settled() {
            self.seat.log(
                Level::Warn,
                &format!("failed while draining, with nothing left to do: {error}"),
            );
            self.phase = Phase::Drained;
            return self.seat.set_state(StageState::Drained);
        }
        let wait = self.backoff.after(ran);
        self.seat.log(
            Level::Error,
            &format!("failed: {error}; opening it again in {wait:.1?}"),
        );
        self.phase = Phase::Down {
            until: Some(Instant::now() + wait),
        };
    }
}
