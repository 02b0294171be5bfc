//! Producer, consumers and WebSocket server, each a process of its own, all of whose spans one collector takes.

use std::time::Duration;

use pipeline_testkit::kafka::KafkaCluster;
use pipeline_testkit::otlp::{Collector, Span};
use pipeline_testkit::{Connection, Deployment, Exchange, Pipeline, Running, V1Client};

/// Longer than anything here takes on a slow machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);

/// The whole path, running.
pub(crate) struct Scene {
    pub(crate) deployment: Deployment,
    pub(crate) collector: Collector,
    pub(crate) producer: Running,
    pub(crate) consumer: Running,
    pub(crate) server: Running,
    pub(crate) feed: Connection,
    pub(crate) page: V1Client,
    _exchange: Exchange,
}

impl Scene {
    /// Starts everything; every trade is traced.
    pub(crate) async fn start(kafka: &KafkaCluster) -> Self {
        let deployment = Deployment::new(kafka, 1).await;
        let collector = Collector::listen().await;
        let exchange = Exchange::listen().await;
        let mut server = traced(deployment.consumer(1), &collector)
            .flow("websocket-server")
            .spawn();
        server.ready().await;
        let mut consumer = traced(deployment.consumer(1), &collector)
            .flow("consumer")
            .spawn();
        consumer.ready().await;
        let producer = traced(deployment.producer(&exchange.url()), &collector).spawn();
        let mut feed = exchange.accept().await;
        feed.receive_text().await;
        let page = V1Client::connect(&deployment.socket(1)).await;
        Scene {
            deployment,
            collector,
            producer,
            consumer,
            server,
            feed,
            page,
            _exchange: exchange,
        }
    }

    /// Sends trades and waits until the page was shown as many as it was before and these.
    pub(crate) async fn trade(&mut self, sequences: std::ops::Range<u64>) {
        let expected = self.page.seen().count() + sequences.clone().count() as i64;
        self.send(sequences).await;
        self.shown(expected).await;
    }

    /// Sends trades.
    pub(crate) async fn send(&mut self, sequences: std::ops::Range<u64>) {
        for sequence in sequences {
            self.feed
                .send(pipeline_testkit::upbit_trade(sequence))
                .await;
        }
    }

    /// Waits until the page was shown so many trades.
    pub(crate) async fn shown(&mut self, count: i64) {
        self.page
            .read_until(WITHIN, |seen| seen.count() >= count)
            .await
            .expect("a page that stays connected");
    }

    /// Waits until the collector has what `probe` wants. The page goes on reading, or it would echo nothing.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        probe: impl Fn(&[Span]) -> Result<T, String>,
    ) -> T {
        let reading = async {
            let ended = self.page.read_until(4 * WITHIN, |_| false).await;
            panic!("the page does not read for ever: {ended:?}")
        };
        tokio::select! {
            found = self.collector.until(WITHIN, what, probe) => found,
            never = reading => never,
        }
    }
}

/// A process that traces everything, and exports soon.
pub(crate) fn traced(pipeline: Pipeline, collector: &Collector) -> Pipeline {
    pipeline
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .env("OTEL_TRACES_SAMPLER", "parentbased_always_on")
        .env("OTEL_BSP_SCHEDULE_DELAY", 50)
}
