//! The thread of a fake sink.

use super::batch::{headers, payloads};
use super::bench::{Act, Bench, Notified, Port, notify};
use super::plugin::event;
use parking_lot::Mutex;
use pipeline_abi::{PL_CLOSED, PL_EVENT_DRAINED, PL_EVENT_FAILED, PL_OK, PlBatch, PlStr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A reference to a received batch.
pub(super) struct Received(*const PlBatch);

// SAFETY: a batch's functions may be called on any thread.
unsafe impl Send for Received {}

impl Received {
    fn done(&self, index: u32) {
        // SAFETY: a batch that we hold.
        unsafe { ((*(*self.0).vt).done)(self.0, index, 1) }
    }

    fn reject(&self, index: u32, why: &str) {
        // SAFETY: as above.
        unsafe {
            ((*(*self.0).vt).reject)(
                self.0,
                index,
                1,
                PlStr {
                    ptr: why.as_ptr(),
                    len: why.len(),
                },
            )
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        // SAFETY: gives back the reference that we own.
        unsafe { ((*(*self.0).vt).release)(self.0) }
    }
}

/// A running fake sink.
pub(super) struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    bench: Arc<Bench>,
    cookie: u64,
    notified: Arc<Notified>,
    stop: AtomicBool,
    drain: AtomicBool,
    kept: Mutex<Vec<(Received, u32)>>,
}

impl Worker {
    pub(super) fn start(bench: Arc<Bench>, cookie: u64, inputs: &[Port]) -> Self {
        let shared = Arc::new(Shared {
            bench,
            cookie,
            notified: Arc::default(),
            stop: AtomicBool::new(false),
            drain: AtomicBool::new(false),
            kept: Mutex::default(),
        });
        for Port(port) in inputs {
            // SAFETY: an input port of an open instance.
            let status = unsafe {
                ((*(**port).vt).bind)(*port, notify, Notified::context(&shared.notified))
            };
            assert_eq!(status, PL_OK);
        }
        let (own, inputs) = (shared.clone(), inputs.to_vec());
        let thread = std::thread::spawn(move || own.run(&inputs));
        Worker {
            shared,
            thread: Some(thread),
        }
    }

    pub(super) fn drain(&self) {
        self.shared.drain.store(true, Ordering::SeqCst);
        self.shared.notified.raise();
    }

    pub(super) fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.notified.raise();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Shared {
    fn settle_kept(&self) {
        self.kept
            .lock()
            .drain(..)
            .for_each(|(received, index)| received.done(index));
    }

    fn run(&self, inputs: &[Port]) {
        while !self.stop.load(Ordering::SeqCst) {
            let (mut open, mut taken) = (0, 0);
            for Port(port) in inputs {
                let mut room = vec![std::ptr::null(); *self.bench.take.lock()];
                // SAFETY: an input port, used by this thread alone.
                let status =
                    unsafe { ((*(**port).vt).recv)(*port, room.as_mut_ptr(), room.len() as u32) };
                open += usize::from(status != PL_CLOSED);
                taken += status.max(0);
                let batches = room
                    .into_iter()
                    .take(status.max(0) as usize)
                    .map(Received)
                    .collect::<Vec<_>>();
                if !self.work(batches) {
                    return;
                }
            }
            if open == 0 && self.drain.load(Ordering::SeqCst) {
                if !*self.bench.forgets_when_drained.lock() {
                    self.settle_kept();
                }
                event(self.cookie, PL_EVENT_DRAINED, 0, "");
                return;
            }
            if taken == 0 {
                self.notified.wait_for(std::time::Duration::from_secs(3600));
            }
        }
        self.kept.lock().clear();
    }

    /// Works off what was received; no: the stage has failed.
    fn work(&self, batches: Vec<Received>) -> bool {
        for received in batches {
            for (index, payload) in payloads(received.0).into_iter().enumerate() {
                let index = index as u32;
                self.bench.headers.lock().push(headers(received.0, index));
                let act = (self.bench.acting.lock())(&payload);
                self.bench.seen.lock().push(payload);
                match act {
                    Act::Done => received.done(index),
                    Act::Reject(why) => received.reject(index, why),
                    Act::Keep => self.keep(&received, index),
                    Act::Forget => {}
                    Act::Fail(why) => {
                        self.bench.seen.lock().push("!".into());
                        event(self.cookie, PL_EVENT_FAILED, -1, why);
                        return false;
                    }
                }
            }
        }
        true
    }

    fn keep(&self, received: &Received, index: u32) {
        // SAFETY: a batch that we hold; the new reference is dropped with the kept message.
        unsafe { ((*(*received.0).vt).retain)(received.0) };
        self.kept.lock().push((Received(received.0), index));
    }
}
