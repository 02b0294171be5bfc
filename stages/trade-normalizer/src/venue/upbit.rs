//! Upbit, formats `DEFAULT` (long keys) and `SIMPLE` (short keys).
//!
//! Source: <https://docs.upbit.com/kr/reference/websocket-trade>. Prices and volumes are JSON numbers. `ask_bid` is the
//! direction of the trade: `BID` is a purchase, `ASK` a sale, by the taker. `sequential_id` identifies a trade and does not
//! count up by one. `stream_type` `SNAPSHOT` repeats the last trade once after a subscription: it is a trade like any other.

use serde::Deserialize;

use super::{Each, Frame};
use crate::decimal::Decimal;
use crate::time::Time;
use crate::token::Token;
use crate::trade::{Side, Trade, side, symbol, trade_id};
use crate::unreadable::Unreadable;

/// A frame; bithumb's API 2.x sends the same.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, rename = "type", alias = "ty")]
    kind: Option<Token<'a>>,
    #[serde(borrow, alias = "cd")]
    code: Option<Token<'a>>,
    #[serde(borrow, alias = "tp")]
    trade_price: Option<Token<'a>>,
    #[serde(borrow, alias = "tv")]
    trade_volume: Option<Token<'a>>,
    #[serde(borrow, alias = "ab")]
    ask_bid: Option<Token<'a>>,
    #[serde(borrow, alias = "ttms")]
    trade_timestamp: Option<Token<'a>>,
    #[serde(borrow, alias = "sid")]
    sequential_id: Option<Token<'a>>,
    #[serde(borrow)]
    error: Option<Token<'a>>,
}

impl<'a> Message<'a> {
    /// Whether this is a trade; an error of the venue is an error here.
    pub(super) fn is_trade(&self) -> Result<bool, Unreadable> {
        match self.error {
            Some(error) => Err(Unreadable::venue(error.json())),
            None => Ok(self.kind.is_some_and(|kind| kind.content() == "trade")),
        }
    }

    /// The trade, whose id may be missing.
    pub(super) fn trade(&self) -> Result<Trade<'a>, Unreadable> {
        Ok(Trade {
            symbol: symbol("code", self.code)?,
            price: Decimal::read("trade_price", self.trade_price)?,
            size: Decimal::read("trade_volume", self.trade_volume)?,
            side: self.side()?,
            trade_id: self
                .sequential_id
                .map(|id| trade_id("sequential_id", Some(id)))
                .transpose()?,
            traded_at: Time::from_epoch("trade_timestamp", self.trade_timestamp)?,
        })
    }

    fn side(&self) -> Result<Side, Unreadable> {
        side("ask_bid", self.ask_bid, "BID", "ASK", "`BID` or `ASK`")
    }
}

/// Reads one frame.
pub(super) fn read<'a>(payload: &'a [u8], each: Each<'_, 'a>) -> Result<Frame, Unreadable> {
    let message: Message<'a> = serde_json::from_slice(payload)?;
    if !message.is_trade()? {
        return Ok(Frame::Other);
    }
    let trade = message.trade()?;
    if trade.trade_id.is_none() {
        return Err(Unreadable::missing("sequential_id"));
    }
    each(trade);
    Ok(Frame::Trades)
}
