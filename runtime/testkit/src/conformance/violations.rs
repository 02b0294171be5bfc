//! What a plugin did against the rules, noted wherever it is seen and read after each check.

use std::sync::{Mutex, PoisonError};

static NOTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// More than anybody reads.
const MOST: usize = 20;

/// Notes a violation.
pub(crate) fn note(what: impl Into<String>) {
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let what = what.into();
    if noted.len() < MOST && !noted.contains(&what) {
        noted.push(what);
    }
}

/// Notes a violation unless `held`.
pub(crate) fn expect(held: bool, what: impl FnOnce() -> String) {
    if !held {
        note(what());
    }
}

/// All that was noted since the last call.
pub(crate) fn take() -> Vec<String> {
    std::mem::take(&mut NOTED.lock().unwrap_or_else(PoisonError::into_inner))
}
