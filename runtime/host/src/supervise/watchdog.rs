//! Watches control calls from another thread: a stage that blocks inside `close` blocks its supervisor too.

use super::Seat;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Instant;

/// Tells when a call takes longer than its time. Its thread runs only while something is watched.
#[derive(Default)]
pub(super) struct Watchdog {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: bool,
    next: u64,
    watched: Vec<(u64, Instant, Arc<Seat>)>,
}

/// A watched call; it ends when this is dropped.
pub(super) struct Watch {
    inner: Arc<Inner>,
    id: u64,
}

impl Watchdog {
    /// Watches a `close` of the stage at `seat`, which should be over by `until`.
    pub(super) fn watch(&self, seat: &Arc<Seat>, until: Instant) -> Watch {
        let mut state = self.inner.state.lock();
        let id = state.next;
        state.next += 1;
        state.watched.push((id, until, seat.clone()));
        if !state.running {
            let inner = self.inner.clone();
            let thread = std::thread::Builder::new()
                .name("watchdog".into())
                .spawn(move || inner.run());
            state.running = thread.is_ok();
        }
        self.inner.changed.notify_one();
        Watch {
            inner: self.inner.clone(),
            id,
        }
    }
}

impl Inner {
    fn run(&self) {
        let mut state = self.state.lock();
        while let Some(first) = state.watched.iter().map(|(_, until, _)| *until).min() {
            self.changed.wait_until(&mut state, first);
            let now = Instant::now();
            let late: Vec<_> = state
                .watched
                .extract_if(.., |(_, until, _)| *until <= now)
                .collect();
            for (_, _, seat) in late {
                seat.stuck();
            }
        }
        state.running = false;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.inner
            .state
            .lock()
            .watched
            .retain(|(id, _, _)| *id != self.id);
        self.inner.changed.notify_one();
    }
}
