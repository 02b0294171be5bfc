//! Missing messages: numbers that should count up by one, per key.
//!
//! A number below the expected one is late or repeated, and ignored, unless it is the first of a new connection: then the
//! server counts anew. Memory is bounded by the number of keys.

use std::collections::HashMap;

/// Most keys that are followed.
const MOST_KEYS: usize = 10_000;

/// The numbers seen last.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    last: HashMap<String, Last>,
}

#[derive(Debug)]
struct Last {
    number: i64,
    connection: u64,
}

/// Numbers that were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The number before the gap.
    pub(crate) after: i64,
    /// How many are missing.
    pub(crate) missing: u64,
}

impl Gaps {
    /// Notes `number` of `key`, which came over the `connection`-th connection; tells if some are missing before it.
    pub(crate) fn note(&mut self, key: &str, number: i64, connection: u64) -> Option<Gap> {
        let Some(last) = self.last.get_mut(key) else {
            if self.last.len() < MOST_KEYS {
                self.last
                    .insert(key.to_owned(), Last { number, connection });
            }
            return None;
        };
        let before = last.number;
        let anew = last.connection != connection;
        last.connection = connection;
        if number > before || anew {
            last.number = number;
        }
        let missing = u64::try_from(i128::from(number) - i128::from(before) - 1).unwrap_or(0);
        (missing > 0).then_some(Gap {
            after: before,
            missing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gaps_are_counted_per_key_and_over_a_reconnect() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.note("a", 5, 1), None);
        assert_eq!(gaps.note("b", 100, 1), None);
        assert_eq!(gaps.note("a", 6, 1), None);
        assert_eq!(
            gaps.note("a", 9, 2),
            Some(Gap {
                after: 6,
                missing: 2
            })
        );
        assert_eq!(gaps.note("b", 101, 2), None);
    }

    #[test]
    fn late_and_repeated_numbers_are_no_gap() {
        let mut gaps = Gaps::default();
        for number in [5, 7, 6, 7, 8] {
            let gap = gaps.note("a", number, 1);
            assert_eq!(
                gap.is_some(),
                number == 7 && gap.is_some_and(|gap| gap.after == 5),
                "{number}"
            );
        }
    }

    #[test]
    fn a_server_may_count_anew_on_a_new_connection() {
        let mut gaps = Gaps::default();
        gaps.note("a", 1000, 1);
        assert_eq!(gaps.note("a", 1, 2), None);
        assert_eq!(gaps.note("a", 2, 2), None);
        assert_eq!(
            gaps.note("a", 4, 2),
            Some(Gap {
                after: 2,
                missing: 1
            })
        );
    }

    #[test]
    fn keys_are_bounded() {
        let mut gaps = Gaps::default();
        for key in 0..MOST_KEYS + 5 {
            gaps.note(&key.to_string(), 1, 1);
        }
        assert_eq!(gaps.last.len(), MOST_KEYS);
    }

    proptest! {
        #[test]
        fn rising_numbers_tell_exactly_what_is_missing(steps in prop::collection::vec(1_u8..5, 0..100)) {
            let (mut gaps, mut number) = (Gaps::default(), 0_i64);
            gaps.note("k", 0, 1);
            for step in steps {
                number += i64::from(step);
                let missing = gaps.note("k", number, 1).map_or(0, |gap| gap.missing);
                prop_assert_eq!(missing, u64::from(step) - 1);
            }
        }

        #[test]
        fn extreme_numbers_do_no_harm(numbers in prop::collection::vec((any::<i64>(), 0_u64..3), 0..50)) {
            let mut gaps = Gaps::default();
            for (number, connection) in numbers { gaps.note("k", number, connection); }
        }
    }
}
