//! What is dropped, and what is rejected with which reason.

use super::*;
use crate::venue::detect;

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
