//! What is traced and where to: `telemetry` of the pipeline files, overridden by the standard `OTEL_*` variables.

use crate::config::model::{Pipeline, Telemetry};
use pipeline_host::Sampling;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// Share of messages that are traced when nothing else is said.
pub(crate) const RATIO: f64 = 0.01;
/// Messages that each source traces each second at least when nothing else is said.
pub(crate) const AT_LEAST_PER_SECOND: f64 = 1.0;

/// What is traced and where to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TraceSettings {
    /// Which messages begin a trace.
    pub(crate) sampling: Sampling,
    /// Where spans go; nothing: nowhere, and none are made.
    pub(crate) export: Option<Export>,
    /// What of the settings has no effect.
    pub(crate) warnings: Vec<String>,
}

/// How spans are exported.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Export {
    /// The collector's URL, unless a variable names it.
    pub(super) endpoint: Option<String>,
    /// Name of all services, in place of the flows' names.
    pub(super) service_name: Option<String>,
    /// Spans that wait at most.
    pub(super) queue: usize,
    /// Spans in one request at most.
    pub(super) batch: usize,
    /// How long spans are collected.
    pub(super) delay: Duration,
    /// How long one request may take.
    pub(super) timeout: Duration,
}

impl TraceSettings {
    /// The settings of these files, in this environment.
    pub(crate) fn of(pipelines: &[Pipeline], variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut reader = Reader {
            variable,
            warnings: Vec::new(),
        };
        let file = reader.one_of(pipelines);
        let export = reader.export(&file);
        let sampling = match &export {
            Some(_) => reader.sampling(&file),
            None => Sampling::default(),
        };
        TraceSettings {
            sampling,
            export,
            warnings: reader.warnings,
        }
    }
}

struct Reader<V> {
    variable: V,
    warnings: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    /// A variable that is set; an empty one is not.
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    fn ignored(&mut self, name: &str, value: &str, expected: impl Display) {
        self.warnings.push(format!(
            "`{name}` is `{value}` and has no effect (expected {expected})"
        ));
    }

    /// The first file that says something; the process has one exporter.
    fn one_of(&mut self, pipelines: &[Pipeline]) -> Telemetry {
        let mut telling = pipelines
            .iter()
            .filter(|pipeline| pipeline.telemetry != Telemetry::default());
        let Some(first) = telling.next() else {
            return Telemetry::default();
        };
        for other in telling.filter(|other| other.telemetry != first.telemetry) {
            self.warnings.push(format!(
                "{}: `telemetry` has no effect: that of {} counts for the process",
                other.file.name, first.file.name
            ));
        }
        first.telemetry.clone()
    }

    fn export(&mut self, file: &Telemetry) -> Option<Export> {
        let disabled = self
            .get("OTEL_SDK_DISABLED")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        let exporter = self.get("OTEL_TRACES_EXPORTER");
        if disabled || exporter.as_deref() == Some("none") {
            return None;
        }
        if let Some(other) = exporter.filter(|exporter| exporter != "otlp") {
            self.ignored("OTEL_TRACES_EXPORTER", &other, "`otlp` or `none`");
        }
        let named = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ENDPOINT]
            .iter()
            .any(|name| self.get(name).is_some());
        let endpoint = match (named, &file.endpoint) {
            (true, _) => None,
            (false, Some(endpoint)) => Some(traces_url(endpoint)),
            (false, None) => return None,
        };
        for name in [
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ] {
            if let Some(other) = self.get(name).filter(|value| value != "http/protobuf") {
                self.ignored(name, &other, "`http/protobuf`");
            }
        }
        let timeout = match self.get("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") {
            Some(_) => self.number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 1, 600_000, 10_000),
            None => self.number("OTEL_EXPORTER_OTLP_TIMEOUT", 1, 600_000, 10_000),
        };
        let queue = self.number("OTEL_BSP_MAX_QUEUE_SIZE", 1, 1 << 20, 2048);
        let batch = self.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 1 << 16, 512);
        let delay = self.number("OTEL_BSP_SCHEDULE_DELAY", 0, 600_000, 5000);
        Some(Export {
            endpoint,
            service_name: self.get("OTEL_SERVICE_NAME"),
            queue: queue as usize,
            batch: batch.min(queue) as usize,
            delay: Duration::from_millis(delay),
            timeout: Duration::from_millis(timeout),
        })
    }

    fn number(&mut self, name: &str, least: u64, most: u64, default: u64) -> u64 {
        let Some(value) = self.get(name) else {
            return default;
        };
        match u64::from_str(value.trim()) {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.ignored(name, &value, format_args!("{least} to {most}"));
                default
            }
        }
    }

    /// A sampler that a variable names decides alone; each is bound to the parent, whatever it is called.
    fn sampling(&mut self, file: &Telemetry) -> Sampling {
        let ratio = |ratio| Sampling {
            ratio,
            per_second: 0.0,
        };
        let sampler = self.get("OTEL_TRACES_SAMPLER");
        match sampler.as_deref().map(str::trim) {
            Some("always_on" | "parentbased_always_on") => ratio(1.0),
            Some("always_off" | "parentbased_always_off") => ratio(0.0),
            Some("traceidratio" | "parentbased_traceidratio") => ratio(self.ratio()),
            other => {
                if let Some(other) = other {
                    let expected = "`always_on`, `always_off`, `traceidratio` or one of them with `parentbased_` before it";
                    self.ignored("OTEL_TRACES_SAMPLER", other, expected);
                }
                Sampling {
                    ratio: file.ratio.unwrap_or(RATIO),
                    per_second: file.at_least_per_second.unwrap_or(AT_LEAST_PER_SECOND),
                }
            }
        }
    }

    fn ratio(&mut self) -> f64 {
        const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
        let Some(value) = self.get(NAME) else {
            return 1.0;
        };
        match f64::from_str(value.trim()) {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            _ => {
                self.ignored(NAME, &value, "a number from 0 to 1");
                1.0
            }
        }
    }
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Where traces go below a collector's URL, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it.
fn traces_url(endpoint: &str) -> String {
    let base = endpoint.trim_end_matches('/');
    if base.ends_with("/v1/traces") {
        base.to_owned()
    } else {
        format!("{base}/v1/traces")
    }
}

#[cfg(test)]
mod tests;
