//! The sending end: where a source hands over its batches.

use super::{bind_entry, wake};
use crate::batch::{Held, checked};
use crate::callbacks::guard;
use crate::edge::Waiter;
use crate::route::Outlet;
use crate::settle::{Claim, Ledger};
use crate::supervise::Seat;
use crate::tap::TapPoint;
use pipeline_abi::{
    PL_AGAIN, PL_CLOSED, PL_ERR_INVALID, PL_ERR_PANIC, PL_OK, PlBatch, PlNotify, PlPort, PlPortVt,
};
use std::ffi::c_void;
use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

static VT: PlPortVt = PlPortVt {
    struct_size: size_of::<PlPortVt>() as u32,
    reserved: 0,
    bind: bind_entry(bind),
    send,
    recv,
};

/// What a source's instances share: they come and go, the way and the books stay.
pub(crate) struct Exit {
    pub(crate) outlet: Outlet,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) waiter: Arc<Waiter>,
    /// Who looks at what goes out.
    pub(crate) tap: TapPoint,
}

/// The output of one instance.
#[repr(C)]
pub(crate) struct OutputPort {
    /// First, so that the stage's pointer is the port's.
    base: PlPort,
    exit: Arc<Exit>,
    seat: Arc<Seat>,
    open: AtomicBool,
}

// SAFETY: the table is static, the rest is made to be shared.
unsafe impl Send for OutputPort {}
// SAFETY: as above.
unsafe impl Sync for OutputPort {}

impl OutputPort {
    pub(crate) fn new(exit: Arc<Exit>, seat: Arc<Seat>) -> Arc<Self> {
        Arc::new(OutputPort {
            base: PlPort { vt: &VT },
            exit,
            seat,
            open: AtomicBool::new(true),
        })
    }

    /// What the stage gets; valid as long as `self`.
    pub(crate) fn pointer(&self) -> *mut PlPort {
        (&raw const *self).cast_mut().cast()
    }

    /// The instance is closed: it is not woken any more and sends nothing.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
        self.exit.waiter.set(None);
        self.exit.waiter.disarm();
    }

    /// Sends a batch; see `PlPortVt::send`.
    ///
    /// # Safety
    /// `batch` is null, or a batch of which the caller gives a reference if the answer is `PL_OK`.
    unsafe fn send(&self, batch: *const PlBatch) -> i32 {
        if !self.open.load(Ordering::Acquire) {
            return PL_CLOSED;
        }
        // SAFETY: promised by the caller.
        let view = match unsafe { checked(batch) } {
            Ok(view) => view,
            Err(fault) => {
                self.seat.fail(&format!("sent an invalid batch: {fault}"));
                return PL_ERR_INVALID;
            }
        };
        let Exit {
            outlet,
            ledger,
            waiter,
            tap,
        } = &*self.exit;
        if !outlet.admits() && outlet.park(waiter) {
            return PL_AGAIN;
        }
        tap.pass(&view);
        ledger.take(view.len());
        // SAFETY: just checked, and the reference is ours from here on.
        outlet.offer(
            view,
            Claim::batch(unsafe { Held::adopt(batch, Some(ledger.clone())) }),
        );
        PL_OK
    }
}

/// # Safety
/// `port` is one that the host gave to an instance whose ports are still kept.
unsafe fn port<'a>(port: *mut PlPort) -> &'a OutputPort {
    // SAFETY: the base is the first field.
    unsafe { &*port.cast::<OutputPort>() }
}

unsafe extern "C" fn bind(this: *mut PlPort, notify: Option<PlNotify>, ctx: *mut c_void) -> i32 {
    guard(PL_ERR_PANIC, || {
        // SAFETY: the port contract.
        let port = unsafe { port(this) };
        let Some(wake) = wake(notify, ctx) else {
            return PL_ERR_INVALID;
        };
        if !port.open.load(Ordering::Acquire) {
            return PL_CLOSED;
        }
        port.exit.waiter.set(Some(wake));
        PL_OK
    })
}

unsafe extern "C" fn send(this: *mut PlPort, batch: *const PlBatch) -> i32 {
    // SAFETY: the port contract.
    guard(PL_ERR_PANIC, || unsafe { port(this).send(batch) })
}

unsafe extern "C" fn recv(_: *mut PlPort, _: *mut *const PlBatch, _: u32) -> i32 {
    PL_ERR_INVALID
}
