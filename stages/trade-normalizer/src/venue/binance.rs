//! Binance spot, streams `trade` and `aggTrade`, raw or combined.
//!
//! Source: <https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md>. Prices and quantities are
//! JSON strings. `m` says that the buyer was the maker, so the taker sold. `T` is the trade time in milliseconds, or in
//! microseconds with `timeUnit=MICROSECOND`. The trade id is `t` of a `trade` and `a` of an `aggTrade`; each counts up by
//! one per symbol.

use serde::Deserialize;

use super::{Each, Frame};
use crate::decimal::Decimal;
use crate::time::Time;
use crate::token::Token;
use crate::trade::{Side, Trade, symbol, trade_id};
use crate::unreadable::{Fault, Unreadable};

#[derive(Deserialize)]
struct Message<'a> {
    /// The event of a combined stream.
    #[serde(borrow)]
    data: Option<Token<'a>>,
    #[serde(borrow)]
    error: Option<Token<'a>>,
    #[serde(borrow, rename = "e")]
    kind: Option<Token<'a>>,
    #[serde(borrow, rename = "s")]
    symbol: Option<Token<'a>>,
    #[serde(borrow, rename = "p")]
    price: Option<Token<'a>>,
    #[serde(borrow, rename = "q")]
    quantity: Option<Token<'a>>,
    #[serde(borrow, rename = "t")]
    trade: Option<Token<'a>>,
    #[serde(borrow, rename = "a")]
    aggregate: Option<Token<'a>>,
    #[serde(borrow, rename = "T")]
    time: Option<Token<'a>>,
    #[serde(borrow, rename = "m")]
    buyer_is_maker: Option<Token<'a>>,
}

/// Reads one frame.
pub(super) fn read<'a>(payload: &'a [u8], each: Each<'_, 'a>) -> Result<Frame, Unreadable> {
    let message: Message<'a> = serde_json::from_slice(payload)?;
    if let Some(error) = message.error {
        return Err(Unreadable::venue(error.json()));
    }
    match message.data {
        Some(event) if event.json().starts_with('{') => {
            serde_json::from_str::<Message<'a>>(event.json())?.read(each)
        }
        Some(_) => Ok(Frame::Other),
        None => message.read(each),
    }
}

impl<'a> Message<'a> {
    fn read(&self, each: Each<'_, 'a>) -> Result<Frame, Unreadable> {
        let id = match self.kind.map(Token::content) {
            Some("trade") => trade_id("t", self.trade)?,
            Some("aggTrade") => trade_id("a", self.aggregate)?,
            _ => return Ok(Frame::Other),
        };
        each(Trade {
            symbol: symbol("s", self.symbol)?,
            price: Decimal::read("p", self.price)?,
            size: Decimal::read("q", self.quantity)?,
            side: self.side()?,
            trade_id: Some(id),
            traded_at: Time::from_epoch("T", self.time)?,
        });
        Ok(Frame::Trades)
    }

    fn side(&self) -> Result<Side, Unreadable> {
        let maker = self.buyer_is_maker.ok_or(Unreadable::missing("m"))?;
        match maker.json() {
            "true" => Ok(Side::Sell),
            "false" => Ok(Side::Buy),
            other => Err(Unreadable::field(
                "m",
                Fault::Side("`true` or `false`"),
                other,
            )),
        }
    }
}
