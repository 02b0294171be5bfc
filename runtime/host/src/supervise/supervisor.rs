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
use super::instance::{Instance, Ports, StuckInClose};
use super::mail::{Command, Mail};
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
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer than its time `close` may take before it is told.
const CLOSE_GRACE: Duration = Duration::from_secs(1);
/// How often a condition is looked at that nobody announces.
const POLL: Duration = Duration::from_millis(5);
/// Ports of closed instances that are kept for late calls.
const RETIRED_PORTS: usize = 16;

/// Supervises one stage.
pub(crate) struct Supervisor {
    seat: Arc<Seat>,
    post: Post,
    spec: StageSpec,
    instance: Option<Instance>,
    phase: Phase,
    backoff: Backoff,
    /// Asked to drain, until then.
    drain: Option<Instant>,
    swap: Option<Swap>,
    retired: VecDeque<Ports>,
}

/// Where the life is, with what only that place needs.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
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

/// A change of settings under way.
enum Swap {
    /// The instance with the old settings drains.
    Leaving {
        next: Box<StageSpec>,
        until: Instant,
    },
    /// The instance with the new settings opens.
    Trying { old: Box<StageSpec> },
}

impl Supervisor {
    /// Starts the thread, which opens the stage at once.
    pub(crate) fn spawn(
        seat: Arc<Seat>,
        post: Post,
        spec: StageSpec,
    ) -> std::io::Result<JoinHandle<()>> {
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
        match mail.failed {
            Some(error) => self.failed(&error),
            None => {
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
        match (self.phase, &self.swap) {
            (Phase::Opening { since }, _) if now >= since + OPEN_TIMEOUT => {
                self.failed(&format!("did not open within {} s", OPEN_TIMEOUT.as_secs()));
            }
            (Phase::Down { until: Some(until) }, _) if now >= until => self.reopen(),
            (Phase::Drained, Some(Swap::Leaving { until, .. }))
                if self.post.is_sent_settled() || now >= *until =>
            {
                self.change_over();
            }
            (Phase::Draining, Some(Swap::Leaving { until, .. })) if now >= *until => {
                self.seat.log(
                    Level::Warn,
                    "did not drain in time to be replaced: what is unsettled is delivered again",
                );
                self.change_over();
            }
            _ => {}
        }
    }

    // === opening ===

    fn open(&mut self) {
        self.phase = Phase::Opening {
            since: Instant::now(),
        };
        self.seat.set_state(StageState::Opening, None);
        match Instance::open(&self.seat, &self.spec, &self.post) {
            Ok(instance) => self.instance = Some(instance),
            Err(error) => self.down(&error, Duration::ZERO),
        }
    }

    fn reopen(&mut self) {
        self.seat.change(|board| board.restarts += 1);
        self.open();
    }

    fn opened(&mut self) {
        let (Phase::Opening { .. }, Some(instance)) = (self.phase, &self.instance) else {
            return;
        };
        if let Err(error) = instance.start() {
            return self.failed(&error);
        }
        let processor = instance
            .processor()
            .filter(|_| self.post.role() == Role::Filter);
        self.phase = Phase::Running {
            since: Instant::now(),
        };
        self.seat.set_state(StageState::Running, None);
        self.seat.change(|board| {
            board.tried = true;
            board.health = super::Health::Ready;
        });
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

    fn failed(&mut self, error: &str) {
        let ran = match self.phase {
            Phase::Running { since } => since.elapsed(),
            Phase::Down { .. } | Phase::Ended => return,
            _ => Duration::ZERO,
        };
        if !self.close_instance(CLOSE_TIMEOUT) {
            return;
        }
        let left = self.post.recover(Some(error));
        if left > 0 {
            self.seat.log(
                Level::Info,
                &format!("{left} unsettled messages will be delivered again"),
            );
        }
        self.down(error, ran);
    }

    /// There is no instance now, because of `error`.
    fn down(&mut self, error: &str, ran: Duration) {
        self.phase = Phase::Down { until: None };
        self.seat
            .set_state(StageState::Failed, Some(error.to_owned()));
        self.seat.change(|board| board.tried = true);
        match self.swap.take() {
            Some(Swap::Trying { old }) => return self.go_back(*old, error),
            Some(Swap::Leaving { next, .. }) => return self.try_settings(*next),
            None => {}
        }
        if self.spec.restart == Restart::Never {
            self.seat.log(Level::Error, &format!("failed: {error}"));
            return self.seat.fail_flow(error);
        }
        if self.drain.is_some() && self.post.is_settled() {
            self.seat.log(
                Level::Warn,
                &format!("failed while draining, with nothing left to do: {error}"),
            );
            self.phase = Phase::Drained;
            return self.seat.set_state(StageState::Drained, None);
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

    // === draining ===

    fn begin_drain(&mut self, until: Instant) {
        self.drain = Some(until);
        self.post.finish(true);
        match self.phase {
            Phase::Running { .. } => self.call_drain(),
            Phase::Finished => self.seat.set_state(StageState::Drained, None),
            Phase::Down { .. } if self.post.is_settled() => {
                self.phase = Phase::Drained;
                self.seat.set_state(StageState::Drained, None);
            }
            _ => {}
        }
    }

    fn call_drain(&mut self) {
        let until = match (&self.swap, self.drain) {
            (Some(Swap::Leaving { until, .. }), _) => *until,
            (_, Some(until)) => until,
            _ => return,
        };
        let within = until.saturating_duration_since(Instant::now());
        self.phase = Phase::Draining;
        self.seat.set_state(StageState::Draining, None);
        if let Some(Err(error)) = self
            .instance
            .as_ref()
            .map(|instance| instance.drain(within))
        {
            self.failed(&error);
        }
    }

    fn drained(&mut self) {
        if self.phase != Phase::Draining {
            return;
        }
        let replaced = self.swap.is_some();
        let settled = if replaced {
            self.post.owes_nothing()
        } else {
            self.post.is_settled()
        };
        if !settled {
            return self.failed("said that it was drained, but has messages that it did not settle (a bug of the stage)");
        }
        self.phase = Phase::Drained;
        if !replaced {
            self.seat.set_state(StageState::Drained, None);
        }
    }

    fn finished(&mut self) {
        if let (Phase::Running { .. }, Role::Source) = (self.phase, self.post.role()) {
            self.phase = Phase::Finished;
            self.seat.set_state(StageState::Finished, None);
            self.seat.log(Level::Info, "reached its end");
            self.seat.source_finished();
        }
    }

    /// The drain was taken back: a new instance goes on where the drained one ended.
    fn resume(&mut self) {
        self.drain = None;
        self.post.finish(false);
        if self.phase != Phase::Finished && self.close_instance(CLOSE_TIMEOUT) {
            self.post.recover(None);
            self.open();
        }
    }

    // === changing settings ===

    fn begin_swap(&mut self, next: Box<StageSpec>, until: Instant) {
        self.swap = Some(Swap::Leaving { next, until });
        self.post.hold(true);
        match self.phase {
            Phase::Running { .. } => self.call_drain(),
            _ => self.change_over(),
        }
    }

    fn change_over(&mut self) {
        let Some(Swap::Leaving { next, .. }) = self.swap.take() else {
            return;
        };
        if self.close_instance(CLOSE_TIMEOUT) {
            self.post.recover(None);
            self.try_settings(*next);
        }
    }

    fn try_settings(&mut self, next: StageSpec) {
        let old = std::mem::replace(&mut self.spec, next);
        self.swap = Some(Swap::Trying { old: Box::new(old) });
        self.reopen();
    }

    fn go_back(&mut self, old: StageSpec, error: &str) {
        self.seat.log(
            Level::Error,
            &format!("did not open with its new settings, back to the old ones: {error}"),
        );
        self.spec = old;
        self.seat
            .change(|board| board.swapped = Some(Err(error.to_owned())));
        self.reopen();
    }

    // === closing ===

    fn end(&mut self, timeout: Duration) {
        if self.close_instance(timeout) {
            self.phase = Phase::Ended;
            self.seat.set_state(StageState::Closed, None);
        }
    }

    /// Closes the instance, if there is one. A stage that is stuck in `close` ends its supervisor: answers no.
    fn close_instance(&mut self, timeout: Duration) -> bool {
        self.post.detach();
        let Some(instance) = self.instance.take() else {
            return true;
        };
        let closed = {
            let _watch = self
                .seat
                .host()
                .watchdog
                .watch(&self.seat, Instant::now() + timeout + CLOSE_GRACE);
            instance.close(&self.seat, timeout)
        };
        match closed {
            Ok(ports) => {
                self.retired.push_back(ports);
                if self.retired.len() > RETIRED_PORTS {
                    self.retired.pop_front();
                }
                true
            }
            Err(StuckInClose) => {
                self.phase = Phase::Ended;
                self.seat.stuck();
                false
            }
        }
    }
}
