//! What each venue's frames become, and that no bytes whatsoever do harm.

use crate::config::Venue;
use crate::normalizer::Normalizer;
use crate::time::Time;
use crate::venue::{Frame, detect};
use proptest::prelude::*;

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

#[test]
fn upbit_default_keys() {
    let expected = r#""venue":"upbit","symbol":"KRW-BTC","price":"78123000.00000000","size":"0.00012800","side":"sell","trade_id":"17259273771740000","traded_at":"2024-09-10T00:16:17.174000Z""#;
    assert_eq!(trades(Venue::Upbit, UPBIT), [trade(expected)]);
}

#[test]
fn upbit_simple_keys() {
    let expected = r#""venue":"upbit","symbol":"BTC-ITA","price":"0.00000113","size":"3416.89061628","side":"buy","trade_id":"16186782720000000","traded_at":"2021-04-17T16:51:12.000000Z""#;
    assert_eq!(trades(Venue::Upbit, UPBIT_SIMPLE), [trade(expected)]);
}

#[test]
fn coinbase_side_is_turned_from_maker_to_taker() {
    let expected = r#""venue":"coinbase","symbol":"BTC-USD","price":"400.23","size":"5.23512","side":"buy","trade_id":"10","traded_at":"2014-11-07T08:19:27.028459Z""#;
    assert_eq!(trades(Venue::Coinbase, COINBASE), [trade(expected)]);
    assert_eq!(
        trades(Venue::Coinbase, &COINBASE.replace("match", "last_match")),
        [trade(expected)]
    );
}

#[test]
fn binance_buyer_as_maker_means_the_taker_sold() {
    let expected = r#""venue":"binance","symbol":"BNBBTC","price":"0.00100000","size":"100","side":"sell","trade_id":"12345","traded_at":"2022-12-31T19:43:02.136000Z""#;
    assert_eq!(trades(Venue::Binance, BINANCE), [trade(expected)]);
}

#[test]
fn binance_combined_stream_in_microseconds() {
    let expected = r#""venue":"binance","symbol":"BTCUSDT","price":"16800.10","size":"0.5","side":"buy","trade_id":"777","traded_at":"2022-12-31T19:43:02.136123Z""#;
    assert_eq!(trades(Venue::Binance, BINANCE_COMBINED), [trade(expected)]);
}

#[test]
fn kraken_list_becomes_several_trades() {
    let first = r#""venue":"kraken","symbol":"MATIC/USD","price":"0.5147","size":"6423.46326","side":"buy","trade_id":"4665846","traded_at":"2023-09-25T07:48:36.925533Z""#;
    let second = r#""venue":"kraken","symbol":"MATIC/USD","price":"0.5146","size":"1.00000000","side":"sell","trade_id":"4665847","traded_at":"2023-09-25T07:49:36.925603Z""#;
    assert_eq!(trades(Venue::Kraken, KRAKEN), [trade(first), trade(second)]);
}

#[test]
fn bithumb_transaction_has_korean_time_and_no_id() {
    let expected = r#""venue":"bithumb","symbol":"BTC_KRW","price":"10579000","size":"0.01","side":"sell","trade_id":null,"traded_at":"2020-01-29T03:24:18.830039Z""#;
    assert_eq!(trades(Venue::Bithumb, BITHUMB), [trade(expected)]);
}

#[test]
fn bithumb_trade_of_the_newer_api_looks_like_upbits() {
    let (_, upbit) = read(Some(Venue::Upbit), UPBIT).unwrap();
    let (_, bithumb) = read(Some(Venue::Bithumb), UPBIT).unwrap();
    assert_eq!(bithumb[0], upbit[0].replace("\"upbit\"", "\"bithumb\""));
}

#[test]
fn a_trade_is_one_json_object_with_the_eight_fields() {
    for (venue, frame) in FRAMES {
        for trade in trades(venue, frame) {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&trade).unwrap();
            let mut names: Vec<_> = object.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(
                names,
                [
                    "price",
                    "received_at",
                    "side",
                    "size",
                    "symbol",
                    "trade_id",
                    "traded_at",
                    "venue"
                ]
            );
        }
    }
}

#[test]
fn what_is_no_trade_is_dropped() {
    for (venue, frame) in [
        (
            Venue::Upbit,
            r#"{"ty":"orderbook","cd":"KRW-BTC","obu":[{"ap":1.0}]}"#,
        ),
        (Venue::Upbit, r#"{"status":"UP"}"#),
        (
            Venue::Coinbase,
            r#"{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}"#,
        ),
        (
            Venue::Coinbase,
            r#"{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}"#,
        ),
        (Venue::Binance, r#"{"result":null,"id":1}"#),
        (
            Venue::Binance,
            r#"{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker"}]}"#,
        ),
        (Venue::Kraken, r#"{"channel":"heartbeat"}"#),
        (
            Venue::Kraken,
            r#"{"method":"subscribe","result":{"channel":"trade","snapshot":false,"symbol":"BTC/USD"},"success":true}"#,
        ),
        (
            Venue::Kraken,
            r#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[]}]}"#,
        ),
        (
            Venue::Bithumb,
            r#"{"status":"0000","resmsg":"Filter Registered Successfully"}"#,
        ),
        (
            Venue::Bithumb,
            r#"{"type":"ticker","content":{"symbol":"BTC_KRW","list":7}}"#,
        ),
    ] {
        assert_eq!(
            read(Some(venue), frame).unwrap(),
            (Frame::Other, vec![]),
            "{frame}"
        );
    }
}

#[test]
fn a_venues_error_is_rejected_with_its_words() {
    for (venue, frame, words) in [
        (
            Venue::Upbit,
            r#"{"error":{"name":"NO_CODES","message":"codes"}}"#,
            "NO_CODES",
        ),
        (
            Venue::Coinbase,
            r#"{"type":"error","message":"Failed to subscribe"}"#,
            "Failed to subscribe",
        ),
        (
            Venue::Binance,
            r#"{"error":{"code":2,"msg":"Invalid request"},"id":1}"#,
            "Invalid request",
        ),
        (
            Venue::Kraken,
            r#"{"error":"Currency pair not supported","method":"subscribe","success":false}"#,
            "Currency pair",
        ),
        (
            Venue::Bithumb,
            r#"{"status":"5100","resmsg":"Invalid Filter Syntax"}"#,
            "Invalid Filter Syntax",
        ),
    ] {
        let error = read(Some(venue), frame).unwrap_err();
        assert!(
            error.starts_with("the venue answered with an error: ") && error.contains(words),
            "{error}"
        );
    }
}

#[test]
fn a_trade_that_lacks_something_names_it() {
    for (venue, frame, from, to, reason) in [
        (
            Venue::Upbit,
            UPBIT,
            "\"trade_price\"",
            "\"x\"",
            "`trade_price`: missing",
        ),
        (
            Venue::Upbit,
            UPBIT,
            "\"sequential_id\"",
            "\"x\"",
            "`sequential_id`: missing",
        ),
        (
            Venue::Upbit,
            UPBIT,
            "\"ASK\"",
            "\"ask\"",
            "`ask_bid`: expected `BID` or `ASK`, found `ask`",
        ),
        (
            Venue::Coinbase,
            COINBASE,
            "\"400.23\"",
            "\"much\"",
            "`price`: expected a decimal number, found `much`",
        ),
        (
            Venue::Binance,
            BINANCE,
            "\"m\":true",
            "\"m\":1",
            "`m`: expected `true` or `false`, found `1`",
        ),
        (
            Venue::Kraken,
            KRAKEN,
            "\"trade_id\":4665847",
            "\"trade_id\":[]",
            "`trade_id`: expected a number or a text, found `[]`",
        ),
        (
            Venue::Bithumb,
            BITHUMB,
            "\"BTC_KRW\"",
            "5",
            "`symbol`: expected a text, found `5`",
        ),
    ] {
        assert_eq!(
            read(Some(venue), &frame.replace(from, to)).unwrap_err(),
            reason
        );
    }
}

#[test]
fn one_bad_trade_rejects_the_whole_list() {
    let mut normalizer = Normalizer::new(Some(Venue::Kraken));
    let frame = KRAKEN.replace("4665847", "{}");
    assert!(
        normalizer
            .read(frame.as_bytes(), Time::from_nanos(0))
            .is_err()
    );
    assert!(
        normalizer
            .read(br#"{"channel":"heartbeat"}"#, Time::from_nanos(0))
            .is_ok()
    );
    assert_eq!(normalizer.trades().count(), 0);
}

#[test]
fn advanced_trade_is_rejected_because_its_side_is_unknown() {
    let frame = r#"{"channel":"market_trades","sequence_num":0,"events":[]}"#;
    assert!(
        read(Some(Venue::Coinbase), frame)
            .unwrap_err()
            .contains("which side")
    );
}

#[test]
fn auto_tells_the_venues_apart_and_follows_a_change() {
    let mut normalizer = Normalizer::new(None);
    for (venue, frame) in FRAMES.iter().chain(FRAMES.iter().rev()) {
        assert_eq!(detect(frame.as_bytes()), Some(*venue), "{frame}");
        assert_eq!(
            normalizer
                .read(frame.as_bytes(), Time::from_nanos(0))
                .unwrap(),
            Frame::Trades
        );
        assert!(
            normalizer
                .trades()
                .all(|t| t.starts_with(format!("{{\"venue\":\"{}\"", venue.name()).as_bytes()))
        );
    }
}

#[test]
fn auto_says_when_nobody_sends_such_frames() {
    assert_eq!(
        read(None, r#"{"hello":"world"}"#).unwrap_err(),
        "cannot tell which venue sent this; set `venue`"
    );
    assert!(
        read(None, "<html>")
            .unwrap_err()
            .starts_with("not the JSON that was expected: ")
    );
    assert!(
        read(None, "[{}]")
            .unwrap_err()
            .starts_with("expected a JSON object")
    );
}

proptest! {
    #[test]
    fn price_and_size_leave_as_they_came(
        price in r"(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE]-?[0-9]{1,2})?",
        size in r"(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?",
    ) {
        let frames = [
            (Venue::Upbit, UPBIT.replace("78123000.00000000", &price).replace("0.00012800", &size)),
            (Venue::Upbit, UPBIT_SIMPLE.replace("0.00000113", &price).replace("3416.89061628", &size)),
            (Venue::Coinbase, COINBASE.replace("400.23", &price).replace("5.23512", &size)),
            (Venue::Binance, BINANCE.replace("0.00100000", &price).replace("\"100\"", &format!("\"{size}\""))),
            (Venue::Kraken, KRAKEN.replace("0.5147", &price).replace("6423.46326", &size)),
            (Venue::Bithumb, BITHUMB.replace("10579000\"", &format!("{price}\"")).replace("0.01\"", &format!("{size}\""))),
        ];
        for (venue, frame) in frames {
            let trade = trades(venue, &frame).swap_remove(0);
            let wanted = format!("\"price\":\"{price}\",\"size\":\"{size}\"");
            prop_assert!(trade.contains(&wanted), "{} has not {}", trade, wanted);
        }
    }

    #[test]
    fn any_symbol_stays_valid_json(symbol in any::<String>()) {
        prop_assume!(!symbol.is_empty());
        let quoted = serde_json::to_string(&symbol).unwrap();
        let trade = trades(Venue::Coinbase, &COINBASE.replace("\"BTC-USD\"", &quoted)).swap_remove(0);
        let object: serde_json::Value = serde_json::from_str(&trade).unwrap();
        prop_assert_eq!(object["symbol"].as_str(), Some(symbol.as_str()));
    }
}

/// Reads `frame` as every venue and as any; what comes out must be JSON.
fn survives(frame: &[u8]) {
    for venue in [
        None,
        Some(Venue::Upbit),
        Some(Venue::Coinbase),
        Some(Venue::Binance),
        Some(Venue::Kraken),
        Some(Venue::Bithumb),
    ] {
        let mut normalizer = Normalizer::new(venue);
        if normalizer.read(frame, Time::from_nanos(i64::MAX)).is_ok() {
            for trade in normalizer.trades() {
                assert!(
                    serde_json::from_slice::<serde::de::IgnoredAny>(trade).is_ok(),
                    "{}",
                    String::from_utf8_lossy(trade)
                );
            }
        }
    }
}

#[test]
fn fuzz_any_bytes() {
    bolero::check!().for_each(survives);
}

#[test]
fn fuzz_damaged_frames() {
    bolero::check!()
        .with_type::<(u8, Vec<(u16, u8)>)>()
        .for_each(|(frame, damage)| {
            let (_, frame) = FRAMES[usize::from(*frame) % FRAMES.len()];
            let mut bytes = frame.as_bytes().to_vec();
            for (at, byte) in damage {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *byte;
            }
            survives(&bytes);
        });
}
