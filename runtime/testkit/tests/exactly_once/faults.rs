//! All faults in turn, under one unbroken flow of trades.

use std::collections::BTreeMap;

use pipeline_testkit::kafka::{self, Exclusive};
use pipeline_testkit::{Browser, Deployment, Running};

use crate::live::{Live, WITHIN, each_reads_one, members, read_by};

const TRADES: u64 = 200_000;
const RATE: u64 = 2_000;
/// What has flowed since the last fault when the next one strikes.
const BETWEEN: i64 = 10_000;

/// The page's server; its VM's consumers are a process of their own.
const SERVED: u8 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn every_trade_is_shown_once_in_order_whatever_fails() {
    let mut scene = Scene::open().await;
    scene.a_consumer_is_killed_and_restarted().await;
    scene.a_consumer_is_stopped_and_another_added().await;
    scene.the_server_is_killed_and_restarted().await;
    scene.a_broker_is_killed_and_restarted().await;
    scene.all_brokers_are_restarted_one_by_one().await;
    scene.a_consumer_sleeps_and_wakes().await;
    let consumers = scene.consumers.values_mut();
    scene.live.finish(TRADES, [&scene.page], consumers).await;
}

/// Four consumer VMs, of which one is added later, and a page that is connected to the first one's server.
struct Scene {
    live: Live<Exclusive<'static>>,
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
        let page = Browser::open(&[deployment.socket(SERVED)]).await;
        let live = Live::start(kafka, deployment, RATE).await;
        Self {
            live,
            server,
            consumers,
            page,
        }
    }

    async fn a_consumer_is_killed_and_restarted(&mut self) {
        self.flows().await;
        self.consumer(2).kill9();
        self.start(2).await;
        each_reads_one(&self.live.deployment, 2).await;
        self.is_shown("after a consumer's crash").await;
    }

    async fn a_consumer_is_stopped_and_another_added(&mut self) {
        self.flows().await;
        let mut stopped = self.consumers.remove(&2).expect("a running consumer");
        stopped.sigterm();
        self.start(4).await;
        assert_eq!(stopped.exit_code(WITHIN).await, 0);
        read_by(&self.live.deployment, [SERVED, 3, 4]).await;
        self.is_shown("after all partitions moved").await;
    }

    async fn the_server_is_killed_and_restarted(&mut self) {
        self.flows().await;
        self.server.kill9();
        let server = self.live.deployment.consumer(SERVED);
        self.server = server.flow("websocket-server").spawn();
        self.server.ready().await;
        self.is_shown("after the server's crash").await;
        assert!(self.page.connections() > 1, "the page was cut off");
    }

    async fn a_broker_is_killed_and_restarted(&mut self) {
        self.flows().await;
        let node = self.live.kafka.leader(self.live.deployment.topic(), 0);
        self.live.kafka.kill(node);
        self.is_shown("while a broker is dead").await;
        self.live.kafka.start(node).await;
        self.is_shown("with the broker back").await;
    }

    async fn all_brokers_are_restarted_one_by_one(&mut self) {
        self.flows().await;
        self.live.kafka.restart_rolling().await;
        self.is_shown("after a rolling restart").await;
    }

    async fn a_consumer_sleeps_and_wakes(&mut self) {
        self.flows().await;
        let sleeper = self.reader_of_something([3, 4]).await;
        self.has_members(9).await;
        self.consumer(sleeper).freeze();
        self.has_members(6).await;
        read_by(&self.live.deployment, [SERVED, 7 - sleeper]).await;
        self.is_shown("while a consumer sleeps").await;
        self.consumer(sleeper).thaw();
        self.has_members(9).await;
        self.is_shown("after the consumer woke").await;
    }

    async fn reader_of_something(&self, vms: [u8; 2]) -> u8 {
        for vm in vms {
            let partitions = self.live.deployment.partitions(vm).await;
            if !partitions.expect("a status").concat().is_empty() {
                return vm;
            }
        }
        panic!("none of {vms:?} reads anything")
    }

    fn consumer(&mut self, vm: u8) -> &mut Running {
        self.consumers.get_mut(&vm).expect("a running consumer")
    }

    async fn start(&mut self, vm: u8) {
        let mut consumer = self.live.deployment.consumer(vm).spawn();
        consumer.ready().await;
        self.consumers.insert(vm, consumer);
    }

    async fn has_members(&self, count: usize) {
        members(&self.live.kafka, &self.live.deployment, count).await;
    }

    async fn flows(&self) {
        self.page.goes_on(BETWEEN, WITHIN).await;
    }

    async fn is_shown(&self, when: &str) {
        self.live.is_shown(&self.page, when).await;
    }
}
