//! The receiving end of an edge.

use super::{bind_entry, wake};
use crate::callbacks::guard;
use crate::edge::Edge;
use pipeline_abi::{
    PL_BATCH_MAX, PL_CLOSED, PL_ERR_INVALID, PL_ERR_PANIC, PL_OK, PlBatch, PlNotify, PlPort,
    PlPortVt,
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

/// An input of one instance.
#[repr(C)]
pub(crate) struct InputPort {
    /// First, so that the stage's pointer is the port's.
    base: PlPort,
    edge: Arc<Edge>,
    open: AtomicBool,
}

// SAFETY: the table is static, the rest is made to be shared.
unsafe impl Send for InputPort {}
// SAFETY: as above.
unsafe impl Sync for InputPort {}

impl InputPort {
    pub(crate) fn new(edge: Arc<Edge>) -> Arc<Self> {
        Arc::new(InputPort {
            base: PlPort { vt: &VT },
            edge,
            open: AtomicBool::new(true),
        })
    }

    /// What the stage gets; valid as long as `self`.
    pub(crate) fn pointer(&self) -> *mut PlPort {
        (&raw const *self).cast_mut().cast()
    }

    pub(crate) fn edge(&self) -> &Arc<Edge> {
        &self.edge
    }

    /// The instance is closed: it is not woken any more and gets nothing.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
        self.edge.attach(None);
    }
}

/// # Safety
/// `port` is one that the host gave to an instance whose ports are still kept.
unsafe fn port<'a>(port: *mut PlPort) -> &'a InputPort {
    // SAFETY: the base is the first field.
    unsafe { &*port.cast::<InputPort>() }
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
        port.edge.attach(Some(wake));
        PL_OK
    })
}

unsafe extern "C" fn send(_: *mut PlPort, _: *const PlBatch) -> i32 {
    PL_ERR_INVALID
}

unsafe extern "C" fn recv(this: *mut PlPort, out: *mut *const PlBatch, max: u32) -> i32 {
    guard(PL_ERR_PANIC, || {
        // SAFETY: the port contract.
        let port = unsafe { port(this) };
        if !port.open.load(Ordering::Acquire) {
            return PL_CLOSED;
        }
        if out.is_null() || max == 0 {
            return PL_ERR_INVALID;
        }
        // SAFETY: the caller gives room for `max` pointers; `receive` writes before it reads.
        let out = unsafe { std::slice::from_raw_parts_mut(out, max.min(PL_BATCH_MAX) as usize) };
        port.edge.receive(out)
    })
}
