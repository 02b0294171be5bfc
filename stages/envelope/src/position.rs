//! Where a message stands in Kafka.

use std::borrow::Cow;

use crate::EnvelopeError;

/// Longest name that Kafka allows a topic.
const LONGEST_TOPIC: usize = 249;

/// Where a message stands in Kafka: the key by which it is told from others, and from which a client resumes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position<'a> {
    /// Name of the topic.
    pub topic: Cow<'a, str>,
    /// Partition of the topic, from 0.
    pub partition: i32,
    /// Offset in the partition, from 0.
    pub offset: i64,
}

impl<'a> Position<'a> {
    /// Makes a position of its three parts; `None` when it has none of partition and offset.
    pub(crate) fn from_parts(
        topic: Option<&Cow<'a, str>>,
        partition: Option<i64>,
        offset: Option<i64>,
    ) -> Result<Option<Self>, EnvelopeError> {
        if let Some(topic) = topic
            && !is_topic(topic)
        {
            return Err(EnvelopeError::Topic(shorten(topic)));
        }
        let (partition, offset) = match (partition, offset) {
            (None, None) => return Ok(None),
            (Some(partition), Some(offset)) => (partition, offset),
            (Some(_), None) => {
                return Err(EnvelopeError::Incomplete {
                    has: "partition",
                    lacks: "offset",
                });
            }
            (None, Some(_)) => {
                return Err(EnvelopeError::Incomplete {
                    has: "offset",
                    lacks: "partition",
                });
            }
        };
        let topic = topic
            .ok_or(EnvelopeError::Incomplete {
                has: "offset",
                lacks: "topic",
            })?
            .clone();
        let partition = i32::try_from(partition)
            .ok()
            .filter(|partition| *partition >= 0)
            .ok_or(EnvelopeError::Partition(partition))?;
        // The largest offset has no next one, so that `offset + 1` can always be said.
        if !(0..i64::MAX).contains(&offset) {
            return Err(EnvelopeError::Offset(offset));
        }
        Ok(Some(Self {
            topic,
            partition,
            offset,
        }))
    }
}

/// Tells whether Kafka would accept `name` as the name of a topic.
pub fn is_topic(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !name.is_empty()
        && name.len() <= LONGEST_TOPIC
        && name != "."
        && name != ".."
        && name.bytes().all(legal)
}

/// Cuts what a stranger sent to a length that fits in an error.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
