//! The positions that a client resumes from: `?after=topic/partition:offset,…`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::position::{is_topic, shorten};

/// The last offset that a client has, per partition. It wants what comes after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct After {
    offsets: BTreeMap<(String, i32), i64>,
}

impl After {
    /// Most positions that one text may hold.
    pub const MOST: usize = 4096;

    /// Remembers that the client has everything of the partition up to `offset`.
    pub fn set(&mut self, topic: &str, partition: i32, offset: i64) {
        self.offsets.insert((topic.to_owned(), partition), offset);
    }

    /// Returns the last offset that the client has of a partition.
    pub fn get(&self, topic: &str, partition: i32) -> Option<i64> {
        self.offsets.get(&(topic.to_owned(), partition)).copied()
    }

    /// Forgets a partition, so that everything of it is wanted.
    pub fn remove(&mut self, topic: &str, partition: i32) {
        self.offsets.remove(&(topic.to_owned(), partition));
    }

    /// Walks over topic, partition and last offset.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, i64)> {
        self.offsets
            .iter()
            .map(|((topic, partition), offset)| (topic.as_str(), *partition, *offset))
    }

    /// True when no partition is named.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }
}

/// Why a text is no `after`.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AfterError {
    /// One of the positions cannot be read.
    #[error("`after` holds \"{0}\": expected `topic/partition:offset`")]
    Position(String),
    /// One partition is named twice.
    #[error("`after` names {topic}/{partition} twice")]
    Twice {
        /// Name of the topic.
        topic: String,
        /// Partition of the topic.
        partition: i32,
    },
    /// There are too many positions.
    #[error("`after` holds more than {max} positions", max = After::MOST)]
    TooMany,
}

impl FromStr for After {
    type Err = AfterError;

    fn from_str(text: &str) -> Result<Self, AfterError> {
        let mut after = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            if after.offsets.len() == Self::MOST {
                return Err(AfterError::TooMany);
            }
            let (topic, partition, offset) =
                position(part).ok_or_else(|| AfterError::Position(shorten(part)))?;
            if after
                .offsets
                .insert((topic.to_owned(), partition), offset)
                .is_some()
            {
                return Err(AfterError::Twice {
                    topic: topic.to_owned(),
                    partition,
                });
            }
        }
        Ok(after)
    }
}

impl fmt::Display for After {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (topic, partition, offset)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{topic}/{partition}:{offset}")?;
        }
        Ok(())
    }
}

fn position(text: &str) -> Option<(&str, i32, i64)> {
    let (topic, rest) = text.split_once('/')?;
    let (partition, offset) = rest.split_once(':')?;
    let partition = digits(partition)?.parse().ok()?;
    let offset = digits(offset)?
        .parse()
        .ok()
        .filter(|offset| *offset < i64::MAX)?;
    is_topic(topic).then_some((topic, partition, offset))
}

/// Returns `text` if it holds nothing but digits: a sign is no part of a position.
fn digits(text: &str) -> Option<&str> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_and_written_alike() {
        let text = "stock_trade/0:12,stock_trade/1:7";
        let after: After = text.parse().unwrap();
        assert_eq!(after.get("stock_trade", 1), Some(7));
        assert_eq!(after.get("stock_trade", 2), None);
        assert_eq!(after.to_string(), text);
    }

    #[test]
    fn an_empty_text_names_no_partition() {
        assert!("".parse::<After>().unwrap().is_empty());
    }

    #[test]
    fn impossible_positions_are_errors() {
        for text in [
            "t",
            "t/0",
            "t/0:",
            "t/:1",
            "/0:1",
            "t/-1:1",
            "t/0:-1",
            "t/0:+1",
            "a b/0:1",
            "t/99999999999:1",
        ] {
            assert_eq!(
                text.parse::<After>(),
                Err(AfterError::Position(text.to_owned())),
                "{text}"
            );
        }
        assert!(format!("t/0:{}", i64::MAX).parse::<After>().is_err());
    }

    #[test]
    fn a_partition_named_twice_is_an_error() {
        let twice = AfterError::Twice {
            topic: "t".to_owned(),
            partition: 0,
        };
        assert_eq!("t/0:1,t/0:2".parse::<After>(), Err(twice));
    }

    #[test]
    fn too_many_positions_are_an_error() {
        let text: Vec<_> = (0..=After::MOST)
            .map(|partition| format!("t/{partition}:1"))
            .collect();
        assert_eq!(text.join(",").parse::<After>(), Err(AfterError::TooMany));
    }

    #[test]
    fn fuzz_what_parses_is_written_back() {
        let back = |text: &str| {
            if let Ok(after) = text.parse::<After>() {
                assert_eq!(after.to_string().parse::<After>().as_ref(), Ok(&after));
            }
        };
        bolero::check!()
            .with_type::<(Vec<(u16, u8)>, Vec<u8>)>()
            .for_each(|(changes, random)| {
                let mut text = b"stock_trade/0:12,a.b-c/2147483647:9223372036854775806".to_vec();
                for (place, byte) in changes.iter().take(6) {
                    let place = usize::from(*place) % text.len();
                    text[place] = *byte;
                }
                for bytes in [&text, random] {
                    if let Ok(text) = std::str::from_utf8(bytes) {
                        back(text);
                    }
                }
            });
    }
}
