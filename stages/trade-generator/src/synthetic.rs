//! Synthetic trades: which one is the n-th, and how it is written.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::Format;
use crate::market::{Deal, Market, decimal};
use crate::random::Random;

/// An endless sequence of trades that its seed decides.
#[derive(Debug)]
pub(crate) struct Synthetic {
    markets: Vec<Market>,
    random: Random,
    format: Format,
    rate: f64,
    /// Trades so far: the id of the last one.
    made: u64,
    started: SystemTime,
}

impl Synthetic {
    /// Trades in `symbols`, `rate` a second.
    pub(crate) fn new(
        symbols: &[String],
        format: Format,
        rate: f64,
        seed: u64,
        started: SystemTime,
    ) -> Self {
        let markets = symbols.iter().map(|symbol| Market::new(symbol)).collect();
        Synthetic {
            markets,
            random: Random::new(seed, 0),
            format,
            rate,
            made: 0,
            started,
        }
    }

    /// Writes the next trade and says when it is due, counted from the start. Ids count up by one from 1 over all markets.
    pub(crate) fn next(&mut self, text: &mut Vec<u8>) -> Duration {
        let due = Duration::from_secs_f64(self.made as f64 / self.rate);
        self.made += 1;
        let chosen = self.random.below(self.markets.len() as u64) as usize;
        let market = &mut self.markets[chosen];
        let deal = market.trade(&mut self.random);
        let trade = Written {
            market,
            deal,
            id: self.made,
            at: self.started + due,
        };
        match self.format {
            Format::Upbit => trade.upbit(text, &LONG),
            Format::UpbitSimple => trade.upbit(text, &SHORT),
            Format::Normalized => trade.normalized(text),
        }
        due
    }
}

/// Upbit's keys, in the order in which they are written.
type Keys = [&'static str; 14];

const LONG: Keys = [
    "type",
    "code",
    "timestamp",
    "trade_date",
    "trade_time",
    "trade_timestamp",
    "trade_price",
    "trade_volume",
    "ask_bid",
    "prev_closing_price",
    "change",
    "change_price",
    "sequential_id",
    "stream_type",
];

const SHORT: Keys = [
    "ty", "cd", "tms", "td", "ttm", "ttms", "tp", "tv", "ab", "pcp", "c", "cp", "sid", "st",
];

struct Written<'a> {
    market: &'a Market,
    deal: Deal,
    id: u64,
    at: SystemTime,
}

impl Written<'_> {
    fn upbit(&self, text: &mut Vec<u8>, keys: &Keys) {
        let at = humantime::format_rfc3339_millis(self.at).to_string();
        let (date, time) = (&at[..10], &at[11..19]);
        let millis = self
            .at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let closing = self.market.closing;
        let change = match self.deal.price.cmp(&closing) {
            std::cmp::Ordering::Less => "FALL",
            std::cmp::Ordering::Equal => "EVEN",
            std::cmp::Ordering::Greater => "RISE",
        };
        let [
            kind,
            code,
            sent,
            day,
            clock,
            traded,
            price,
            volume,
            side,
            close,
            direction,
            by,
            id,
            stream,
        ] = keys;
        append(
            text,
            format_args!(
                "{{\"{kind}\":\"trade\",\"{code}\":\"{}\",\"{sent}\":{millis},\"{day}\":\"{date}\",\"{clock}\":\"{time}\",\
             \"{traded}\":{millis},\"{price}\":{},\"{volume}\":{},\"{side}\":\"{}\",\"{close}\":{},\
             \"{direction}\":\"{change}\",\"{by}\":{},\"{id}\":{},\"{stream}\":\"REALTIME\"}}",
                self.market.symbol,
                decimal(self.deal.price),
                decimal(self.deal.size),
                if self.deal.buy { "BID" } else { "ASK" },
                decimal(closing),
                decimal(self.deal.price.abs_diff(closing)),
                self.id,
            ),
        );
    }

    fn normalized(&self, text: &mut Vec<u8>) {
        let at = humantime::format_rfc3339_micros(self.at);
        append(
            text,
            format_args!(
                "{{\"venue\":\"generator\",\"symbol\":\"{}\",\"price\":\"{}\",\"size\":\"{}\",\"side\":\"{}\",\
             \"trade_id\":\"{}\",\"traded_at\":\"{at}\",\"received_at\":\"{at}\"}}",
                self.market.symbol,
                decimal(self.deal.price),
                decimal(self.deal.size),
                if self.deal.buy { "buy" } else { "sell" },
                self.id,
            ),
        );
    }
}

fn append(text: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a vector takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synthetic(format: Format, seed: u64) -> Synthetic {
        let symbols = ["KRW-BTC".to_owned(), "KRW-ETH".to_owned()];
        Synthetic::new(
            &symbols,
            format,
            4.0,
            seed,
            UNIX_EPOCH + Duration::from_millis(1_618_678_262_000),
        )
    }

    fn trades(format: Format, seed: u64, count: usize) -> Vec<(Duration, serde_json::Value)> {
        let mut synthetic = synthetic(format, seed);
        let mut next = || {
            let mut text = Vec::new();
            let due = synthetic.next(&mut text);
            (due, serde_json::from_slice(&text).unwrap())
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_trades() {
        for format in [Format::Upbit, Format::UpbitSimple, Format::Normalized] {
            assert_eq!(trades(format, 5, 200), trades(format, 5, 200));
            assert_ne!(trades(format, 5, 200), trades(format, 6, 200));
        }
    }

    #[test]
    fn due_times_and_ids_count_up_evenly() {
        for (index, (due, trade)) in trades(Format::Upbit, 1, 9).into_iter().enumerate() {
            assert_eq!(due, Duration::from_millis(250 * index as u64));
            assert_eq!(trade["sequential_id"], index + 1);
            assert_eq!(
                trade["trade_timestamp"],
                1_618_678_262_000_u64 + 250 * index as u64
            );
        }
    }

    #[test]
    fn upbit_trades_have_upbits_fields() {
        let (_, trade) = trades(Format::Upbit, 1, 1).remove(0);
        assert_eq!(
            (&trade["type"], &trade["trade_date"], &trade["trade_time"]),
            (&"trade".into(), &"2021-04-17".into(), &"16:51:02".into())
        );
        assert!(trade["trade_price"].is_number() && trade["trade_volume"].is_number());
        assert!(["BID", "ASK"].contains(&trade["ask_bid"].as_str().unwrap()));
    }

    #[test]
    fn short_keys_say_the_same_as_long_ones() {
        let (long, short) = (
            trades(Format::Upbit, 3, 50),
            trades(Format::UpbitSimple, 3, 50),
        );
        for ((_, long), (_, short)) in long.iter().zip(&short) {
            for (long_key, short_key) in LONG.iter().zip(&SHORT) {
                assert_eq!(long[*long_key], short[*short_key]);
            }
        }
    }

    #[test]
    fn normalized_trades_have_text_for_prices() {
        let (_, trade) = trades(Format::Normalized, 1, 1).remove(0);
        assert_eq!(trade.as_object().unwrap().len(), 8);
        assert!(
            trade["price"].is_string() && trade["size"].is_string() && trade["trade_id"] == "1"
        );
        assert_eq!(trade["traded_at"], "2021-04-17T16:51:02.000000Z");
    }
}
