//! What a `pipeline.v1` client was shown: each partition's offsets exactly once and in order, or the violations.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

/// The account of one client over all its connections.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    partitions: BTreeMap<(String, i64), Range<i64>>,
    gaps: Vec<Value>,
    violations: Vec<String>,
}

impl Seen {
    pub(super) fn observe(&mut self, frame: &Value) {
        match frame["type"].as_str() {
            Some("message") => self.message(frame),
            Some("gap") => self.gap(frame),
            _ => {}
        }
    }

    fn message(&mut self, frame: &Value) {
        let (Some(partition), Some(offset)) = (partition(frame), frame["offset"].as_i64()) else {
            // Posted without a position: nothing to keep account of.
            return;
        };
        let range = self
            .partitions
            .entry(partition.clone())
            .or_insert(offset..offset);
        if range.end != offset {
            let wrong = if offset < range.end {
                "again or late"
            } else {
                "after a hole"
            };
            self.violations.push(format!(
                "{partition:?}: {offset} {wrong} (expected {})",
                range.end
            ));
        }
        range.end = range.end.max(offset + 1);
    }

    /// An announced gap moves the account on, so that only what was not announced is a violation.
    fn gap(&mut self, frame: &Value) {
        self.gaps.push(frame.clone());
        let Some(partition) = partition(frame) else {
            return;
        };
        match frame["to"].as_i64() {
            Some(last) => {
                self.partitions
                    .entry(partition)
                    .or_insert(last + 1..last + 1)
                    .end = last + 1
            }
            None => drop(self.partitions.remove(&partition)),
        }
    }

    /// Number of messages with a position, over all partitions.
    pub fn count(&self) -> i64 {
        self.partitions
            .values()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// The gaps that were announced.
    pub fn gaps(&self) -> &[Value] {
        &self.gaps
    }

    /// True once the account reaches these ends (one a partition, as [`KafkaCluster::end_offsets`] gives them).
    ///
    /// [`KafkaCluster::end_offsets`]: crate::kafka::KafkaCluster::end_offsets
    pub fn reached(&self, topic: &str, ends: &[i64]) -> bool {
        (0..)
            .zip(ends)
            .all(|(partition, &end)| self.end(topic, partition) >= end)
    }

    /// Panics unless every offset from 0 to these ends was shown exactly once and in order, without a gap.
    pub fn assert_exactly_once(&self, topic: &str, ends: &[i64]) {
        assert!(
            self.violations.is_empty(),
            "not exactly once in order: {:#?}",
            self.violations
        );
        assert!(self.gaps.is_empty(), "gaps: {:#?}", self.gaps);
        for (partition, &end) in (0..).zip(ends) {
            let shown = self
                .partitions
                .get(&(topic.to_owned(), partition))
                .cloned()
                .unwrap_or(0..0);
            assert_eq!(shown, 0..end, "`{topic}/{partition}`");
        }
    }

    /// What was seen out of order, twice, or after a hole that no gap had announced.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// The last positions, as the parameter `after` takes them.
    pub(super) fn after(&self) -> String {
        let positions = self.partitions.iter().filter(|(_, range)| range.end > 0);
        let parts = positions
            .map(|((topic, partition), range)| format!("{topic}/{partition}:{}", range.end - 1));
        parts.collect::<Vec<_>>().join(",")
    }

    fn end(&self, topic: &str, partition: i64) -> i64 {
        self.partitions
            .get(&(topic.to_owned(), partition))
            .map_or(0, |range| range.end)
    }
}

fn partition(frame: &Value) -> Option<(String, i64)> {
    Some((
        frame["topic"].as_str()?.to_owned(),
        frame["partition"].as_i64()?,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(partition: i64, offset: i64) -> Value {
        json!({"type": "message", "topic": "t", "partition": partition, "offset": offset, "data": 1})
    }

    fn seen(frames: impl IntoIterator<Item = Value>) -> Seen {
        let mut seen = Seen::default();
        frames.into_iter().for_each(|frame| seen.observe(&frame));
        seen
    }

    #[test]
    fn partitions_may_interleave() {
        let seen = seen([message(0, 0), message(1, 0), message(0, 1)]);
        seen.assert_exactly_once("t", &[2, 1]);
        assert!(seen.reached("t", &[2, 1]) && !seen.reached("t", &[2, 2]));
        assert_eq!(seen.after(), "t/0:1,t/1:0");
    }

    #[test]
    fn a_duplicate_is_a_violation() {
        assert_eq!(
            seen([message(0, 0), message(0, 1), message(0, 1)])
                .violations()
                .len(),
            1
        );
    }

    #[test]
    fn a_hole_is_a_violation_unless_it_was_announced() {
        assert_eq!(seen([message(0, 0), message(0, 2)]).violations().len(), 1);
        let gap = json!({"type": "gap", "topic": "t", "partition": 0, "from": 1, "to": 1, "reason": "evicted"});
        assert!(
            seen([message(0, 0), gap, message(0, 2)])
                .violations()
                .is_empty()
        );
    }

    #[test]
    fn a_reset_begins_the_partition_again() {
        let reset =
            json!({"type": "gap", "topic": "t", "partition": 0, "from": 0, "reason": "reset"});
        let seen = seen([message(0, 0), message(0, 1), reset, message(0, 0)]);
        assert!(seen.violations().is_empty());
        assert_eq!((seen.count(), seen.gaps().len()), (1, 1));
    }
}
