//! The status document: what `/status` shows of the membership.

use crate::partition::Partition;
use crate::tracker::Tracker;
use serde::Serialize;
use stage_kafka_client::{BrokerStatus, Layout, PartitionStatus};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Rebalances that are remembered.
const REMEMBERED: usize = 20;

#[derive(Debug, Serialize)]
pub(crate) struct Status<'a> {
    /// When this was so, milliseconds since the Unix epoch: with it a reader tells how far this clock is from its own.
    pub(crate) at_ms: u64,
    pub(crate) topic: &'a str,
    pub(crate) group: &'a str,
    pub(crate) protocol: &'a str,
    /// Static id of this member.
    pub(crate) member: &'a str,
    /// Whether this is a member now, with partitions or without.
    pub(crate) joined: bool,
    /// State of the connection to the group's coordinator and of the membership, librdkafka's words.
    pub(crate) state: String,
    pub(crate) partitions: Vec<PartitionLine>,
    /// Messages that are written and not done, over all partitions of this member.
    pub(crate) lag: i64,
    pub(crate) rebalances: &'a Rebalances,
    pub(crate) brokers: Vec<BrokerStatus>,
    /// Where the topic's partitions are, and the group as its coordinator tells it; missing until a broker told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layout: Option<Layout>,
}

/// A partition of this member.
#[derive(Debug, Serialize)]
pub(crate) struct PartitionLine {
    pub(crate) partition: i32,
    /// Counts the assignments of this member.
    pub(crate) generation: u64,
    /// Offset of the next message to hand out.
    pub(crate) position: i64,
    /// Offset behind what is done without a gap.
    pub(crate) done: i64,
    pub(crate) committed: Option<i64>,
    pub(crate) low: Option<i64>,
    pub(crate) high: Option<i64>,
    /// Messages that are written and not done.
    pub(crate) lag: Option<i64>,
    /// Age of the oldest of them.
    pub(crate) lag_seconds: Option<f64>,
    pub(crate) in_flight: usize,
    /// Whether it waits for a part of its share of the window to be settled.
    pub(crate) paused: bool,
    /// Whether what is handed out now was handed out before.
    pub(crate) replaying: bool,
}

impl PartitionLine {
    pub(crate) fn new(partition: &Partition, seen: PartitionStatus, now: SystemTime) -> Self {
        let assignment = partition.assignment();
        let known = |offset: i64| (offset >= 0).then_some(offset);
        assignment.read(|tracker: &Tracker| {
            let high = known(seen.hi_offset);
            let lag = high.map(|high| (high - tracker.end()).max(0));
            let oldest = tracker.oldest_ms().or(partition.last_ms());
            PartitionLine {
                partition: assignment.partition(),
                generation: assignment.generation(),
                position: tracker.position(),
                done: tracker.end(),
                committed: tracker.committed(),
                low: known(seen.lo_offset),
                high,
                lag,
                lag_seconds: lag.and_then(|lag| {
                    if lag == 0 {
                        Some(0.0)
                    } else {
                        oldest.map(|millis| age(millis, now))
                    }
                }),
                in_flight: tracker.messages(),
                paused: partition.is_held_back(),
                replaying: assignment.is_replay(tracker.position()),
            }
        })
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

/// Seconds since a record's timestamp.
fn age(record_ms: i64, now: SystemTime) -> f64 {
    (millis(now) as i64 - record_ms).max(0) as f64 / 1000.0
}

/// What happened to the assignment.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rebalances {
    count: u64,
    recent: VecDeque<RebalanceLine>,
}

#[derive(Debug, Serialize)]
struct RebalanceLine {
    /// Milliseconds since the Unix epoch.
    at: u64,
    kind: &'static str,
    partitions: Vec<i32>,
    /// From the group's word to this member's answer.
    duration_ms: f64,
}

impl Rebalances {
    pub(crate) fn note(&mut self, kind: &'static str, partitions: &[i32], took: Duration) {
        self.count += 1;
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        let at = millis(SystemTime::now());
        self.recent.push_back(RebalanceLine {
            at,
            kind,
            partitions: partitions.to_vec(),
            duration_ms: took.as_secs_f64() * 1000.0,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_rebalances_are_remembered_but_all_are_counted() {
        let mut rebalances = Rebalances::default();
        (0..50).for_each(|partition| rebalances.note("assign", &[partition], Duration::ZERO));
        assert_eq!(
            (rebalances.count, rebalances.recent.len()),
            (50, REMEMBERED)
        );
        assert_eq!(rebalances.recent[0].partitions, [30]);
    }

    #[test]
    fn a_record_from_the_future_has_no_age() {
        let now = UNIX_EPOCH + Duration::from_secs(10);
        assert_eq!(age(8_500, now), 1.5);
        assert_eq!(age(60_000, now), 0.0);
    }
}
