//! The numbers of the process itself, beside those of the host and the stages.

use super::app::Phase;
use super::proc;
use parking_lot::Mutex;
use pipeline_host::{Family, FamilyKind, Sample, Snapshot, Value};
use std::time::{SystemTime, UNIX_EPOCH};

/// What became of reloads.
#[derive(Default)]
pub(crate) struct Reloads(Mutex<Counts>);

#[derive(Clone, Copy, Default)]
struct Counts {
    done: u64,
    refused: u64,
    last_refused: bool,
    /// When the configuration that runs was taken.
    taken: f64,
}

impl Reloads {
    /// Notes that the files were taken as they are: at the start, or by a reload.
    pub(crate) fn taken(&self, by_reload: bool) {
        let mut counts = self.0.lock();
        counts.done += u64::from(by_reload);
        counts.last_refused = false;
        counts.taken = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64());
    }

    /// Notes that a reload did not do what the files say, or not all of it.
    pub(crate) fn refused(&self) {
        let mut counts = self.0.lock();
        counts.refused += 1;
        counts.last_refused = true;
    }
}

/// Adds everything.
pub(crate) fn add_to(snapshot: &mut Snapshot, phase: Phase, is_ready: bool, reloads: &Reloads) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    let phases = [
        ("starting", Phase::Starting),
        ("running", Phase::Running),
        ("draining", Phase::Draining),
    ];
    let in_phase = phases.map(|(name, one)| sample(&[("phase", name)], is(phase == one)));
    snapshot.families.extend([
        gauge(
            ("pipeline_build_info", ""),
            "1; the version is in the label",
            vec![sample(&version, Value::Gauge(1.0))],
        ),
        gauge(
            ("pipeline_ready", ""),
            "1 while the process is ready, as `/readyz` says, else 0",
            vec![sample(&[], is(is_ready))],
        ),
        gauge(
            ("pipeline_phase", ""),
            "1 for the part of its life that the process is in, 0 for the others",
            in_phase.to_vec(),
        ),
    ]);
    add_reloads(snapshot, *reloads.0.lock());
    if let Some(process) = proc::read() {
        add_process(snapshot, &process);
    }
}

fn add_reloads(snapshot: &mut Snapshot, counts: Counts) {
    let by_result = |result, count| sample(&[("result", result)], Value::Counter(count));
    let results = vec![
        by_result("done", counts.done),
        by_result("refused", counts.refused),
    ];
    snapshot.families.extend([
        Family {
            kind: FamilyKind::Counter,
            ..gauge(
                ("pipeline_config_reloads", ""),
                "Reloads by result; `refused`: the files, or what they say, could not be taken",
                results,
            )
        },
        gauge(
            ("pipeline_config_last_reload_successful", ""),
            "1 while what runs is what the files said at the last reload, or at the start, else 0",
            vec![sample(&[], is(!counts.last_refused))],
        ),
        gauge(
            ("pipeline_config_last_reload_success_timestamp", "seconds"),
            "When the files that run were taken",
            vec![sample(&[], Value::Gauge(counts.taken))],
        ),
    ]);
}

/// Under the names that every Prometheus client has.
fn add_process(snapshot: &mut Snapshot, process: &proc::Process) {
    let one = |value: f64| vec![sample(&[], Value::Gauge(value))];
    snapshot.families.extend([
        Family {
            kind: FamilyKind::Counter,
            ..gauge(
                ("process_cpu", "seconds"),
                "User and system time of the process",
                vec![sample(&[], Value::Sum(process.cpu_seconds))],
            )
        },
        gauge(
            ("process_resident_memory", "bytes"),
            "Memory that the process has in RAM",
            one(process.resident_bytes),
        ),
        gauge(
            ("process_virtual_memory", "bytes"),
            "Address space of the process",
            one(process.virtual_bytes),
        ),
        gauge(
            ("process_open_fds", ""),
            "Open file descriptors",
            one(process.open_fds),
        ),
        gauge(
            ("process_max_fds", ""),
            "File descriptors that may be open",
            one(process.max_fds),
        ),
        gauge(
            ("process_threads", ""),
            "Threads of the process",
            one(process.threads),
        ),
        gauge(
            ("process_start_time", "seconds"),
            "When the process began, seconds since the Unix epoch",
            one(process.start_seconds),
        ),
    ]);
}

fn gauge((name, unit): (&str, &str), help: &str, samples: Vec<Sample>) -> Family {
    Family {
        name: name.to_owned(),
        unit: unit.to_owned(),
        help: help.to_owned(),
        kind: FamilyKind::Gauge,
        samples,
    }
}

fn sample(labels: &[(&str, &str)], value: Value) -> Sample {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sample {
        labels: labels.iter().map(owned).collect(),
        value,
    }
}

fn is(truth: bool) -> Value {
    Value::Gauge(f64::from(u8::from(truth)))
}
