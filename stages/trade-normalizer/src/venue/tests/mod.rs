//! Frames of each venue, made in its format.

mod fuzz;
mod readings;
mod refusals;

use crate::config::Venue;
use crate::normalizer::Normalizer;
use crate::time::Time;
use crate::venue::Frame;

const UPBIT: &str = r#"{"type":"trade","code":"KRW-BTC","timestamp":1725927377287,"trade_date":"2024-09-10","trade_time":"00:16:17","trade_timestamp":1725927377174,"trade_price":78123000.00000000,"trade_volume":0.00012800,"ask_bid":"ASK","prev_closing_price":77000000.0,"change":"RISE","change_price":1123000.0,"sequential_id":17259273771740000,"best_ask_price":78124000,"best_ask_size":0.1,"best_bid_price":78123000,"best_bid_size":0.2,"stream_type":"REALTIME"}"#;
const UPBIT_SIMPLE: &str = r#"{"ty":"trade","cd":"BTC-ITA","tms":1618678272375,"td":"2021-04-17","ttm":"16:51:12","ttms":1618678272000,"tp":0.00000113,"tv":3416.89061628,"ab":"BID","pcp":0.00000119,"c":"FALL","cp":6E-8,"sid":16186782720000000,"st":"SNAPSHOT"}"#;
const COINBASE: &str = r#"{"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66","taker_order_id":"132fb6ae","time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}"#;
const BINANCE: &str = r#"{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.00100000","q":"100","T":1672515782136,"m":true,"M":true}"#;
const BINANCE_COMBINED: &str = r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1672515782136,"s":"BTCUSDT","a":777,"p":"16800.10","q":"0.5","f":100,"l":105,"T":1672515782136123,"m":false,"M":true}}"#;
const KRAKEN: &str = r#"{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"buy","price":0.5147,"qty":6423.46326,"ord_type":"limit","trade_id":4665846,"timestamp":"2023-09-25T07:48:36.925533Z"},{"symbol":"MATIC/USD","side":"sell","price":0.5146,"qty":1.00000000,"ord_type":"market","trade_id":4665847,"timestamp":"2023-09-25T07:49:36.925603Z"}]}"#;
const BITHUMB: &str = r#"{"type":"transaction","content":{"list":[{"symbol":"BTC_KRW","buySellGb":"1","contPrice":"10579000","contQty":"0.01","contAmt":"105790.00","contDtm":"2020-01-29 12:24:18.830039","updn":"dn"}]}}"#;

const FRAMES: [(Venue, &str); 7] = [
    (Venue::Upbit, UPBIT),
    (Venue::Upbit, UPBIT_SIMPLE),
    (Venue::Coinbase, COINBASE),
    (Venue::Binance, BINANCE),
    (Venue::Binance, BINANCE_COMBINED),
    (Venue::Kraken, KRAKEN),
    (Venue::Bithumb, BITHUMB),
];

/// The trades of one frame, with a receive time of 1970.
fn read(venue: Option<Venue>, frame: &str) -> Result<(Frame, Vec<String>), String> {
    let mut normalizer = Normalizer::new(venue);
    let kind = normalizer
        .read(frame.as_bytes(), Time::from_nanos(0))
        .map_err(|e| e.to_string())?;
    Ok((
        kind,
        normalizer
            .trades()
            .map(|t| String::from_utf8(t.to_vec()).unwrap())
            .collect(),
    ))
}

fn trades(venue: Venue, frame: &str) -> Vec<String> {
    let (kind, trades) = read(Some(venue), frame).unwrap();
    assert_eq!(kind, Frame::Trades);
    trades
}

fn trade(fields: &str) -> String {
    format!(r#"{{{fields},"received_at":"1970-01-01T00:00:00.000000Z"}}"#)
}
