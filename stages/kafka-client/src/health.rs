//! Several reasons to be degraded at once, told as one.
//!
//! Invariant: the stage is ready exactly while no reason is left.

use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use std::collections::BTreeMap;

/// What is wrong now, by subject, and the stage's health that follows.
pub struct Health {
    context: Context,
    reasons: Mutex<BTreeMap<&'static str, String>>,
}

impl Health {
    /// Nothing is wrong yet.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Health {
            context,
            reasons: Mutex::default(),
        }
    }

    /// Says what is wrong about a subject, in place of what was wrong before.
    pub fn bad(&self, subject: &'static str, reason: impl Into<String>) {
        let mut reasons = self.reasons.lock();
        let reason = reason.into();
        if reasons.get(subject) == Some(&reason) {
            return;
        }
        reasons.insert(subject, reason);
        // Told under the lock, so that the last word told is the last word said.
        self.context.degraded(joined(&reasons));
    }

    /// Says that a subject is well again.
    pub fn good(&self, subject: &'static str) {
        let mut reasons = self.reasons.lock();
        if reasons.remove(subject).is_none() {
            return;
        }
        if reasons.is_empty() {
            self.context.ready();
        } else {
            self.context.degraded(joined(&reasons));
        }
    }

    /// Whether something is wrong about a subject.
    #[must_use]
    pub fn is_bad(&self, subject: &str) -> bool {
        self.reasons.lock().contains_key(subject)
    }
}

fn joined(reasons: &BTreeMap<&'static str, String>) -> String {
    reasons
        .values()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("; ")
}
