//! The host that loaded this plugin: one table of functions, set once before anything else runs.

use pipeline_abi::*;
use std::cell::Cell;
use std::sync::OnceLock;

struct HostRef(*const PlHost);
// SAFETY: the host's table is immutable and its functions may be called on any thread.
unsafe impl Send for HostRef {}
// SAFETY: as above.
unsafe impl Sync for HostRef {}

static HOST: OnceLock<HostRef> = OnceLock::new();

thread_local! {
    /// The instance that this thread works for: what its logs are marked with.
    static COOKIE: Cell<u64> = const { Cell::new(0) };
}

/// Remembers the host. False if this plugin cannot work with it.
///
/// # Safety
/// `host` is null or points to a host table that stays valid until the process ends.
pub(crate) unsafe fn set(host: *const PlHost) -> bool {
    if host.is_null() {
        return false;
    }
    // SAFETY: not null, promised valid by the caller.
    let table = unsafe { &*host };
    if table.abi_major != PL_ABI_MAJOR || (table.struct_size as usize) < size_of::<PlHost>() {
        return false;
    }
    HOST.get_or_init(|| HostRef(host));
    true
}

/// The host, or `None` where a stage's code runs without one (its unit tests).
pub(crate) fn get() -> Option<&'static PlHost> {
    // SAFETY: checked by `set`, valid until the process ends.
    HOST.get().map(|host| unsafe { &*host.0 })
}

/// Tells the host an event of an instance.
pub(crate) fn emit(cookie: u64, event: u32, status: i32, text: &str) {
    if let Some(host) = get() {
        // SAFETY: the host's own function and context; the text is borrowed for the call.
        unsafe { (host.event)(host.ctx, cookie, event, status, PlStr::new(text.as_bytes())) }
    }
}

/// Tells the host an instance's status document.
pub(crate) fn publish_status(cookie: u64, json: &[u8]) {
    if let Some(host) = get() {
        // SAFETY: the host's own function and context; the bytes are borrowed for the call.
        unsafe { (host.status)(host.ctx, cookie, PlStr::new(json)) }
    }
}

/// The instance that the current thread works for, 0 for none.
pub(crate) fn current_cookie() -> u64 {
    COOKIE.get()
}

/// Marks the current thread as working for an instance until the guard is dropped.
pub(crate) fn enter(cookie: u64) -> Entered {
    Entered(COOKIE.replace(cookie))
}

/// See [`enter`].
pub(crate) struct Entered(u64);

impl Drop for Entered {
    fn drop(&mut self) {
        COOKIE.set(self.0);
    }
}
