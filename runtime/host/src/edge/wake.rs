//! Whom to wake: what a stage bound to its port.

use arc_swap::ArcSwapOption;
use pipeline_abi::PlNotify;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A function of a stage and its context.
pub(crate) struct Wake {
    notify: PlNotify,
    ctx: *mut c_void,
}

// SAFETY: the contract lets `notify` be called with `ctx` on any thread, also after the stage has been closed.
unsafe impl Send for Wake {}
// SAFETY: as above.
unsafe impl Sync for Wake {}

impl Wake {
    pub(crate) fn new(notify: PlNotify, ctx: *mut c_void) -> Arc<Self> {
        Arc::new(Wake { notify, ctx })
    }
}

/// Where the current instance of a stage says how to wake it. Function and context are replaced together, so a wake that
/// races with a restart calls the old pair or the new one, never a mixture.
#[derive(Default)]
pub(crate) struct WakeSlot(ArcSwapOption<Wake>);

impl WakeSlot {
    pub(crate) fn set(&self, wake: Option<Arc<Wake>>) {
        self.0.store(wake);
    }

    pub(crate) fn wake(&self) {
        if let Some(wake) = &*self.0.load() {
            // SAFETY: see `Wake`.
            unsafe { (wake.notify)(wake.ctx) }
        }
    }
}

/// A producer that may be parked at several edges at once.
#[derive(Default)]
pub(crate) struct Waiter {
    armed: AtomicBool,
    slot: WakeSlot,
}

impl Waiter {
    /// Says how to wake the current instance.
    pub(crate) fn set(&self, wake: Option<Arc<Wake>>) {
        self.slot.set(wake);
    }

    /// Raises the flag; the caller then looks again.
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Lowers the flag: no need to sleep.
    pub(crate) fn disarm(&self) {
        self.armed.store(false, Ordering::SeqCst);
    }

    /// Notifies once if the producer sleeps.
    pub(crate) fn wake(&self) {
        if self.armed.swap(false, Ordering::SeqCst) {
            self.slot.wake();
        }
    }
}
