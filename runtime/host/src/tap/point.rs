//! A place where messages pass and may be looked at.

use super::Tap;
use crate::batch::View;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A place where messages pass.
#[derive(Default)]
pub(crate) struct TapPoint {
    /// Somebody looks, or did until a moment ago.
    open: AtomicBool,
    taps: Mutex<Vec<Arc<Tap>>>,
}

impl TapPoint {
    /// Messages pass. The caller holds them.
    pub(crate) fn pass(&self, view: &View) {
        // Relaxed: a tap may begin a few messages late.
        if self.open.load(Ordering::Relaxed) {
            self.show(view);
        }
    }

    #[cold]
    fn show(&self, view: &View) {
        let mut taps = self.taps.lock();
        taps.retain(|tap| tap.offer(view));
        self.open.store(!taps.is_empty(), Ordering::Relaxed);
    }

    /// Shows what passes from now on to `tap` too.
    pub(crate) fn attach(&self, tap: Arc<Tap>) {
        let mut taps = self.taps.lock();
        // Where nothing passes, nobody else notices that a tap has ended.
        taps.retain(|tap| tap.sink.is_wanted());
        taps.push(tap);
        self.open.store(true, Ordering::Relaxed);
    }
}
