//! The runtime's own work in traces, and the standard variables that say where traces go.

use crate::support::{SOON, log_has, relay};
use pipeline_testkit::otlp::{Collector, Span};
use pipeline_testkit::{Answer, HttpReceiver, Pipeline, Ports};

/// A pipeline that exports soon.
fn traced(yaml: &str) -> Pipeline {
    Pipeline::run_text(yaml).env("OTEL_BSP_SCHEDULE_DELAY", 50)
}

fn named<'a>(spans: &'a [Span], name: &str) -> Result<&'a Span, String> {
    let names = || spans.iter().map(|span| span.name.as_str());
    let found = spans.iter().find(|span| span.name == name);
    found.ok_or_else(|| format!("no `{name}` in {:?}", names().collect::<Vec<_>>()))
}

fn child<'a>(spans: &'a [Span], parent: &Span, name: &str) -> Result<&'a Span, String> {
    let child = |span: &&Span| span.name == name && span.parent == parent.id;
    let found = spans.iter().find(child);
    found.ok_or_else(|| format!("no `{name}` below `{}`", parent.name))
}

#[tokio::test(flavor = "multi_thread")]
async fn start_reload_and_stop_are_traces_and_logs_name_them() {
    let collector = Collector::listen().await;
    let ports = Ports::reserve(2);
    let mut running = traced(&relay(&ports, 10))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .spawn();
    running.ready().await;
    let config = running.folder().join("pipeline.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("rate: 10", "rate: 20")).unwrap();
    running.sighup();
    log_has(&running, "reloaded: relay/0 trade-generator changed").await;
    std::fs::write(&config, "flows: 1").unwrap();
    running.sighup();
    log_has(&running, "nothing was changed").await;
    running.sigterm();
    assert_eq!(running.exit_code(SOON).await, 0);

    let told = |spans: &[Span]| {
        named(spans, "load")?;
        let start = named(spans, "start")?;
        let flow = child(spans, start, "start relay")?;
        assert_eq!(flow.get("pipeline.flow"), Some("relay"));
        for stage in ["trade-generator", "ws-broadcast"] {
            let open = child(spans, flow, &format!("open {stage}"))?;
            assert_eq!(open.get("pipeline.stage"), Some(stage));
            assert_eq!(open.error, None);
            assert!(open.start <= open.end && flow.start <= open.start);
        }
        let mut reloads = spans.iter().filter(|span| span.name == "reload");
        let good = reloads.find(|span| span.error.is_none()).ok_or("no good")?;
        child(spans, good, "load")?;
        child(spans, good, "reload relay")?;
        let mut reloads = spans.iter().filter(|span| span.name == "reload");
        let bad = reloads.find(|span| span.error.is_some()).ok_or("no bad")?;
        assert!(bad.has_event("exception"), "{:?}", bad.events);
        child(spans, named(spans, "stop")?, "drain relay")?;
        assert!(spans.iter().all(|span| span.service == "pipeline"));
        Ok(good.clone())
    };
    let reload = collector.until(SOON, "all traces", told).await;
    let log = running.stderr();
    let line = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|line| {
            let message = line["message"].as_str().unwrap();
            message.contains("trade-generator changed")
        });
    let line = line.expect("the reload in the log");
    assert_eq!(line["trace_id"], reload.trace);
    assert_eq!(line["span_id"], reload.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standard_variables_say_where_traces_go_and_from_whom() {
    let collector = HttpReceiver::scripted([Answer::status(200)]).await;
    let ports = Ports::reserve(2);
    let mut running = traced(&relay(&ports, 10))
        .env(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            format!("http://{}/my/traces", collector.addr()),
        )
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=trades,x-key=a%20b")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", 5000)
        .env("OTEL_SERVICE_NAME", "the-name")
        .env(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=attic,host.name=vm-7",
        )
        .env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        .env("OTEL_TRACES_SAMPLER_ARG", "0.5")
        .spawn();
    let received = collector.wait_for(1, SOON).await;
    let first = &received[0];
    assert_eq!(first.line, "POST /my/traces");
    assert_eq!(first.headers["x-tenant"], "trades");
    assert_eq!(first.headers["x-key"], "a b");
    // Texts lie as they are in a protobuf message.
    let body = String::from_utf8_lossy(&first.body).into_owned();
    for text in ["the-name", "attic", "vm-7", "deployment.environment.name"] {
        assert!(body.contains(text), "`{text}`");
    }
    running.ready().await;
    running.sigterm();
    assert_eq!(running.exit_code(SOON).await, 0);
    assert!(
        !running.stderr().contains("has no effect"),
        "{}",
        running.stderr()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_exported_where_nobody_wants_it() {
    let collector = HttpReceiver::scripted([Answer::status(200)]).await;
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ] {
        let ports = Ports::reserve(2);
        let mut running = traced(&relay(&ports, 10))
            .env(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://{}", collector.addr()),
            )
            .env(name, value)
            .spawn();
        running.ready().await;
        running.sigterm();
        // The end waits for the last export.
        assert_eq!(running.exit_code(SOON).await, 0);
        assert!(
            !running.stderr().contains("trace_id"),
            "{}",
            running.stderr()
        );
        assert!(collector.received().is_empty(), "{name}");
    }
}
