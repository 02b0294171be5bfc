//! Reads the host's own metrics from the flows.

use super::{Family, HOST_FAMILIES, Sample, Snapshot, Value};
use crate::edge::Edge;
use crate::flow::{Flow, Member};
use crate::supervise::{Health, Post};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The host's metrics of some flows.
pub(crate) fn collect(flows: &[Arc<Flow>]) -> Snapshot {
    let mut reading = Reading {
        samples: vec![Vec::new(); HOST_FAMILIES.len()],
    };
    for member in flows.iter().flat_map(|flow| flow.members()) {
        reading.stage(member);
    }
    let families = HOST_FAMILIES
        .iter()
        .zip(reading.samples)
        .map(|(family, samples)| Family {
            name: family.name.to_owned(),
            unit: family.unit.to_owned(),
            help: family.help.to_owned(),
            kind: family.kind,
            samples,
        });
    Snapshot {
        families: families.collect(),
    }
}

struct Reading {
    /// In the order of the table.
    samples: Vec<Vec<Sample>>,
}

impl Reading {
    fn add(&mut self, name: &str, labels: &[(String, String)], value: Value) {
        if let Some(index) = HOST_FAMILIES.iter().position(|family| family.name == name) {
            self.samples[index].push(Sample {
                labels: labels.to_vec(),
                value,
            });
        }
    }

    fn stage(&mut self, member: &Member) {
        let labels = member.seat.labels();
        let board = member.seat.board();
        self.add(
            "pipeline_stage_rejected_messages",
            &labels,
            Value::Counter(member.seat.rejected()),
        );
        self.add(
            "pipeline_stage_restarts",
            &labels,
            Value::Counter(board.restarts),
        );
        self.add(
            "pipeline_stage_up",
            &labels,
            Value::Gauge(f64::from(u8::from(board.is_open()))),
        );
        let degraded = board.health == Health::Degraded;
        self.add(
            "pipeline_stage_degraded",
            &labels,
            Value::Gauge(f64::from(u8::from(degraded))),
        );
        match &member.post {
            Post::Source(exit) => {
                self.add(
                    "pipeline_source_messages",
                    &labels,
                    Value::Counter(exit.ledger.taken()),
                );
                let unsettled = gauge(exit.ledger.unsettled());
                self.add("pipeline_source_unsettled_messages", &labels, unsettled);
            }
            Post::Filter(node) => {
                let count = |counter: &AtomicU64| Value::Counter(counter.load(Ordering::Relaxed));
                let stats = &node.stats;
                self.add("pipeline_filter_messages", &labels, count(&stats.messages));
                self.add(
                    "pipeline_filter_passed_messages",
                    &labels,
                    count(&stats.passed),
                );
                self.add(
                    "pipeline_filter_redelivered_messages",
                    &labels,
                    count(&stats.redelivered),
                );
                self.add("pipeline_filter_process", &labels, stats.processing.value());
            }
            Post::Sink(edges) => edges.iter().for_each(|edge| self.edge(edge, &labels)),
        }
    }

    fn edge(&mut self, edge: &Edge, stage: &[(String, String)]) {
        let mut labels = stage.to_vec();
        labels.push(("from".to_owned(), edge.from().to_owned()));
        let counts = edge.stats.counts();
        let in_flight = edge.window().in_flight();
        let values = [
            ("pipeline_edge_messages", Value::Counter(counts.messages)),
            ("pipeline_edge_payload", Value::Counter(counts.bytes)),
            ("pipeline_edge_batches", Value::Counter(counts.batches)),
            ("pipeline_edge_queued_messages", gauge(counts.queued)),
            (
                "pipeline_edge_unsettled_messages",
                gauge(in_flight.messages),
            ),
            ("pipeline_edge_unsettled", gauge(in_flight.bytes)),
            (
                "pipeline_edge_limit_messages",
                gauge(edge.window().limits().messages),
            ),
            ("pipeline_edge_done_messages", Value::Counter(counts.done)),
            (
                "pipeline_edge_rejected_messages",
                Value::Counter(counts.rejected),
            ),
            (
                "pipeline_edge_redelivered_messages",
                Value::Counter(counts.redelivered),
            ),
            (
                "pipeline_edge_ignored_settles",
                Value::Counter(counts.ignored),
            ),
            ("pipeline_edge_queue", edge.stats.queued.value()),
            ("pipeline_edge_settle", edge.stats.settling.value()),
            ("pipeline_message_age", edge.stats.age.value()),
        ];
        for (name, value) in values {
            self.add(name, &labels, value);
        }
    }
}

fn gauge(count: u64) -> Value {
    Value::Gauge(count as f64)
}
