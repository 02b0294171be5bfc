//! Ports whose other end is a check: what a sink receives is pushed here, what a source sends is taken here.
//!
//! A port is never freed, so that a plugin that uses it too late is noted and not a crash.

use crate::made;
use crate::violations::{expect, note};
use pipeline_abi::*;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One end of an edge, as the plugin sees it, and what the check knows of it.
#[repr(C)]
pub(crate) struct Port {
    header: PlPort, // first: a pointer to it is a pointer to `Port`
    is_input: bool,
    gone: AtomicBool,
    used: AtomicBool,
    calls: AtomicU64,
    state: Mutex<State>,
}

// SAFETY: `header` never changes; all else is atomic or behind a lock.
unsafe impl Sync for Port {}

#[derive(Default)]
struct State {
    bound: Option<(PlNotify, usize)>,
    armed: bool,
    /// How many batches `send` takes before it says `PL_AGAIN`.
    credit: usize,
    waiting: VecDeque<Reference>,
}

/// A counted reference to a batch.
struct Reference(*const PlBatch);
// SAFETY: batches may be used on any thread.
unsafe impl Send for Reference {}

static VT: PlPortVt = PlPortVt {
    struct_size: size_of::<PlPortVt>() as u32,
    reserved: 0,
    bind,
    send,
    recv,
};

impl Port {
    /// A port that a sink receives from.
    pub(crate) fn input() -> &'static Port {
        Self::leak(true, 0)
    }

    /// A port that a source sends to, which takes `credit` batches.
    pub(crate) fn output(credit: usize) -> &'static Port {
        Self::leak(false, credit)
    }

    fn leak(is_input: bool, credit: usize) -> &'static Port {
        Box::leak(Box::new(Port {
            header: PlPort { vt: &VT },
            is_input,
            gone: AtomicBool::new(false),
            used: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            state: Mutex::new(State {
                credit,
                ..State::default()
            }),
        }))
    }

    pub(crate) fn as_ptr(&'static self) -> *mut PlPort {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stage was closed: no call may come any more.
    pub(crate) fn retire(&self) {
        self.gone.store(true, Ordering::Release);
        for Reference(batch) in std::mem::take(&mut self.state().waiting) {
            // SAFETY: the reference is ours.
            unsafe { ((*(*batch).vt).release)(batch) };
        }
    }

    /// How often the plugin called `send` or `recv`.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Lets a sink receive the batch; the reference moves.
    pub(crate) fn push(&self, batch: *const PlBatch) {
        let armed = {
            let mut state = self.state();
            state.waiting.push_back(Reference(batch));
            std::mem::take(&mut state.armed)
        };
        if armed {
            self.notify();
        }
    }

    /// Takes what a source sent; the references move.
    pub(crate) fn take(&self) -> Vec<*const PlBatch> {
        self.state()
            .waiting
            .drain(..)
            .map(|Reference(batch)| batch)
            .collect()
    }

    /// Gives a source credit for more batches.
    pub(crate) fn give_credit(&self, batches: usize) {
        let armed = {
            let mut state = self.state();
            state.credit += batches;
            std::mem::take(&mut state.armed)
        };
        if armed {
            self.notify();
        }
    }

    /// Wakes the stage, whether it is armed or not, open or not: a plugin has to bear that.
    pub(crate) fn notify(&self) {
        let bound = self.state().bound;
        if let Some((notify, ctx)) = bound {
            // SAFETY: the plugin promised to bear late and spurious calls.
            unsafe { notify(ctx as *mut c_void) };
        }
    }

    /// Begins a call of the plugin; the guard ends it.
    fn enter(&self, call: &str, input: bool) -> InUse<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        expect(self.is_input == input, || {
            format!("`{call}` was called on the wrong end of an edge")
        });
        expect(!self.gone.load(Ordering::Acquire), || {
            format!("`{call}` was called after `close` had returned")
        });
        expect(!self.used.swap(true, Ordering::Acquire), || {
            format!("`{call}` was called by two threads at once")
        });
        expect(self.state().bound.is_some(), || {
            format!("`{call}` was called before `bind`")
        });
        InUse(self)
    }
}

struct InUse<'a>(&'a Port);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.used.store(false, Ordering::Release);
    }
}

/// # Safety
/// `port` came from [`Port::as_ptr`].
unsafe fn of(port: *mut PlPort) -> &'static Port {
    // SAFETY: promised by the caller; ports are never freed.
    unsafe { &*port.cast::<Port>() }
}

unsafe extern "C" fn bind(port: *mut PlPort, notify: PlNotify, ctx: *mut c_void) -> i32 {
    // SAFETY: the plugin was given this pointer.
    let mut state = unsafe { of(port) }.state();
    if state.bound.is_some() {
        note("a port was bound twice");
        return PL_ERR_INVALID;
    }
    state.bound = Some((notify, ctx as usize));
    PL_OK
}

unsafe extern "C" fn send(port: *mut PlPort, batch: *const PlBatch) -> i32 {
    // SAFETY: the plugin was given this pointer.
    let port = unsafe { of(port) };
    let _in_use = port.enter("send", false);
    // SAFETY: a reference of the plugin's, valid for the call.
    if !unsafe { made::check(batch) } {
        return PL_ERR_INVALID;
    }
    let mut state = port.state();
    if state.credit == 0 {
        state.armed = true;
        return PL_AGAIN;
    }
    state.credit -= 1;
    state.waiting.push_back(Reference(batch));
    PL_OK
}

unsafe extern "C" fn recv(port: *mut PlPort, out: *mut *const PlBatch, max: u32) -> i32 {
    // SAFETY: the plugin was given this pointer.
    let port = unsafe { of(port) };
    let _in_use = port.enter("recv", true);
    expect(max > 0 && !out.is_null(), || {
        "`recv` was called without room".to_owned()
    });
    let mut state = port.state();
    let count = state.waiting.len().min(max as usize);
    for (index, Reference(batch)) in state.waiting.drain(..count).enumerate() {
        // SAFETY: the plugin has room for `max` references.
        unsafe { out.add(index).write(batch) };
    }
    state.armed = count == 0;
    count as i32
}
