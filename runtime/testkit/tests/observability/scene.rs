//! A whole run that is watched: all machines, the collector of their traces, and a server with a certificate.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline_testkit::kafka::KafkaCluster;
use pipeline_testkit::otlp::Collector;
use pipeline_testkit::{
    Deployment, NodeExporter, Pipeline, Ports, Prometheus, Running, V1Client, WsClient, eventually,
};

/// Longer than anything here takes on a slow machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(180);

/// Everything that runs while the test asks.
pub(crate) struct Scene {
    pub(crate) prometheus: Prometheus,
    pub(crate) machines: BTreeMap<&'static str, Running>,
    _collector: Collector,
    _node: NodeExporter,
    _page: V1Client,
    _browser: WsClient,
    _ports: Ports,
}

impl Scene {
    /// Starts everything and waits until Prometheus has scraped all of it.
    pub(crate) async fn start(kafka: &KafkaCluster) -> Self {
        let deployment = Deployment::new(kafka, 1).await;
        let collector = Collector::listen().await;
        let ports = Ports::one();
        let pipelines = [
            ("dashboard", deployment.dashboard()),
            ("vm-1", deployment.consumer(1)),
            ("producer", deployment.producer(&deployment.feed_url())),
            ("exchange", deployment.exchange(50)),
            ("secured", secured(kafka, &ports)),
        ];
        let mut machines = BTreeMap::new();
        for (name, pipeline) in pipelines {
            let mut running = pipeline
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
                .spawn();
            if name == "vm-1" {
                running.ready().await;
            }
            machines.insert(name, running);
        }
        let node = NodeExporter::start();
        let scraped = machines
            .values()
            .map(|machine| machine.address().to_string());
        let targets = [
            ("pipeline", scraped.collect()),
            ("node", vec![node.address()]),
        ];
        let scene = Self {
            prometheus: Prometheus::start(&targets).await,
            _page: V1Client::connect(&deployment.socket(1)).await,
            _browser: WsClient::connect(&deployment.socket(1)).await,
            machines,
            _collector: collector,
            _node: node,
            _ports: ports,
        };
        scene.is_scraped().await;
        scene
    }

    async fn is_scraped(&self) {
        let count = self.machines.len() + 1;
        eventually(WITHIN, "all targets up", async || {
            match self.prometheus.query("up == 1").await?.len() {
                up if up == count => Ok(()),
                up => Err(format!("{up} of {count} targets")),
            }
        })
        .await;
    }

    /// Waits until `expression` has data, and no number of it is missing.
    pub(crate) async fn has_data(&self, what: &str, expression: &str) {
        eventually(WITHIN, &format!("{what}: `{expression}`"), async || {
            let series = self.prometheus.query(expression).await?;
            if series.is_empty() {
                return Err("no data".to_owned());
            }
            match series.iter().find(|one| one["value"][1] != "NaN") {
                Some(_) => Ok(()),
                None => Err(format!("not one number in {series:?}")),
            }
        })
        .await;
    }
}

/// A server with a certificate, whose end is told.
fn secured(kafka: &KafkaCluster, ports: &Ports) -> Pipeline {
    let certificates = kafka.certificates();
    Pipeline::run_text(&format!(
        "stages:\n\
         - {{ use: trade-generator, with: {{ rate: 1 }} }}\n\
         - use: ws-broadcast\n\
        \x20 with:\n\
        \x20   listen: {}\n\
        \x20   tls: {{ cert_file: {:?}, key_file: {:?} }}\n",
        ports.addr(0),
        certificates.client(),
        certificates.client_key(),
    ))
}
