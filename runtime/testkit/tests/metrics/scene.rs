//! The whole system, each part a process of its own, with all that makes a metric appear.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline_testkit::kafka::KafkaCluster;
use pipeline_testkit::openmetrics::{self, Family};
use pipeline_testkit::otlp::Collector;
use pipeline_testkit::{Deployment, Pipeline, Ports, Running, V1Client, http};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

/// Longer than anything here takes on a slow machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(120);

pub(crate) struct Scene {
    processes: Vec<Running>,
    pub(crate) page: V1Client,
    collector: Collector,
}

/// What one process measures, and what its stages are: by flow and stage the word of `use`.
pub(crate) struct Scrape {
    pub(crate) families: Vec<Family>,
    pub(crate) kinds: BTreeMap<(String, String), String>,
}

impl Scene {
    pub(crate) async fn start(kafka: &KafkaCluster) -> Self {
        let deployment = Deployment::new(kafka, 1).await;
        let collector = Collector::listen().await;
        let traced = |pipeline: Pipeline| {
            pipeline
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
                .env("OTEL_TRACES_SAMPLER", "parentbased_always_on")
        };
        let mut processes = Vec::new();
        let feed = deployment.feed_url();
        for pipeline in [
            deployment.exchange(20),
            deployment.producer(&feed),
            deployment.consumer(1),
            deployment.dashboard(),
            encrypted(),
        ] {
            let mut running = traced(pipeline).spawn();
            running.ready().await;
            processes.push(running);
        }
        let mut page = V1Client::connect(&deployment.socket(1)).await;
        page.read_until(WITHIN, |seen| seen.count() >= 20)
            .await
            .expect("a page that stays connected");
        let server = deployment.socket(1).replace("ws://", "http://");
        http::get(&server).await.expect("a refusal");
        Scene {
            processes,
            page,
            collector,
        }
    }

    /// What all processes measure now.
    pub(crate) async fn scrape(&self) -> Vec<Scrape> {
        let mut texts = Vec::new();
        for process in &self.processes {
            texts.push(process.openmetrics().await);
        }
        let families = openmetrics::parse(&texts);
        let kinds = self.processes.iter().map(kinds);
        let scrapes = families.into_iter().zip(kinds);
        scrapes
            .map(|(families, kinds)| Scrape { families, kinds })
            .collect()
    }

    /// The classic text of all processes.
    pub(crate) async fn classic(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for process in &self.processes {
            texts.push(process.metrics().await);
        }
        texts
    }

    /// Ids of the traces that the collector has.
    pub(crate) fn collector(&self) -> &Collector {
        &self.collector
    }
}

/// A WebSocket server with a certificate.
fn encrypted() -> Pipeline {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::default()
        .self_signed(&key)
        .expect("a certificate");
    let listen = Ports::one().addr(0);
    let pipeline = Pipeline::command(["run"]);
    let cert_file = pipeline.write("cert.pem", &certificate.pem());
    let key_file = pipeline.write("key.pem", &key.serialize_pem());
    let (cert_file, key_file) = (cert_file.display(), key_file.display());
    let yaml = format!(
        "stages:\n  - {{ use: trade-generator, with: {{ rate: 1 }} }}\n  - use: ws-broadcast\n    with: {{ listen: '{listen}', tls: {{ cert_file: '{cert_file}', key_file: '{key_file}' }} }}\n"
    );
    let file = pipeline.write("pipeline.yaml", &yaml);
    pipeline.arg(file)
}

fn kinds(process: &Running) -> BTreeMap<(String, String), String> {
    let socket = process.folder().join("control.sock");
    let output = Pipeline::command(["status", "--json", "--control"])
        .arg(socket)
        .output();
    let status: Value = serde_json::from_slice(&output.stdout).expect("status as JSON");
    let mut kinds = BTreeMap::new();
    for flow in status["flows"].as_array().expect("flows") {
        for stage in flow["stages"].as_array().expect("stages") {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let place = (text(&flow["flow"]), text(&stage["name"]));
            kinds.insert(place, text(&stage["kind"]));
        }
    }
    kinds
}
