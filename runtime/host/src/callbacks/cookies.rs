//! Cookies: names of instances that outlive them.

use crate::supervise::{HostShared, Seat};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};

static NEXT: AtomicU64 = AtomicU64::new(1);
static OPEN: LazyLock<RwLock<HashMap<u64, Arc<Seat>>>> = LazyLock::new(RwLock::default);
static DEFAULT: RwLock<Weak<HostShared>> = RwLock::new(Weak::new());

/// A cookie for a new instance of the stage at `seat`. No cookie is given twice.
pub(crate) fn register(seat: &Arc<Seat>) -> u64 {
    let cookie = NEXT.fetch_add(1, Ordering::Relaxed);
    OPEN.write().insert(cookie, seat.clone());
    cookie
}

/// Forgets a cookie: whatever still comes with it is nobody's.
pub(crate) fn unregister(cookie: u64) {
    OPEN.write().remove(&cookie);
}

/// Whose cookie it is.
pub(super) fn find(cookie: u64) -> Option<Arc<Seat>> {
    OPEN.read().get(&cookie).cloned()
}

/// Names the host that takes what comes without a known cookie.
pub(crate) fn set_default(host: &Arc<HostShared>) {
    *DEFAULT.write() = Arc::downgrade(host);
}

/// The host that takes what comes without a known cookie.
pub(super) fn default_host() -> Option<Arc<HostShared>> {
    DEFAULT.read().upgrade()
}
