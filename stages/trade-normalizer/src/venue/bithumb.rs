//! Bithumb: `trade` of the public WebSocket of API 2.x, and `transaction` of the older one.
//!
//! Sources: <https://apidocs.bithumb.com/reference> (WebSocket, trade), whose frames are [`super::upbit`]'s; and
//! <https://apidocs.bithumb.com/v1.2.0/reference> (public WebSocket): a list of trades with JSON strings, `buySellGb` `1` a
//! sale and `2` a purchase by the taker, `contDtm` the local time of Korea in microseconds, and no trade id.

use serde::Deserialize;

use super::{Each, Frame, upbit};
use crate::decimal::Decimal;
use crate::time::Time;
use crate::token::Token;
use crate::trade::{Trade, side, symbol};
use crate::unreadable::Unreadable;

/// What the success of a subscription says in `status`; other codes are errors.
const ACCEPTED: [&str; 2] = ["0000", "UP"];

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Token<'a>>,
    #[serde(borrow)]
    content: Option<Token<'a>>,
    #[serde(borrow)]
    status: Option<Token<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    list: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    symbol: Option<Token<'a>>,
    #[serde(borrow, rename = "buySellGb")]
    buy_sell: Option<Token<'a>>,
    #[serde(borrow, rename = "contPrice")]
    price: Option<Token<'a>>,
    #[serde(borrow, rename = "contQty")]
    quantity: Option<Token<'a>>,
    #[serde(borrow, rename = "contDtm")]
    time: Option<Token<'a>>,
}

/// Reads one frame.
pub(super) fn read<'a>(payload: &'a [u8], each: Each<'_, 'a>) -> Result<Frame, Unreadable> {
    let message: upbit::Message<'a> = serde_json::from_slice(payload)?;
    if message.is_trade()? {
        each(message.trade()?);
        return Ok(Frame::Trades);
    }
    let message: Message<'a> = serde_json::from_slice(payload)?;
    if message
        .status
        .is_some_and(|status| !ACCEPTED.contains(&status.content()))
    {
        return Err(Unreadable::venue(&String::from_utf8_lossy(payload)));
    }
    if message
        .kind
        .is_none_or(|kind| kind.content() != "transaction")
    {
        return Ok(Frame::Other);
    }
    let content = message.content.ok_or(Unreadable::missing("content"))?;
    for entry in serde_json::from_str::<Content<'a>>(content.json())?.list {
        each(entry.trade()?);
    }
    Ok(Frame::Trades)
}

impl<'a> Entry<'a> {
    fn trade(&self) -> Result<Trade<'a>, Unreadable> {
        Ok(Trade {
            symbol: symbol("symbol", self.symbol)?,
            price: Decimal::read("contPrice", self.price)?,
            size: Decimal::read("contQty", self.quantity)?,
            side: side(
                "buySellGb",
                self.buy_sell,
                "2",
                "1",
                "`1` (sale) or `2` (purchase)",
            )?,
            trade_id: None,
            traded_at: Time::from_korean("contDtm", self.time)?,
        })
    }
}
