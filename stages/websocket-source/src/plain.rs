//! Plain feeds: a frame becomes a message, or several, or none.
//!
//! What is not JSON, or has not the fields that were asked for, is handed on as it came: nothing is lost here.

use std::borrow::Cow;

use pipeline_sdk::prelude::*;

use crate::config::Config;
use crate::inbox::Frame;
use crate::pointer::{self, Pointer};
use crate::search;
use crate::sequence::Gaps;
use crate::shared::Shared;
use crate::throttle::Throttle;
use crate::window::Window;

/// Most pointers that the settings can name: one of `key`, two each of `dedupe` and `sequence`.
const MOST_POINTERS: usize = 5;

/// Makes messages of frames.
pub(crate) struct Plain {
    /// `split`, if set.
    split: Vec<Pointer>,
    /// What is looked up in each message; the fields below are places in it.
    pointers: Vec<Pointer>,
    key: Option<usize>,
    dedupe: Option<Dedupe>,
    sequence: Option<Sequence>,
    malformed: Throttle,
}

struct Dedupe {
    id: usize,
    key: Option<usize>,
    window: Window,
}

struct Sequence {
    number: usize,
    key: Option<usize>,
    gaps: Gaps,
    log: Throttle,
}

/// What was found in a message, by place.
type Found<'t> = [Option<&'t str>];

impl Plain {
    /// As the settings ask for it.
    pub(crate) fn new(config: &Config) -> Self {
        let mut pointers = Vec::new();
        let mut place = |pointer: &Pointer| {
            pointers
                .iter()
                .position(|known| known == pointer)
                .unwrap_or_else(|| {
                    pointers.push(pointer.clone());
                    pointers.len() - 1
                })
        };
        let key = config.key.as_ref().map(&mut place);
        let dedupe = config.dedupe.as_ref().map(|dedupe| Dedupe {
            id: place(&dedupe.pointer),
            key: dedupe.key.as_ref().map(&mut place),
            window: Window::new(dedupe.window as usize),
        });
        let sequence = config.sequence.as_ref().map(|sequence| Sequence {
            number: place(&sequence.pointer),
            key: sequence.key.as_ref().map(&mut place),
            gaps: Gaps::default(),
            log: Throttle::default(),
        });
        let split = config.split.iter().cloned().collect();
        Plain {
            split,
            pointers,
            key,
            dedupe,
            sequence,
            malformed: Throttle::default(),
        }
    }

    /// Hands the messages of `frame`, which came over the `connection`-th connection, to `push`.
    pub(crate) fn messages(
        &mut self,
        frame: &Frame,
        connection: u64,
        shared: &Shared,
        push: &mut dyn FnMut(Record<'_>),
    ) {
        let mut push = |record: Record<'_>| push(record.timestamp_ns(frame.received_ns));
        if self.split.is_empty() && self.pointers.is_empty() {
            return push(Record::new(&frame.payload));
        }
        let Ok(text) = std::str::from_utf8(&frame.payload) else {
            self.note_malformed(shared, "not UTF-8");
            return push(Record::new(&frame.payload));
        };
        let mut array = [None];
        match search::find(&self.split, text, &mut array[..self.split.len()]) {
            Ok(()) => {}
            Err(error) => {
                self.note_malformed(shared, &error.to_string());
                return push(Record::new(&frame.payload));
            }
        }
        match array[0].and_then(pointer::elements) {
            Some(elements) => elements
                .into_iter()
                .for_each(|element| self.message(element, connection, shared, &mut push)),
            None => self.message(text, connection, shared, &mut push),
        }
    }

    fn message(
        &mut self,
        text: &str,
        connection: u64,
        shared: &Shared,
        push: &mut dyn FnMut(Record<'_>),
    ) {
        let mut found = [None; MOST_POINTERS];
        let found = &mut found[..self.pointers.len()];
        if let Err(error) = search::find(&self.pointers, text, found) {
            self.note_malformed(shared, &error.to_string());
            return push(Record::new(text.as_bytes()));
        }
        if self.is_repeated(found) {
            return shared.duplicates.add(1);
        }
        self.note_gap(found, connection, shared);
        let key = self
            .key
            .and_then(|place| found[place])
            .and_then(pointer::content);
        push(Record::new(text.as_bytes()).key(key.as_deref().map(str::as_bytes)));
    }

    fn is_repeated(&mut self, found: &Found<'_>) -> bool {
        let Some(dedupe) = &mut self.dedupe else {
            return false;
        };
        let Some(id) = found[dedupe.id].filter(|id| *id != "null") else {
            return false;
        };
        let key = dedupe.key.and_then(|place| found[place]);
        !dedupe.window.is_new((key, id))
    }

    fn note_gap(&mut self, found: &Found<'_>, connection: u64, shared: &Shared) {
        let Some(sequence) = &mut self.sequence else {
            return;
        };
        let number = found[sequence.number]
            .and_then(pointer::content)
            .and_then(|text| text.parse().ok());
        let Some(number) = number else { return };
        let key = sequence
            .key
            .and_then(|place| found[place])
            .and_then(pointer::content)
            .unwrap_or(Cow::Borrowed(""));
        let Some(gap) = sequence.gaps.note(&key, number, connection) else {
            return;
        };
        shared.gap(&key, gap.missing);
        if let Some(missing) = sequence.log.pass(gap.missing) {
            tracing::warn!(missing, key = %key, after = gap.after, "messages are missing in the feed");
        }
    }

    fn note_malformed(&mut self, shared: &Shared, why: &str) {
        shared.malformed.add(1);
        if let Some(messages) = self.malformed.pass(1) {
            tracing::warn!(messages, "handed on as it came, expected JSON: {why}");
        }
    }
}

#[cfg(test)]
mod tests;
