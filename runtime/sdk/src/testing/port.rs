//! A port without a host: a queue that a test feeds or empties.

use super::lock;
use pipeline_abi::*;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

struct Raw(*const PlBatch);
// SAFETY: a batch may be used on any thread.
unsafe impl Send for Raw {}

#[derive(Default)]
struct State {
    batches: VecDeque<Raw>,
    blocked: bool,
    /// A batch was refused for want of credit since it was taken away.
    refused: bool,
    notify: Option<(PlNotify, usize)>,
}

#[repr(C)]
pub(super) struct Port {
    header: PlPort, // first: a pointer to it is a pointer to `Port`
    state: Mutex<State>,
}
// SAFETY: the header is constant, the rest is behind a mutex.
unsafe impl Send for Port {}
// SAFETY: as above.
unsafe impl Sync for Port {}

impl Port {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Port {
            header: PlPort { vt: &PORT_VT },
            state: Mutex::default(),
        })
    }

    /// Lives as long as the test's process: an `Input` or `Output` does not own its port.
    pub(super) fn raw(self: &Arc<Self>) -> *mut PlPort {
        Arc::into_raw(self.clone()).cast_mut().cast()
    }

    pub(super) fn take(&self) -> Option<*const PlBatch> {
        lock(&self.state).batches.pop_front().map(|batch| batch.0)
    }

    pub(super) fn block(&self, blocked: bool) {
        {
            let mut state = lock(&self.state);
            state.blocked = blocked;
            state.refused = false;
        }
        if !blocked {
            self.notify();
        }
    }

    pub(super) fn has_refused(&self) -> bool {
        lock(&self.state).refused
    }

    pub(super) fn put(&self, batch: *const PlBatch) {
        lock(&self.state).batches.push_back(Raw(batch));
        self.notify();
    }

    fn notify(&self) {
        let notify = lock(&self.state).notify;
        if let Some((notify, context)) = notify {
            // SAFETY: what `bind` was given.
            unsafe { notify(ptr::with_exposed_provenance_mut(context)) };
        }
    }
}

static PORT_VT: PlPortVt = PlPortVt {
    struct_size: size_of::<PlPortVt>() as u32,
    reserved: 0,
    bind,
    send,
    recv,
};

unsafe fn port<'a>(port: *mut PlPort) -> &'a Port {
    // SAFETY: made by `Port::raw`, never freed.
    unsafe { &*port.cast_const().cast::<Port>() }
}

unsafe extern "C" fn bind(raw: *mut PlPort, notify: PlNotify, context: *mut c_void) -> i32 {
    // SAFETY: a port of this module.
    lock(&unsafe { port(raw) }.state).notify = Some((notify, context.expose_provenance()));
    PL_OK
}

unsafe extern "C" fn send(raw: *mut PlPort, batch: *const PlBatch) -> i32 {
    // SAFETY: a port of this module.
    let mut state = lock(&unsafe { port(raw) }.state);
    if state.blocked {
        state.refused = true;
        return PL_AGAIN;
    }
    state.batches.push_back(Raw(batch));
    PL_OK
}

unsafe extern "C" fn recv(raw: *mut PlPort, out: *mut *const PlBatch, max: u32) -> i32 {
    // SAFETY: a port of this module.
    let mut state = lock(&unsafe { port(raw) }.state);
    let mut count = 0;
    while count < max
        && let Some(batch) = state.batches.pop_front()
    {
        // SAFETY: room for `max` batches.
        unsafe { out.add(count as usize).write(batch.0) };
        count += 1;
    }
    count.cast_signed()
}
