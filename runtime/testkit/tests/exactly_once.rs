//! The central promise: whatever dies, freezes or moves, a `pipeline.v1` client is shown every message of the topic
//! exactly once, in order per partition.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pipeline_testkit::kafka::{self, Exclusive};
use pipeline_testkit::{Browser, Deployment, Feed, Running, eventually};

const TRADES: u64 = 200_000;
const RATE: u64 = 2_000;
const WITHIN: Duration = Duration::from_secs(60);

/// The client's server; its VM's consumers are a process of their own.
const SERVED: u8 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn every_trade_is_shown_once_in_order_whatever_fails() {
    let mut scene = Scene::open().await;
    scene.a_consumer_is_killed_and_restarted().await;
    scene.a_consumer_is_stopped_and_another_added().await;
    scene.the_server_is_killed_and_restarted().await;
    scene.a_broker_is_killed_and_restarted().await;
    scene.all_brokers_are_restarted_one_by_one().await;
    scene
        .a_consumer_sleeps_longer_than_its_session_and_wakes()
        .await;
    scene.close().await;
}

/// Four consumer VMs, of which one is added later, and a page that is connected to the first one's server.
struct Scene {
    kafka: Exclusive<'static>,
    deployment: Deployment,
    feed: Feed,
    producer: Running,
    server: Running,
    consumers: BTreeMap<u8, Running>,
    page: Browser,
}

impl Scene {
    async fn open() -> Self {
        let kafka = kafka::cluster().exclusive();
        let deployment = Deployment::new(&kafka, 4).await;
        let server = deployment.consumer(SERVED).flow("websocket-server").spawn();
        let mut consumers = BTreeMap::new();
        // The first VM gets all partitions, and keeps them when others come.
        for vm in [2, 3, SERVED] {
            let consumer = match vm {
                SERVED => deployment.consumer(vm).flow("consumer"),
                _ => deployment.consumer(vm),
            };
            let mut consumer = consumer.spawn();
            consumer.ready().await;
            consumers.insert(vm, consumer);
            each_reads_one(&deployment, 2).await;
        }
        let feed = Feed::listen(RATE).await;
        let page = Browser::open(&[deployment.socket(SERVED)]).await;
        let producer = deployment.producer(feed.url()).spawn();
        let scene = Self {
            kafka,
            deployment,
            feed,
            producer,
            server,
            consumers,
            page,
        };
        scene.all_is_shown("at the start").await;
        scene
    }

    async fn a_consumer_is_killed_and_restarted(&mut self) {
        self.consumer(2).kill9();
        self.start(2).await;
        each_reads_one(&self.deployment, 2).await;
        self.all_is_shown("after a consumer's crash").await;
    }

    async fn a_consumer_is_stopped_and_another_added(&mut self) {
        let mut stopped = self.consumers.remove(&2).expect("a running consumer");
        stopped.sigterm();
        self.start(4).await;
        assert_eq!(stopped.exit_code(WITHIN).await, 0);
        read_by(&self.deployment, [SERVED, 3, 4]).await;
        self.all_is_shown("after a move of all partitions").await;
    }

    async fn the_server_is_killed_and_restarted(&mut self) {
        self.server.kill9();
        let server = self.deployment.consumer(SERVED).flow("websocket-server");
        self.server = server.spawn();
        self.server.ready().await;
        self.all_is_shown("after the server's crash").await;
        assert!(self.page.connections() > 1, "the page was cut off");
    }

    async fn a_broker_is_killed_and_restarted(&mut self) {
        let node = self.kafka.leader(self.deployment.topic(), 0);
        self.kafka.kill(node);
        self.all_is_shown("while a broker is dead").await;
        self.kafka.start(node).await;
        self.all_is_shown("with the broker back").await;
    }

    async fn all_brokers_are_restarted_one_by_one(&mut self) {
        self.kafka.restart_rolling().await;
        self.all_is_shown("after a rolling restart").await;
    }

    async fn a_consumer_sleeps_longer_than_its_session_and_wakes(&mut self) {
        let mut sleeper = None;
        for vm in [3, 4] {
            if !self
                .deployment
                .partitions(vm)
                .await
                .expect("status")
                .is_empty()
            {
                sleeper = Some(vm);
            }
        }
        let sleeper = sleeper.expect("a partition away from the served VM");
        self.consumer(sleeper).freeze();
        read_by(&self.deployment, [SERVED, 7 - sleeper]).await;
        self.all_is_shown("while a consumer sleeps").await;
        self.consumer(sleeper).thaw();
        self.consumer(sleeper).ready().await;
        self.all_is_shown("after a consumer woke").await;
    }

    async fn close(mut self) {
        let sent = self.feed.stop_at(TRADES, WITHIN).await;
        let topic = self.deployment.topic().to_owned();
        let ends = eventually(WITHIN, "all trades in Kafka", async || {
            let ends = self.kafka.end_offsets(&topic);
            let stored: i64 = ends.iter().sum();
            if stored == sent as i64 {
                Ok(ends)
            } else {
                Err(format!("{stored} of {sent}"))
            }
        })
        .await;
        self.page.reaches(&topic, &ends, WITHIN).await;
        self.page.seen().assert_exactly_once(&topic, &ends);
        assert_eq!(self.page.trades() as u64, sent, "different trades");

        self.producer.sigterm();
        assert_eq!(self.producer.exit_code(WITHIN).await, 0);
        for consumer in self.consumers.values_mut() {
            consumer.sigterm();
            assert_eq!(consumer.exit_code(WITHIN).await, 0);
        }
        let committed = self.kafka.committed(self.deployment.group(), &topic);
        assert_eq!(committed, ends.into_iter().map(Some).collect::<Vec<_>>());
    }

    fn consumer(&mut self, vm: u8) -> &mut Running {
        self.consumers.get_mut(&vm).expect("a running consumer")
    }

    async fn start(&mut self, vm: u8) {
        let mut consumer = self.deployment.consumer(vm).spawn();
        consumer.ready().await;
        self.consumers.insert(vm, consumer);
    }

    /// Waits until the page was shown all that is in Kafka now.
    async fn all_is_shown(&self, when: &str) {
        let topic = self.deployment.topic();
        let ends = self.kafka.end_offsets(topic);
        self.page.reaches(topic, &ends, WITHIN).await;
        let (sent, seen) = (self.feed.sent(), self.page.seen());
        eprintln!("{when}: {} of {sent} trades shown", seen.count());
        assert_eq!(seen.violations(), [] as [String; 0], "{when}");
        assert_eq!(seen.gaps(), [] as [serde_json::Value; 0], "{when}");
    }
}

/// Waits until each member on a VM reads one partition, which is all that there are.
async fn each_reads_one(deployment: &Deployment, vm: u8) {
    eventually(WITHIN, "a partition for each member", async || {
        let members = deployment.partitions(vm).await?;
        let each = members.iter().all(|partitions| partitions.len() == 1);
        each.then_some(()).ok_or_else(|| format!("{members:?}"))
    })
    .await;
}

/// Waits until these VMs, and no others, read all partitions.
async fn read_by<const N: usize>(deployment: &Deployment, vms: [u8; N]) {
    let all = BTreeSet::from([0, 1, 2]);
    eventually(WITHIN, "all partitions read", async || {
        let mut read = BTreeSet::new();
        for vm in vms {
            read.extend(deployment.partitions(vm).await?.concat());
        }
        (read == all)
            .then_some(())
            .ok_or_else(|| format!("{vms:?} read {read:?}"))
    })
    .await;
}
