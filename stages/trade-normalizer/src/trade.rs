//! The one schema of all venues.

use crate::decimal::Decimal;
use crate::time::Time;
use crate::token::Token;
use crate::unreadable::{Fault, Unreadable};

/// The side of the taker: who came to the book and took what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The taker bought.
    Buy,
    /// The taker sold.
    Sell,
}

impl Side {
    /// The other side.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Side::Buy => "buy",
            Side::Sell => "sell",
        }
    }
}

/// One trade, borrowed from the venue's message.
#[derive(Debug)]
pub(crate) struct Trade<'a> {
    /// The market, by the venue's own name: a JSON string.
    pub(crate) symbol: Token<'a>,
    /// Price of one unit.
    pub(crate) price: Decimal<'a>,
    /// Units traded.
    pub(crate) size: Decimal<'a>,
    /// Side of the taker.
    pub(crate) side: Side,
    /// The venue's id of the trade, if it gives one.
    pub(crate) trade_id: Option<&'a str>,
    /// When it was traded, by the venue's clock.
    pub(crate) traded_at: Time,
}

impl Trade<'_> {
    /// Appends the trade as a JSON object.
    pub(crate) fn write(&self, venue: &str, received_at: Time, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"venue\":\"");
        out.extend_from_slice(venue.as_bytes());
        out.extend_from_slice(b"\",\"symbol\":");
        out.extend_from_slice(self.symbol.json().as_bytes());
        out.extend_from_slice(b",\"price\":\"");
        out.extend_from_slice(self.price.text().as_bytes());
        out.extend_from_slice(b"\",\"size\":\"");
        out.extend_from_slice(self.size.text().as_bytes());
        out.extend_from_slice(b"\",\"side\":\"");
        out.extend_from_slice(self.side.text().as_bytes());
        match self.trade_id {
            Some(id) => {
                out.extend_from_slice(b"\",\"trade_id\":\"");
                out.extend_from_slice(id.as_bytes());
                out.extend_from_slice(b"\"");
            }
            None => out.extend_from_slice(b"\",\"trade_id\":null"),
        }
        out.extend_from_slice(b",\"traded_at\":\"");
        self.traded_at.write(out);
        out.extend_from_slice(b"\",\"received_at\":\"");
        received_at.write(out);
        out.extend_from_slice(b"\"}");
    }
}

/// Takes a symbol: a JSON string that is not empty.
pub(crate) fn symbol<'a>(
    field: &'static str,
    token: Option<Token<'a>>,
) -> Result<Token<'a>, Unreadable> {
    let token = token.ok_or(Unreadable::missing(field))?;
    if token.is_text() {
        Ok(token)
    } else {
        Err(Unreadable::field(field, Fault::Text, token.json()))
    }
}

/// Takes a trade id: a JSON number or string.
pub(crate) fn trade_id<'a>(
    field: &'static str,
    token: Option<Token<'a>>,
) -> Result<&'a str, Unreadable> {
    let token = token.ok_or(Unreadable::missing(field))?;
    let is_number = token
        .json()
        .starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if is_number || token.is_text() {
        Ok(token.content())
    } else {
        Err(Unreadable::field(field, Fault::Id, token.json()))
    }
}

/// Takes a side that is written as one of two words.
pub(crate) fn side(
    field: &'static str,
    token: Option<Token<'_>>,
    buy: &str,
    sell: &str,
    expected: &'static str,
) -> Result<Side, Unreadable> {
    let text = token.ok_or(Unreadable::missing(field))?.content();
    if text == buy {
        Ok(Side::Buy)
    } else if text == sell {
        Ok(Side::Sell)
    } else {
        Err(Unreadable::field(field, Fault::Side(expected), text))
    }
}
