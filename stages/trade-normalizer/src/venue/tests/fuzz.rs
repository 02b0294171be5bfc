//! No bytes whatsoever do harm, and no digit is changed.

use super::*;
use proptest::prelude::*;

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
