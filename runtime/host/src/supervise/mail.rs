//! What a supervisor is told: events of its instance, and commands.

use crate::flow::StageSpec;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the flow wants of a stage.
pub(crate) enum Command {
    /// Hand out nothing new, settle everything.
    Drain { until: Instant },
    /// Go on with other settings: drain, close, open; back to the old ones if that fails.
    Swap {
        spec: Box<StageSpec>,
        until: Instant,
    },
    /// Open again after a drain that the flow took back.
    Resume,
    /// End for good.
    Close { timeout: Duration },
}

/// News since the supervisor last looked. Each kind of event is kept at most once, so the mail is bounded whatever a plugin
/// does.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) opened: bool,
    pub(super) drained: bool,
    pub(super) finished: bool,
    /// The instance said that it cannot go on.
    pub(super) failed: Option<String>,
    /// The host found that it cannot go on.
    pub(super) found: Option<String>,
    pub(super) commands: VecDeque<Command>,
}

impl Mail {
    fn is_empty(&self) -> bool {
        let event = self.opened || self.drained || self.finished;
        !event && self.failed.is_none() && self.found.is_none() && self.commands.is_empty()
    }
}

/// Where the mail arrives. Events are those of the current instance; others are too late.
#[derive(Default)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    arrived: Condvar,
}

#[derive(Default)]
struct Inner {
    /// The current instance, 0 for none.
    cookie: u64,
    mail: Mail,
}

impl Mailbox {
    /// Events of this instance are taken from now on, older ones are forgotten.
    pub(super) fn begin(&self, cookie: u64) {
        let mut inner = self.inner.lock();
        inner.cookie = cookie;
        let commands = std::mem::take(&mut inner.mail.commands);
        inner.mail = Mail {
            commands,
            ..Mail::default()
        };
    }

    /// Puts an event of the instance `cookie` in.
    pub(super) fn event(&self, cookie: u64, enter: impl FnOnce(&mut Mail)) {
        let mut inner = self.inner.lock();
        if inner.cookie == cookie {
            enter(&mut inner.mail);
            self.arrived.notify_one();
        }
    }

    /// Puts in what the host found out about the current instance.
    pub(super) fn found(&self, fault: &str) {
        let mut inner = self.inner.lock();
        if inner.cookie != 0 {
            inner.mail.found.get_or_insert_with(|| fault.to_owned());
            self.arrived.notify_one();
        }
    }

    /// How the current instance says that it failed, if that is not dealt with yet.
    pub(super) fn failure(&self) -> Option<String> {
        self.inner.lock().mail.failed.clone()
    }

    pub(super) fn command(&self, command: Command) {
        self.inner.lock().mail.commands.push_back(command);
        self.arrived.notify_one();
    }

    /// Waits for mail, at most until `alarm`.
    pub(super) fn next(&self, alarm: Option<Instant>) -> Mail {
        let mut inner = self.inner.lock();
        while inner.mail.is_empty() {
            match alarm {
                None => self.arrived.wait(&mut inner),
                Some(alarm) => {
                    if self.arrived.wait_until(&mut inner, alarm).timed_out() {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut inner.mail)
    }
}
