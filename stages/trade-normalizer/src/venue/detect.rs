//! Which venue a frame is from, by the names of its keys.
//!
//! Bithumb's API 2.x writes what Upbit writes, so it is never guessed: its frames count as Upbit's.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::config::Venue;

/// Keys that tell one venue from the others.
#[derive(Deserialize)]
struct Keys {
    cd: Option<IgnoredAny>,
    code: Option<IgnoredAny>,
    product_id: Option<IgnoredAny>,
    product_ids: Option<IgnoredAny>,
    channels: Option<IgnoredAny>,
    sequence_num: Option<IgnoredAny>,
    e: Option<IgnoredAny>,
    stream: Option<IgnoredAny>,
    result: Option<IgnoredAny>,
    method: Option<IgnoredAny>,
    channel: Option<IgnoredAny>,
    content: Option<IgnoredAny>,
    resmsg: Option<IgnoredAny>,
}

/// The venue that sends such frames, if one can be told.
pub(crate) fn detect(payload: &[u8]) -> Option<Venue> {
    let keys: Keys = serde_json::from_slice(payload).ok()?;
    let has = |any: &[&Option<IgnoredAny>]| any.iter().any(|key| key.is_some());
    if has(&[&keys.cd, &keys.code]) {
        Some(Venue::Upbit)
    } else if has(&[
        &keys.product_id,
        &keys.product_ids,
        &keys.channels,
        &keys.sequence_num,
    ]) {
        Some(Venue::Coinbase)
    } else if has(&[&keys.e, &keys.stream]) {
        Some(Venue::Binance)
    } else if has(&[&keys.channel, &keys.method]) {
        Some(Venue::Kraken)
    } else if has(&[&keys.content, &keys.resmsg]) {
        Some(Venue::Bithumb)
    } else {
        // Only an acknowledgement says `result`; Kraken's also names its `method`.
        has(&[&keys.result]).then_some(Venue::Binance)
    }
}
