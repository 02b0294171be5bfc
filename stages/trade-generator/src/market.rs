//! A market whose price walks.

use crate::random::Random;

/// Decimal places of prices and sizes.
const PLACES: usize = 8;
/// One unit in the smallest step.
const UNIT: u64 = 100_000_000;
/// Where the price of a coin in won begins and how far one step goes, in units of 10^-8.
const COINS: [(&str, u64, u64); 5] = [
    ("BTC", 78_000_000 * UNIT, 1_000 * UNIT),
    ("ETH", 3_100_000 * UNIT, 500 * UNIT),
    ("SOL", 182_000 * UNIT, 50 * UNIT),
    ("XRP", 760 * UNIT, UNIT / 10),
    ("DOGE", 154 * UNIT, UNIT / 10),
];
/// The same for any other coin.
const OTHER: (u64, u64) = (1_000 * UNIT, UNIT);

/// One market: its name, and where its price is.
#[derive(Debug)]
pub(crate) struct Market {
    /// Name, such as `KRW-BTC`.
    pub(crate) symbol: String,
    /// Price of the day before, in units of 10^-8.
    pub(crate) closing: u64,
    price: u64,
    step: u64,
}

/// What was traded, in units of 10^-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deal {
    /// Price of one unit.
    pub(crate) price: u64,
    /// Units traded.
    pub(crate) size: u64,
    /// Whether the taker bought.
    pub(crate) buy: bool,
}

impl Market {
    /// The market of that name.
    pub(crate) fn new(symbol: &str) -> Self {
        let coin = COINS.iter().find(|(coin, ..)| symbol.ends_with(coin));
        let (price, step) = coin.map_or(OTHER, |(_, price, step)| (*price, *step));
        Market {
            symbol: symbol.to_owned(),
            closing: price,
            price,
            step,
        }
    }

    /// The next trade: the price moves by up to three steps and stays within half and twice its beginning.
    pub(crate) fn trade(&mut self, random: &mut Random) -> Deal {
        let up = random.below(2) == 1;
        let distance = random.below(4) * self.step;
        let moved = if up {
            self.price + distance
        } else {
            self.price.saturating_sub(distance)
        };
        if (self.closing / 2..=self.closing * 2).contains(&moved) {
            self.price = moved;
        }
        Deal {
            price: self.price,
            size: 1 + random.below(5 * UNIT),
            buy: up,
        }
    }
}

/// Writes units of 10^-8 as a decimal number, without zeros at the end but with one place at least.
pub(crate) fn decimal(units: u64) -> String {
    let mut text = format!("{}.{:0PLACES$}", units / UNIT, units % UNIT);
    let point = text.len() - PLACES;
    let end = text.trim_end_matches('0').len();
    text.truncate(end.max(point + 1));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_keep_their_value_and_one_place() {
        for (units, text) in [
            (0, "0.0"),
            (1, "0.00000001"),
            (UNIT, "1.0"),
            (12_345_000_000, "123.45"),
            (11_300, "0.000113"),
        ] {
            assert_eq!(decimal(units), text);
        }
    }

    proptest! {
        #[test]
        fn prices_stay_positive_and_near_their_beginning(seed in any::<u64>(), symbol in "KRW-(BTC|XRP|DOGE|ADA)") {
            let mut random = Random::new(seed, 0);
            let mut market = Market::new(&symbol);
            for _ in 0..2000 {
                let deal = market.trade(&mut random);
                prop_assert!(deal.price >= market.closing / 2 && deal.price <= market.closing * 2 && deal.size > 0);
            }
        }
    }
}
