//! The ports that an instance is opened with: its ends of the edges, as C tables.
//!
//! Each instance gets ports of its own. When it is closed its ports are switched off, so that a late call answers
//! `PL_CLOSED`, and kept for a while before they are freed.

mod input;
mod output;

pub(crate) use input::InputPort;
pub(crate) use output::{Exit, OutputPort};

use crate::edge::Wake;
use pipeline_abi::{PlNotify, PlPort};
use std::ffi::c_void;
use std::mem::transmute;
use std::sync::Arc;

/// `PlPortVt::bind` with a function pointer that may be null, as C can pass it.
type NullableBind = unsafe extern "C" fn(*mut PlPort, Option<PlNotify>, *mut c_void) -> i32;
type Bind = unsafe extern "C" fn(*mut PlPort, PlNotify, *mut c_void) -> i32;

const fn bind_entry(bind: NullableBind) -> Bind {
    // SAFETY: `Option` of a function pointer has the layout and the calling convention of the function pointer, null for
    // `None`.
    unsafe { transmute::<NullableBind, Bind>(bind) }
}

fn wake(notify: Option<PlNotify>, ctx: *mut c_void) -> Option<Arc<Wake>> {
    notify.map(|notify| Wake::new(notify, ctx))
}
