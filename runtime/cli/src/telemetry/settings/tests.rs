use super::*;
use crate::config::source::SourceFile;
use std::sync::Arc;

fn pipeline(name: &str, telemetry: Telemetry) -> Pipeline {
    Pipeline {
        file: Arc::new(SourceFile::new(name, String::new())),
        flows: Vec::new(),
        telemetry,
    }
}

fn file(endpoint: Option<&str>, ratio: Option<f64>) -> Telemetry {
    Telemetry {
        endpoint: endpoint.map(str::to_owned),
        ratio,
        at_least_per_second: None,
    }
}

fn settings(files: &[Pipeline], variables: &[(&str, &str)]) -> TraceSettings {
    TraceSettings::of(files, |name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn nothing_is_traced_without_a_collector() {
    let files = [pipeline("a.yaml", file(None, Some(1.0)))];
    assert_eq!(settings(&files, &[]), TraceSettings::default());
}

#[test]
fn a_file_names_collector_and_share() {
    let files = [pipeline(
        "a.yaml",
        file(Some("http://127.0.0.1:4318/"), Some(0.5)),
    )];
    let found = settings(&files, &[]);
    let export = found.export.unwrap();
    assert_eq!(
        export.endpoint.as_deref(),
        Some("http://127.0.0.1:4318/v1/traces")
    );
    assert_eq!((export.queue, export.batch), (2048, 512));
    assert_eq!(
        found.sampling,
        Sampling {
            ratio: 0.5,
            per_second: AT_LEAST_PER_SECOND
        }
    );
}

#[test]
fn variables_come_before_the_file() {
    let files = [pipeline("a.yaml", file(Some("http://a:4318"), Some(0.5)))];
    let found = settings(
        &files,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:4318"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_SERVICE_NAME", "mine"),
        ],
    );
    let export = found.export.unwrap();
    assert_eq!(export.endpoint, None, "the exporter reads the variable");
    assert_eq!(export.timeout, Duration::from_millis(1500));
    assert_eq!((export.queue, export.batch), (100, 100));
    assert_eq!(export.service_name.as_deref(), Some("mine"));
    assert_eq!(
        found.sampling,
        Sampling {
            ratio: 0.25,
            per_second: 0.0
        }
    );
    assert!(found.warnings.is_empty());
}

#[test]
fn variables_switch_tracing_off() {
    let files = [pipeline("a.yaml", file(Some("http://a:4318"), None))];
    for off in [
        ("OTEL_SDK_DISABLED", "True"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        assert_eq!(settings(&files, &[off]), TraceSettings::default());
    }
}

#[test]
fn what_has_no_effect_is_told() {
    let files = [
        pipeline("a.yaml", file(Some("http://a:4318"), None)),
        pipeline("b.yaml", file(Some("http://b:4318"), None)),
    ];
    let found = settings(
        &files,
        &[
            ("OTEL_TRACES_SAMPLER", "mine"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ],
    );
    assert_eq!(found.sampling.ratio, RATIO);
    assert_eq!(found.export.unwrap().timeout, Duration::from_secs(10));
    let told = found.warnings.join("\n");
    for part in [
        "b.yaml: `telemetry` has no effect",
        "`OTEL_TRACES_SAMPLER` is `mine`",
        "`OTEL_EXPORTER_OTLP_PROTOCOL` is `grpc`",
        "`OTEL_EXPORTER_OTLP_TIMEOUT` is `soon`",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}
