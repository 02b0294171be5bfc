//! What runs where, and what to try.

use crate::keeper::Keeper;
use crate::machine::{PAGE, VMS};

/// What the containers beside the demo are for, and how its traces get there.
const WATCH: &str = "Grafana on 127.0.0.1:3001, Prometheus on 9090, Jaeger on 16686; for traces, start the demo with\n      \
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 JAEGER_URL=http://127.0.0.1:16686 make demo";

/// Where the trades come from and go through.
pub(crate) struct Kafka<'a> {
    /// Brokers, separated by commas.
    pub(crate) brokers: &'a str,
    /// Whether they are the embedded ones.
    pub(crate) embedded: bool,
    /// Topic of the trades.
    pub(crate) topic: &'a str,
}

/// The text that is shown when all is started.
pub(crate) fn summary(kafka: &Kafka<'_>, keepers: &[Keeper]) -> String {
    let pid = |keeper: &Keeper| {
        keeper
            .pid()
            .map_or_else(|| "-".to_owned(), |pid| pid.to_string())
    };
    let rows: Vec<String> = keepers
        .iter()
        .map(|keeper| {
            let machine = &keeper.machine;
            let first = format!(
                "  {:<10} {:>7}  {}",
                machine.name,
                pid(keeper),
                machine.purpose
            );
            let urls = machine.urls.iter().map(|url| format!("\n  {:20}{url}", ""));
            std::iter::once(first).chain(urls).collect()
        })
        .collect();
    let which = if kafka.embedded {
        "three embedded brokers"
    } else {
        "a real Kafka"
    };
    let vm = |name: &str| {
        keepers
            .iter()
            .find(|keeper| keeper.machine.name == name)
            .map_or("PID".to_owned(), pid)
    };
    format!(
        "\nOpen http://{PAGE}/\n\n  name           pid  what\n{}\n  {:<10} {:>7}  {which}: {}, topic {}\n\n{}\n\nCtrl-C stops everything in order.\n",
        rows.join("\n"),
        "kafka",
        "-",
        kafka.brokers,
        kafka.topic,
        to_try(&vm("vm-1"), &vm("vm-2")),
    )
}

fn to_try(first: &str, second: &str) -> String {
    let server = VMS[1];
    let tries = [
        (
            format!("kill -9 {first}"),
            "a VM dies: its partitions move, no trade is lost, it comes back",
        ),
        (
            format!("kill -STOP {second}; sleep 10; kill -CONT {second}"),
            "a VM freezes longer than its session, and wakes",
        ),
        (
            format!("curl -s http://{}:8081/status", VMS[0]),
            "what a consumer does",
        ),
        (
            format!(
                "curl -s http://{server}:8080/api/trades -H 'content-type: application/json' -d '{{\"hello\":1}}'"
            ),
            "a message of your own",
        ),
        (
            "target/debug/pipeline status".to_owned(),
            "all pipelines of this machine",
        ),
        (
            "docker compose -f observability/compose.yaml up -d".to_owned(),
            WATCH,
        ),
    ];
    let lines: Vec<String> = tries
        .iter()
        .map(|(command, what)| format!("  {command}\n      {what}"))
        .collect();
    format!("To try:\n\n{}", lines.join("\n"))
}
