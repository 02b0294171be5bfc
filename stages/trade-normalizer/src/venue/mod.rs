//! One module per venue: how its frames look and what they mean.
//!
//! Each `read` looks at a frame once, hands every trade in it to `each`, in order, and never makes a number of a price.

mod binance;
mod bithumb;
mod coinbase;
mod detect;
mod kraken;
mod upbit;

#[cfg(test)]
mod tests;

use crate::config::Venue;
use crate::trade::Trade;
use crate::unreadable::Unreadable;

pub(crate) use detect::detect;

/// What a readable frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// It held trades (perhaps none).
    Trades,
    /// It was something else that a venue sends: an acknowledgement, a heartbeat, an order book.
    Other,
}

/// Receives the trades of a frame.
pub(crate) type Each<'f, 'a> = &'f mut dyn FnMut(Trade<'a>);

impl Venue {
    /// Reads one frame of this venue, a JSON object.
    pub(crate) fn read<'a>(
        self,
        payload: &'a [u8],
        each: Each<'_, 'a>,
    ) -> Result<Frame, Unreadable> {
        match self {
            Venue::Upbit => upbit::read(payload, each),
            Venue::Coinbase => coinbase::read(payload, each),
            Venue::Binance => binance::read(payload, each),
            Venue::Kraken => kraken::read(payload, each),
            Venue::Bithumb => bithumb::read(payload, each),
        }
    }
}
