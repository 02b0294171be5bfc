//! The whole system as operators run it: the repository's pipeline files, one process a "VM", on one topic and one group
//! of their own.

use std::sync::Arc;

use serde_json::Value;

use crate::http::{self, StatusCode};
use crate::kafka::KafkaCluster;
use crate::{Hosts, Pipeline, unique};

/// Members of the group on one consumer VM.
const MEMBERS: u16 = 3;
/// Number of the producer VM's address; those of the consumer VMs begin with 1.
const PRODUCER: u8 = 100;
/// Numbers of the dashboard VM and of the simulated exchange.
const DASHBOARD: u8 = 101;
const EXCHANGE: u8 = 102;

/// Topic, group and addresses of one deployment.
#[derive(Clone)]
pub struct Deployment {
    brokers: String,
    topic: String,
    group: String,
    hosts: Arc<Hosts>,
    vms: u8,
}

impl Deployment {
    /// Makes the topic (three partitions) and its dead letters' topic for `vms` consumer VMs.
    pub async fn new(kafka: &KafkaCluster, vms: u8) -> Self {
        let topic = unique("stock_trade");
        kafka.create_topic(&topic, 3).await;
        kafka.create_topic(&format!("{topic}.dead"), 1).await;
        Self {
            brokers: kafka.brokers(),
            group: unique("stock-trade-group"),
            topic,
            hosts: Arc::new(Hosts::reserve()),
            vms,
        }
    }

    /// The topic of the trades.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The consumers' group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The producer VM, fed by `feed` (`ws://…`).
    pub fn producer(&self, feed: &str) -> Pipeline {
        self.pipeline("pipelines/producer-vm.yaml")
            .env("FEED_URL", feed)
            .env("HOST", self.hosts.address(PRODUCER))
    }

    /// Consumer VM number `vm`, from 1 on; all VMs are peers of each other.
    pub fn consumer(&self, vm: u8) -> Pipeline {
        let peers = (1..=self.vms)
            .filter(|&other| other != vm)
            .map(|other| self.socket(other));
        self.pipeline("pipelines/consumer-vm.yaml")
            .env("HOST", self.hosts.address(vm))
            .env("PEERS", peers.collect::<Vec<_>>().join(","))
            .env("TRADES_GROUP", &self.group)
    }

    /// The WebSocket address of a consumer VM's server.
    pub fn socket(&self, vm: u8) -> String {
        format!("ws://{}:8080/ws", self.hosts.address(vm))
    }

    /// Where a consumer VM's member number `instance`, from 0 on, tells its status.
    pub fn status(&self, vm: u8, instance: u16) -> String {
        format!("{}:{}", self.hosts.address(vm), 8081 + instance)
    }

    /// The simulated exchange of this deployment, which trades `rate` times a second.
    pub fn exchange(&self, rate: u32) -> Pipeline {
        self.pipeline("pipelines/exchange-simulator.yaml")
            .env("FEED_LISTEN", self.feed())
            .env("FEED_RATE", rate)
    }

    /// The WebSocket address of the simulated exchange.
    pub fn feed_url(&self) -> String {
        format!("ws://{}/ws", self.feed())
    }

    /// The dashboard VM.
    pub fn dashboard(&self) -> Pipeline {
        let vms = || 1..=self.vms;
        let sockets: Vec<String> = vms().map(|vm| self.socket(vm)).collect();
        // Three members and the server on each consumer VM, and the producer's one flow.
        let statuses = vms().flat_map(|vm| (0..=MEMBERS).map(move |flow| self.status(vm, flow)));
        let producer = format!("{}:8085", self.hosts.address(PRODUCER));
        let own = format!("{}:8086", self.hosts.address(DASHBOARD));
        let urls: Vec<String> = statuses
            .chain([producer, own.clone()])
            .map(|status| format!("http://{status}/status"))
            .collect();
        self.pipeline("pipelines/dashboard-vm.yaml")
            .env("WS_SERVERS", sockets.join(","))
            .env("STATUS_URLS", urls.join(","))
            .env("DASHBOARD_LISTEN", self.page())
            .env("DASHBOARD_STATUS", own)
            .env("JAEGER_URL", "http://jaeger.test:16686")
    }

    /// The address that the dashboard is served at.
    pub fn page(&self) -> String {
        format!("{}:3000", self.hosts.address(DASHBOARD))
    }

    /// Asks each of a consumer VM's members which partitions it reads.
    pub async fn partitions(&self, vm: u8) -> Result<Vec<Vec<i64>>, String> {
        let mut members = Vec::new();
        for instance in 0..MEMBERS {
            let url = format!("http://{}/status", self.status(vm, instance));
            let status: Value = match http::get(&url).await? {
                (StatusCode::OK, text) => serde_json::from_str(&text).expect("status as JSON"),
                (other, text) => return Err(format!("{other}: {text}")),
            };
            let read = status.pointer("/stages/0/document/partitions");
            let read = read.and_then(Value::as_array).ok_or("nothing told yet")?;
            members.push(
                read.iter()
                    .filter_map(|one| one["partition"].as_i64())
                    .collect(),
            );
        }
        Ok(members)
    }

    fn feed(&self) -> String {
        format!("{}:9001", self.hosts.address(EXCHANGE))
    }

    fn pipeline(&self, file: &str) -> Pipeline {
        Pipeline::run(file)
            .env("KAFKA_BROKERS", &self.brokers)
            .env("TRADES_TOPIC", &self.topic)
    }
}
