//! Ports: a stage's ends of the edges, which the host owns.

use crate::PlBatch;
use core::ffi::c_void;

/// Called by the host when an armed port may move again. On any thread, also inside a port or batch call of another stage;
/// must return at once, must not unwind and must not call a port.
pub type PlNotify = unsafe extern "C" fn(ctx: *mut c_void);

/// One end of an edge. Opaque behind `vt`; lives until the stage's `close` has returned. One thread at a time.
#[repr(C)]
#[derive(Debug)]
pub struct PlPort {
    /// The port's functions.
    pub vt: *const PlPortVt,
}

/// The functions of a port.
#[repr(C)]
#[derive(Debug)]
pub struct PlPortVt {
    /// Bytes of this structure that its maker filled in.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Says whom to wake. Once, before the first `send` or `recv`. `ctx` must outlive late calls: it stays valid until the
    /// process ends or is reference counted by the stage.
    pub bind: unsafe extern "C" fn(*mut PlPort, notify: PlNotify, ctx: *mut c_void) -> i32,
    /// Output ports. `PL_OK`: one reference moved to the host. `PL_AGAIN`: not moved, the port is armed and notifies when
    /// there is credit. `PL_CLOSED`: not moved, nobody will ever take it.
    pub send: unsafe extern "C" fn(*mut PlPort, *const PlBatch) -> i32,
    /// Input ports. Above 0: so many references moved to the caller. 0: empty, the port is armed and notifies when something
    /// waits. `PL_CLOSED`: nothing will ever come.
    pub recv: unsafe extern "C" fn(*mut PlPort, out: *mut *const PlBatch, max: u32) -> i32,
}
