//! A trade as an exchange sends it.

use serde_json::json;

/// One trade in Upbit's format `SIMPLE`; `id` is its sequential id.
pub fn upbit_trade(id: u64) -> String {
    let trade = json!({
        "ty": "trade", "cd": "KRW-BTC", "tp": 50_000_000, "tv": 0.5, "ab": "BID", "ttms": 1_700_000_000_000_u64,
        "tms": 1_700_000_000_001_u64, "sid": id, "st": "REALTIME",
    });
    trade.to_string()
}
