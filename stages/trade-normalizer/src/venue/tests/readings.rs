//! What each venue's trades become.

use super::*;

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
