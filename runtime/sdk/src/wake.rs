//! Wake-ups by the host: what a port's `notify` leads to.
//!
//! Invariant: a [`PortWaker`] is never freed, only used again by a later instance. A notification that comes after its instance
//! was closed therefore touches live memory and at worst wakes another instance once for nothing.

use atomic_waker::AtomicWaker;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

static IDLE: Mutex<Vec<&'static AtomicWaker>> = Mutex::new(Vec::new());

/// The wake-up of one instance's ports; given back when dropped.
pub(crate) struct PortWaker(&'static AtomicWaker);

impl PortWaker {
    pub(crate) fn new() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        PortWaker(idle.unwrap_or_else(|| Box::leak(Box::default())))
    }

    /// What to give to a port's `bind` beside [`notify`].
    pub(crate) fn context(&self) -> *mut c_void {
        std::ptr::from_ref(self.0).cast_mut().cast()
    }

    pub(crate) fn register(&self, waker: &std::task::Waker) {
        self.0.register(waker);
    }

    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}

impl Drop for PortWaker {
    fn drop(&mut self) {
        self.0.take();
        IDLE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.0);
    }
}

/// The `PlNotify` of every port of this plugin.
pub(crate) unsafe extern "C" fn notify(context: *mut c_void) {
    // SAFETY: `context` came from `PortWaker::context` and is never freed. Waking does not unwind: the only wakers here are
    // tokio's.
    unsafe { (*context.cast_const().cast::<AtomicWaker>()).wake() }
}
