//! Kraken spot, WebSocket v2, channel `trade`.
//!
//! Source: <https://docs.kraken.com/api/docs/websocket-v2/trade>. One message holds a list of trades. Prices and quantities
//! are JSON numbers. `side` is the side of the taker. `trade_id` counts up by one per book. A `snapshot` message holds the
//! most recent 50 trades and is read like an `update`.

use serde::Deserialize;

use super::{Each, Frame};
use crate::decimal::Decimal;
use crate::time::Time;
use crate::token::Token;
use crate::trade::{Trade, side, symbol, trade_id};
use crate::unreadable::Unreadable;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    channel: Option<Token<'a>>,
    #[serde(borrow)]
    data: Option<Token<'a>>,
    #[serde(borrow)]
    error: Option<Token<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    symbol: Option<Token<'a>>,
    #[serde(borrow)]
    side: Option<Token<'a>>,
    #[serde(borrow)]
    price: Option<Token<'a>>,
    #[serde(borrow)]
    qty: Option<Token<'a>>,
    #[serde(borrow)]
    trade_id: Option<Token<'a>>,
    #[serde(borrow)]
    timestamp: Option<Token<'a>>,
}

/// Reads one frame.
pub(super) fn read<'a>(payload: &'a [u8], each: Each<'_, 'a>) -> Result<Frame, Unreadable> {
    let message: Message<'a> = serde_json::from_slice(payload)?;
    if let Some(error) = message.error {
        return Err(Unreadable::venue(error.content()));
    }
    if message
        .channel
        .is_none_or(|channel| channel.content() != "trade")
    {
        return Ok(Frame::Other);
    }
    let data = message.data.ok_or(Unreadable::missing("data"))?;
    for entry in serde_json::from_str::<Vec<Entry<'a>>>(data.json())? {
        each(entry.trade()?);
    }
    Ok(Frame::Trades)
}

impl<'a> Entry<'a> {
    fn trade(&self) -> Result<Trade<'a>, Unreadable> {
        Ok(Trade {
            symbol: symbol("symbol", self.symbol)?,
            price: Decimal::read("price", self.price)?,
            size: Decimal::read("qty", self.qty)?,
            side: side("side", self.side, "buy", "sell", "`buy` or `sell`")?,
            trade_id: Some(trade_id("trade_id", self.trade_id)?),
            traded_at: Time::from_rfc3339("timestamp", self.timestamp)?,
        })
    }
}
