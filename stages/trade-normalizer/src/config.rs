//! Settings.

use pipeline_sdk::prelude::*;
use serde::Serialize;

/// Turns the trade messages of an exchange into one schema: `venue`, `symbol`, `price`, `size`, `side` (of the taker),
/// `trade_id`, `traded_at`, `received_at`. Prices and sizes are decimal text exactly as sent; times are RFC 3339 in UTC with
/// microseconds. A message that holds several trades becomes several messages; one that holds none is dropped; one that
/// cannot be read is rejected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The exchange that the messages are from. `auto` tells it from each message; Bithumb must be named, because its
    /// messages look like Upbit's.
    #[serde(default)]
    pub(crate) venue: VenueSetting,
}

/// What `venue` may be.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum VenueSetting {
    /// Told from each message.
    #[default]
    Auto,
    /// Upbit, formats `DEFAULT` and `SIMPLE`.
    Upbit,
    /// Coinbase Exchange, channel `matches`.
    Coinbase,
    /// Binance spot, streams `trade` and `aggTrade`, raw or combined.
    Binance,
    /// Kraken spot, WebSocket v2, channel `trade`.
    Kraken,
    /// Bithumb, `trade` and `transaction`.
    Bithumb,
}

/// An exchange whose messages can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Venue {
    Upbit,
    Coinbase,
    Binance,
    Kraken,
    Bithumb,
}

impl VenueSetting {
    /// The venue that was named, or `None` for `auto`.
    pub(crate) fn named(self) -> Option<Venue> {
        match self {
            VenueSetting::Auto => None,
            VenueSetting::Upbit => Some(Venue::Upbit),
            VenueSetting::Coinbase => Some(Venue::Coinbase),
            VenueSetting::Binance => Some(Venue::Binance),
            VenueSetting::Kraken => Some(Venue::Kraken),
            VenueSetting::Bithumb => Some(Venue::Bithumb),
        }
    }
}

impl Venue {
    /// The name in a trade.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Venue::Upbit => "upbit",
            Venue::Coinbase => "coinbase",
            Venue::Binance => "binance",
            Venue::Kraken => "kraken",
            Venue::Bithumb => "bithumb",
        }
    }
}
