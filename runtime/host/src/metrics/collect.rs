//! Reads the host's own metrics from the flows.

use super::{Family, HOST_FAMILIES, Sample, Snapshot, Value};
use crate::edge::Edge;
use crate::flow::{Flow, Member};
use crate::route::FilterStats;
use crate::settle::Ledger;
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

    fn add_all<const N: usize>(&mut self, values: [(&str, Value); N], labels: &[(String, String)]) {
        for (name, value) in values {
            self.add(name, labels, value);
        }
    }

    fn stage(&mut self, member: &Member) {
        let labels = member.seat.labels();
        let board = member.seat.board();
        let is = |truth: bool| Value::Gauge(f64::from(u8::from(truth)));
        let values = [
            (
                "pipeline_stage_rejected_messages",
                Value::Counter(member.seat.rejected()),
            ),
            ("pipeline_stage_restarts", Value::Counter(board.restarts)),
            ("pipeline_stage_up", is(board.is_open())),
            (
                "pipeline_stage_degraded",
                is(board.health == Health::Degraded),
            ),
        ];
        self.add_all(values, &labels);
        match &member.post {
            Post::Source(exit) => self.source(&exit.ledger, &labels),
            Post::Filter(node) => self.filter(&node.stats, &labels),
            Post::Sink(edges) => edges.iter().for_each(|edge| self.edge(edge, &labels)),
        }
    }

    fn source(&mut self, ledger: &Ledger, labels: &[(String, String)]) {
        let values = [
            ("pipeline_source_messages", Value::Counter(ledger.taken())),
            (
                "pipeline_source_unsettled_messages",
                gauge(ledger.unsettled()),
            ),
        ];
        self.add_all(values, labels);
    }

    fn filter(&mut self, stats: &FilterStats, labels: &[(String, String)]) {
        let count = |counter: &AtomicU64| Value::Counter(counter.load(Ordering::Relaxed));
        let values = [
            ("pipeline_filter_messages", count(&stats.messages)),
            ("pipeline_filter_passed_messages", count(&stats.passed)),
            (
                "pipeline_filter_redelivered_messages",
                count(&stats.redelivered),
            ),
            ("pipeline_filter_process", stats.processing.value()),
        ];
        self.add_all(values, labels);
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
        self.add_all(values, &labels);
    }
}

fn gauge(count: u64) -> Value {
    Value::Gauge(count as f64)
}
