//! Coinbase Exchange, channel `matches` (and the `match` messages of `full`).
//!
//! Source: <https://docs.cdp.coinbase.com/exchange/websocket-feed/channels>. Prices and sizes are JSON strings. `side` is the
//! side of the *maker*, so the taker's is the opposite. `trade_id` counts up by one per product. `last_match` repeats the
//! last trade once after a subscription.
//!
//! The Advanced Trade feed (`market_trades`) is rejected: its documentation does not say whose side `side` is.

use serde::Deserialize;

use super::{Each, Frame};
use crate::decimal::Decimal;
use crate::time::Time;
use crate::token::Token;
use crate::trade::{Trade, side, symbol, trade_id};
use crate::unreadable::Unreadable;

const ADVANCED_TRADE: &str = "channel `market_trades` does not say which side the taker was on; use channel `matches` of the Exchange feed";

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Token<'a>>,
    #[serde(borrow)]
    channel: Option<Token<'a>>,
    #[serde(borrow)]
    trade_id: Option<Token<'a>>,
    #[serde(borrow)]
    product_id: Option<Token<'a>>,
    #[serde(borrow)]
    price: Option<Token<'a>>,
    #[serde(borrow)]
    size: Option<Token<'a>>,
    #[serde(borrow)]
    side: Option<Token<'a>>,
    #[serde(borrow)]
    time: Option<Token<'a>>,
}

/// Reads one frame.
pub(super) fn read<'a>(payload: &'a [u8], each: Each<'_, 'a>) -> Result<Frame, Unreadable> {
    let message: Message<'a> = serde_json::from_slice(payload)?;
    match message.kind.map(Token::content) {
        Some("match" | "last_match") => each(message.trade()?),
        Some("error") => return Err(Unreadable::venue(&String::from_utf8_lossy(payload))),
        _ if message
            .channel
            .is_some_and(|channel| channel.content() == "market_trades") =>
        {
            return Err(Unreadable::Unsupported(ADVANCED_TRADE));
        }
        _ => return Ok(Frame::Other),
    }
    Ok(Frame::Trades)
}

impl<'a> Message<'a> {
    fn trade(&self) -> Result<Trade<'a>, Unreadable> {
        let maker = side("side", self.side, "buy", "sell", "`buy` or `sell`")?;
        Ok(Trade {
            symbol: symbol("product_id", self.product_id)?,
            price: Decimal::read("price", self.price)?,
            size: Decimal::read("size", self.size)?,
            side: maker.opposite(),
            trade_id: Some(trade_id("trade_id", self.trade_id)?),
            traded_at: Time::from_rfc3339("time", self.time)?,
        })
    }
}
