//! A stage's place in a flow: what stays while its instances come and go.

use super::board::{Board, Health, StageState};
use super::mail::{Command, Mail, Mailbox};
use super::{HostEvent, HostShared, Hub};
use crate::callbacks::{Level, LogRecord};
use crate::edge::now_ns;
use crate::metrics::{Instrument, Spec};
use parking_lot::{Condvar, Mutex};
use pipeline_abi::{
    PL_EVENT_DRAINED, PL_EVENT_FAILED, PL_EVENT_FINISHED, PL_EVENT_HEALTH, PL_EVENT_OPENED,
    PL_HEALTH_READY, PlTrace,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shortest time between two logs about dropped rejects of one stage.
const DROP_LOG_EVERY: Duration = Duration::from_secs(1);

/// One stage of one flow.
pub(crate) struct Seat {
    hub: Arc<Hub>,
    name: String,
    mailbox: Mailbox,
    board: Mutex<Board>,
    changed: Condvar,
    rejected: AtomicU64,
    drops: Mutex<DropLog>,
}

#[derive(Default)]
struct DropLog {
    last: Option<Instant>,
    untold: u64,
}

impl Seat {
    pub(crate) fn new(hub: Arc<Hub>, name: String) -> Arc<Self> {
        Arc::new(Seat {
            hub,
            name,
            mailbox: Mailbox::default(),
            board: Mutex::new(Board::new()),
            changed: Condvar::new(),
            rejected: AtomicU64::new(0),
            drops: Mutex::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn host(&self) -> &Arc<HostShared> {
        &self.hub.host
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Flow, stage, index of the copy.
    pub(crate) fn identity(&self) -> (&str, &str, u32) {
        (&self.hub.flow, &self.name, self.hub.instance)
    }

    /// The labels that every metric of this stage carries.
    pub(crate) fn labels(&self) -> Vec<(String, String)> {
        let (flow, stage, instance) = self.identity();
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            label("flow", flow),
            label("stage", stage),
            label("instance", &instance.to_string()),
        ]
    }

    /// The instrument of a specification of this stage.
    pub(crate) fn instrument(
        &self,
        spec: &Spec,
    ) -> Result<&'static Instrument, impl std::fmt::Display + use<>> {
        self.hub.host.registry.instrument(spec, &self.labels())
    }

    /// Logs about this stage.
    pub(crate) fn log(&self, level: Level, message: &str) {
        self.log_of(None, level, message);
    }

    /// Logs about this stage and a message, whose trace it may have.
    fn log_of(&self, trace: Option<&PlTrace>, level: Level, message: &str) {
        self.hub.host.log(&LogRecord {
            level,
            ts_ns: now_ns(),
            stage: Some(self.identity()),
            target: "pipeline_host",
            message,
            file: "",
            line: 0,
            fields: Vec::new(),
            trace_id: trace.map_or([0; 16], |trace| trace.trace_id),
            span_id: trace.map_or([0; 8], |trace| trace.span_id),
        });
    }

    // === events ===

    /// Takes an event of the instance `cookie`.
    pub(crate) fn event(&self, cookie: u64, event: u32, status: i32, text: String) {
        let enter = |enter: fn(&mut Mail)| self.mailbox.event(cookie, enter);
        match event {
            PL_EVENT_OPENED => enter(|mail| mail.opened = true),
            PL_EVENT_DRAINED => enter(|mail| mail.drained = true),
            PL_EVENT_FINISHED => enter(|mail| mail.finished = true),
            PL_EVENT_FAILED => self.failed(cookie, text),
            PL_EVENT_HEALTH => self.set_health(status, text),
            _ => {}
        }
    }

    /// The host found that the current instance cannot go on.
    pub(crate) fn fail(&self, fault: &str) {
        self.mailbox.found(fault);
    }

    fn failed(&self, cookie: u64, text: String) {
        let text = if text.is_empty() {
            "failed without saying why".to_owned()
        } else {
            text
        };
        self.mailbox
            .event(cookie, |mail| _ = mail.failed.get_or_insert(text));
    }

    /// How the current instance says that it failed, or else `other`.
    pub(crate) fn failure_or(&self, other: impl FnOnce() -> String) -> String {
        self.mailbox.failure().unwrap_or_else(other)
    }

    fn set_health(&self, status: i32, text: String) {
        let health = if status == PL_HEALTH_READY {
            Health::Ready
        } else {
            Health::Degraded
        };
        let (before, state) = self.change(|board| {
            board.complaint = (health == Health::Degraded).then(|| text.clone());
            (std::mem::replace(&mut board.health, health), board.state)
        });
        match (before, health) {
            // A stage that is still connecting when it opens is no news.
            (Health::Ready, Health::Degraded) if state == StageState::Opening => {
                self.log(Level::Info, &format!("not ready yet: {text}"))
            }
            (Health::Ready, Health::Degraded) => {
                self.log(Level::Warn, &format!("degraded: {text}"))
            }
            (Health::Degraded, Health::Ready) => self.log(Level::Info, "ready again"),
            _ => {}
        }
    }

    /// Nothing is known against the next instance.
    pub(super) fn set_healthy(&self) {
        self.change(|board| {
            board.health = Health::Ready;
            board.complaint = None;
        });
    }

    pub(crate) fn set_document(&self, json: String) {
        self.board.lock().document = Some(json);
    }

    // === rejects ===

    pub(crate) fn count_rejects(&self, count: u32) {
        self.rejected.fetch_add(u64::from(count), Ordering::Relaxed);
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Tells about dropped rejects, at most once in a while; `trace` is that of one of them.
    pub(crate) fn tell_drop(&self, count: u32, why: &str, trace: Option<&PlTrace>) {
        let mut drops = self.drops.lock();
        drops.untold += u64::from(count);
        if drops
            .last
            .is_none_or(|last| last.elapsed() >= DROP_LOG_EVERY)
        {
            drops.last = Some(Instant::now());
            let untold = std::mem::take(&mut drops.untold);
            drop(drops);
            self.log_of(
                trace,
                Level::Warn,
                &format!("rejected and dropped {untold} messages, the last because {why}"),
            );
        }
    }

    /// The flow cannot go on: a message was rejected, and `on_reject` says stop.
    pub(crate) fn stop_flow(&self, why: &str) {
        self.hub
            .fail(&self.name, &format!("rejected a message: {why}"));
    }

    /// The flow cannot go on: the stage failed, and `restart` says never.
    pub(super) fn fail_flow(&self, error: &str) {
        self.hub.fail(&self.name, error);
    }

    /// The source has reached its end.
    pub(super) fn source_finished(&self) {
        self.hub.source_finished();
    }

    /// The source had reached its end, and is opened again with other settings.
    pub(super) fn source_resumed(&self) {
        self.hub.source_resumed();
    }

    /// The stage ignored `close`. The board says so last: who waits for it may end the process at once.
    pub(super) fn stuck(&self) {
        let (flow, stage, instance) = self.identity();
        let (flow, stage) = (flow.to_owned(), stage.to_owned());
        self.log(Level::Error, "ignored `close` for longer than its time");
        self.hub.host.tell(HostEvent::Stuck {
            flow,
            instance,
            stage,
        });
        self.set_state(StageState::Stuck);
    }

    // === mail and board ===

    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    pub(crate) fn command(&self, command: Command) {
        self.mailbox.command(command);
    }

    /// Changes the board and tells who waits for it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Board) -> T) -> T {
        let answer = change(&mut self.board.lock());
        self.changed.notify_all();
        answer
    }

    pub(super) fn set_state(&self, state: StageState) {
        self.set_state_because(state, None);
    }

    /// As [`Seat::set_state`], with the reason for a failure.
    pub(super) fn set_state_because(&self, state: StageState, failure: Option<String>) {
        self.change(|board| {
            if board.state != state {
                board.since = Instant::now();
            }
            board.state = state;
            board.failure = failure;
        });
    }

    /// What is known now.
    pub(crate) fn board(&self) -> Board {
        self.board.lock().clone()
    }

    /// Waits until the board says something, at most until a moment. Answers with the last look.
    pub(crate) fn wait<T>(
        &self,
        until: Instant,
        mut look: impl FnMut(&mut Board) -> Option<T>,
    ) -> Option<T> {
        let mut board = self.board.lock();
        loop {
            if let Some(answer) = look(&mut board) {
                return Some(answer);
            }
            if self.changed.wait_until(&mut board, until).timed_out() {
                return look(&mut board);
            }
        }
    }
}
