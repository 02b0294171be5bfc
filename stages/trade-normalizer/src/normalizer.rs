//! From a frame to the trades in it.
//!
//! Invariant: a frame gives all of its trades or none. They are written to one buffer first, so that a list with one
//! unreadable trade is rejected as a whole.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::config::Venue;
use crate::time::Time;
use crate::trade::Trade;
use crate::unreadable::Unreadable;
use crate::venue::{Frame, detect};

/// Reads frames; keeps its buffers from one to the next.
#[derive(Default)]
pub(crate) struct Normalizer {
    named: Option<Venue>,
    /// The venue of the frame before, which the next one is tried with: so a steady feed is read once.
    last: Option<Venue>,
    buffer: Vec<u8>,
    trades: Vec<Range<usize>>,
}

impl Normalizer {
    /// A normalizer for one venue, or for any.
    pub(crate) fn new(named: Option<Venue>) -> Self {
        Normalizer {
            named,
            ..Normalizer::default()
        }
    }

    /// Reads one frame; [`Self::trades`] then gives what it held.
    pub(crate) fn read(&mut self, payload: &[u8], received_at: Time) -> Result<Frame, Unreadable> {
        // A derived struct would also read a JSON array, by position.
        if payload.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(otherwise(payload, Unreadable::NotAnObject));
        }
        match self.named {
            Some(venue) => self.read_as(venue, payload, received_at),
            None => self.read_any(payload, received_at),
        }
    }

    fn read_any(&mut self, payload: &[u8], received_at: Time) -> Result<Frame, Unreadable> {
        let first = self
            .last
            .map(|venue| self.read_as(venue, payload, received_at));
        if let Some(Ok(Frame::Trades)) = first {
            return Ok(Frame::Trades);
        }
        let venue = detect(payload).ok_or_else(|| otherwise(payload, Unreadable::UnknownVenue))?;
        match first {
            Some(read) if self.last == Some(venue) => read,
            _ => {
                self.last = Some(venue);
                self.read_as(venue, payload, received_at)
            }
        }
    }

    /// The trades of the frame that was read last, as JSON.
    pub(crate) fn trades(&self) -> impl Iterator<Item = &[u8]> {
        self.trades.iter().map(|range| &self.buffer[range.clone()])
    }

    fn read_as(
        &mut self,
        venue: Venue,
        payload: &[u8],
        received_at: Time,
    ) -> Result<Frame, Unreadable> {
        self.buffer.clear();
        self.trades.clear();
        let (buffer, trades) = (&mut self.buffer, &mut self.trades);
        venue.read(payload, &mut |trade: Trade<'_>| {
            let start = buffer.len();
            trade.write(venue.name(), received_at, buffer);
            trades.push(start..buffer.len());
        })
    }
}

/// What is wrong with a frame that is not JSON, or `why` if it is.
fn otherwise(payload: &[u8], why: Unreadable) -> Unreadable {
    serde_json::from_slice::<IgnoredAny>(payload).map_or_else(Unreadable::from, |_| why)
}
