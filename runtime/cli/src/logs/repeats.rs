//! Holds back a message that comes again and again, and says how often it came.
//!
//! Two messages are the same when they come from one stage at one level and differ at most in digits.

use super::entry::Entry;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

/// Messages of one kind that pass in a window.
const BURST: u64 = 5;
/// Length of a window.
const WINDOW: Duration = Duration::from_secs(10);
/// Kinds that are remembered; more are let through.
const MAX_KINDS: usize = 1024;

/// What came lately.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    kinds: HashMap<u64, Kind>,
}

#[derive(Debug)]
struct Kind {
    since: Instant,
    seen: u64,
    /// The last one that was held back.
    held: Option<Entry>,
}

impl Repeats {
    /// Takes an entry and gives it back if it is to be written now.
    pub(crate) fn admit(&mut self, entry: Entry, now: Instant) -> Option<Entry> {
        let key = kind_of(&entry);
        if !self.kinds.contains_key(&key) && self.kinds.len() >= MAX_KINDS {
            return Some(entry);
        }
        let kind = self.kinds.entry(key).or_insert(Kind {
            since: now,
            seen: 0,
            held: None,
        });
        kind.seen += 1;
        if kind.seen <= BURST {
            return Some(entry);
        }
        kind.held = Some(entry);
        None
    }

    /// Ends the windows that are over: one entry for each kind that was held back, with its count.
    pub(crate) fn sweep(&mut self, now: Instant) -> Vec<Entry> {
        self.end(|kind| now.duration_since(kind.since) >= WINDOW)
    }

    /// Ends all windows.
    pub(crate) fn finish(&mut self) -> Vec<Entry> {
        self.end(|_| true)
    }

    fn end(&mut self, over: impl Fn(&Kind) -> bool) -> Vec<Entry> {
        let ended = self.kinds.extract_if(|_, kind| over(kind));
        ended
            .filter_map(|(_, kind)| Some(kind.held?.with("repeated", kind.seen - BURST)))
            .collect()
    }
}

fn kind_of(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    entry.origin.hash(&mut hasher);
    entry.level.name().hash(&mut hasher);
    entry.target.hash(&mut hasher);
    entry
        .message
        .bytes()
        .filter(|byte| !byte.is_ascii_digit())
        .for_each(|byte| byte.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::entry::{Level, Value};

    #[test]
    fn a_repeated_message_is_counted_and_told_once_a_window() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        let passed = (0..100)
            .filter_map(|n| repeats.admit(Entry::own(Level::Warn, format!("try {n} failed")), now))
            .count();
        assert_eq!(passed, 5);
        assert!(repeats.sweep(now).is_empty());
        let told = repeats.sweep(now + WINDOW);
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].fields,
            [("repeated".to_owned(), Value::Unsigned(95))]
        );
        assert!(
            repeats
                .admit(Entry::own(Level::Warn, "try 100 failed"), now + WINDOW)
                .is_some()
        );
    }

    #[test]
    fn different_messages_do_not_hold_each_other_back() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        let messages = ('a'..='z').map(|letter| Entry::own(Level::Info, letter.to_string()));
        assert_eq!(
            messages
                .filter_map(|entry| repeats.admit(entry, now))
                .count(),
            26
        );
    }
}
