//! Where an assigned partition is read from.

use pipeline_sdk::prelude::*;
use serde::Serialize;
use std::fmt;

/// Where to go on when the group's offset cannot tell: there is none, or its messages are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reset {
    /// With the oldest message that is there: nothing is missed.
    #[default]
    Earliest,
    /// With what is written from now on.
    Latest,
}

/// What the cluster knows about a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Offset that the group has committed.
    pub(crate) committed: Option<i64>,
    /// First offset that is there.
    pub(crate) low: i64,
    /// Offset of the next message.
    pub(crate) high: i64,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// First offset to read.
    pub(crate) offset: i64,
    /// The committed offset, if it holds: messages before it are replayed. Without one, `offset` has to be committed at once, so
    /// that the next member begins there too.
    pub(crate) committed: Option<i64>,
    /// Why the committed offset does not hold.
    pub(crate) reset: Option<Why>,
}

/// Why a partition does not begin where the group was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The group has never committed.
    NeverCommitted,
    /// The committed offset is before the first message: what was between is gone.
    Deleted { committed: i64, low: i64 },
    /// The committed offset is beyond the last message: the topic was made again or its tail was cut.
    Beyond { committed: i64, high: i64 },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NeverCommitted => f.write_str("the group has no committed offset"),
            Why::Deleted { committed, low } => {
                write!(
                    f,
                    "offset {committed} is gone: {} messages were deleted before they were read, the first is {low}",
                    low - committed
                )
            }
            Why::Beyond { committed, high } => {
                write!(
                    f,
                    "offset {committed} is beyond the end {high}: the topic was made again or its tail was cut"
                )
            }
        }
    }
}

impl Known {
    /// The start that follows: `rewind` messages before the committed offset, as far as they are there.
    pub(crate) fn start(self, rewind: u64, reset: Reset) -> Start {
        let why = match self.committed {
            Some(committed) if committed < self.low => Why::Deleted {
                committed,
                low: self.low,
            },
            Some(committed) if committed > self.high => Why::Beyond {
                committed,
                high: self.high,
            },
            Some(committed) => {
                let back = i64::try_from(rewind).unwrap_or(i64::MAX);
                return Start {
                    offset: committed.saturating_sub(back).max(self.low),
                    committed: Some(committed),
                    reset: None,
                };
            }
            None => Why::NeverCommitted,
        };
        let offset = match reset {
            Reset::Earliest => self.low,
            Reset::Latest => self.high,
        };
        Start {
            offset,
            committed: None,
            reset: Some(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(committed: Option<i64>, rewind: u64, reset: Reset) -> Start {
        Known {
            committed,
            low: 100,
            high: 200,
        }
        .start(rewind, reset)
    }

    #[test]
    fn it_starts_at_the_committed_offset_less_the_rewind() {
        assert_eq!(
            start(Some(150), 0, Reset::Latest),
            Start {
                offset: 150,
                committed: Some(150),
                reset: None
            }
        );
        assert_eq!(
            start(Some(150), 30, Reset::Latest),
            Start {
                offset: 120,
                committed: Some(150),
                reset: None
            }
        );
    }

    #[test]
    fn a_rewind_ends_at_the_first_message() {
        assert_eq!(start(Some(150), 1000, Reset::Latest).offset, 100);
        assert_eq!(start(Some(150), u64::MAX, Reset::Latest).offset, 100);
    }

    #[test]
    fn both_ends_of_the_partition_are_in_range() {
        assert_eq!(start(Some(100), 0, Reset::Earliest).reset, None);
        assert_eq!(start(Some(200), 0, Reset::Earliest).reset, None);
    }

    #[test]
    fn without_a_committed_offset_the_setting_decides_and_nothing_is_replayed() {
        let never = Some(Why::NeverCommitted);
        assert_eq!(
            start(None, 50, Reset::Earliest),
            Start {
                offset: 100,
                committed: None,
                reset: never
            }
        );
        assert_eq!(
            start(None, 50, Reset::Latest),
            Start {
                offset: 200,
                committed: None,
                reset: never
            }
        );
    }

    #[test]
    fn an_offset_out_of_range_is_reset_and_told() {
        let deleted = start(Some(60), 0, Reset::Earliest);
        assert_eq!((deleted.offset, deleted.committed), (100, None));
        assert_eq!(
            deleted.reset.unwrap().to_string(),
            "offset 60 is gone: 40 messages were deleted before they were read, the first is 100"
        );
        let beyond = start(Some(201), 10, Reset::Latest);
        assert_eq!((beyond.offset, beyond.committed), (200, None));
        assert_eq!(
            beyond.reset.unwrap().to_string(),
            "offset 201 is beyond the end 200: the topic was made again or its tail was cut"
        );
    }
}
