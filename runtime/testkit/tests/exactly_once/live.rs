//! Trades that flow from a feed through the producer VM into a topic, while a test does what it likes to whoever reads them.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::Duration;

use pipeline_testkit::kafka::KafkaCluster;
use pipeline_testkit::{Browser, Deployment, Feed, Running, eventually};

/// Longer than anything here takes on a slow machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);

/// A deployment whose producer VM is fed.
pub(crate) struct Live<K> {
    pub(crate) kafka: K,
    pub(crate) deployment: Deployment,
    feed: Feed,
    producer: Running,
}

impl<K: Deref<Target = KafkaCluster>> Live<K> {
    /// Starts a feed of `rate` trades a second, and the producer VM.
    pub(crate) async fn start(kafka: K, deployment: Deployment, rate: u64) -> Self {
        let feed = Feed::listen(rate).await;
        let producer = deployment.producer(feed.url()).spawn();
        Self {
            kafka,
            deployment,
            feed,
            producer,
        }
    }

    /// Waits until the page was shown all that is in Kafka now, each message once and in order.
    pub(crate) async fn is_shown(&self, page: &Browser, when: &str) {
        let topic = self.deployment.topic();
        let ends = self.kafka.end_offsets(topic);
        page.reaches(topic, &ends, WITHIN).await;
        let (sent, seen) = (self.feed.sent(), page.seen());
        eprintln!("{when}: {} of {sent} trades shown", seen.count());
        assert_eq!(seen.violations(), [] as [String; 0], "{when}");
        assert_eq!(seen.gaps(), [] as [serde_json::Value; 0], "{when}");
    }

    /// Ends the feed after at least so many trades; when all are in Kafka and shown, stops the consumers and compares:
    /// everything must be committed then.
    pub(crate) async fn finish<'a>(
        mut self,
        trades: u64,
        pages: impl IntoIterator<Item = &'a Browser>,
        consumers: impl IntoIterator<Item = &'a mut Running>,
    ) {
        let sent = self.feed.stop_at(trades, WITHIN).await;
        let topic = self.deployment.topic();
        let ends = eventually(WITHIN, "all trades in Kafka", async || {
            let ends = self.kafka.end_offsets(topic);
            let stored: i64 = ends.iter().sum();
            (stored == sent as i64)
                .then_some(ends)
                .ok_or_else(|| format!("{stored} of {sent}"))
        })
        .await;
        for page in pages {
            page.reaches(topic, &ends, WITHIN).await;
            page.seen().assert_exactly_once(topic, &ends);
            assert_eq!(page.trades() as u64, sent, "different trades");
        }
        self.producer.sigterm();
        assert_eq!(self.producer.exit_code(WITHIN).await, 0);
        for consumer in consumers {
            // In the middle of a rebalance the group takes no commit of who leaves.
            self.is_at_rest().await;
            consumer.sigterm();
            assert_eq!(consumer.exit_code(WITHIN).await, 0);
        }
        let committed = self.kafka.committed(self.deployment.group(), topic);
        assert_eq!(committed, ends.into_iter().map(Some).collect::<Vec<_>>());
    }

    /// Waits until no member is about to join or to leave.
    async fn is_at_rest(&self) {
        eventually(WITHIN, "a group at rest", async || {
            let state = self.kafka.group_state(self.deployment.group());
            (state == "Stable").then_some(()).ok_or(state)
        })
        .await;
    }
}

/// Waits until each member on a VM reads one partition, which is all that there are.
pub(crate) async fn each_reads_one(deployment: &Deployment, vm: u8) {
    eventually(WITHIN, "a partition for each member", async || {
        let members = deployment.partitions(vm).await?;
        let each = members.iter().all(|partitions| partitions.len() == 1);
        each.then_some(()).ok_or_else(|| format!("{members:?}"))
    })
    .await;
}

/// Waits until these VMs read all partitions.
pub(crate) async fn read_by<const N: usize>(deployment: &Deployment, vms: [u8; N]) {
    let all = BTreeSet::from([0, 1, 2]);
    eventually(WITHIN, "all partitions read", async || {
        let mut read = BTreeSet::new();
        for vm in vms {
            read.extend(deployment.partitions(vm).await?.concat());
        }
        let missing = || format!("{vms:?} read {read:?}");
        (read == all).then_some(()).ok_or_else(missing)
    })
    .await;
}

/// Waits until the group has so many members.
pub(crate) async fn members(kafka: &KafkaCluster, deployment: &Deployment, count: usize) {
    eventually(WITHIN, "the members of the group", async || {
        match kafka.members(deployment.group()).len() {
            members if members == count => Ok(()),
            members => Err(format!("{members} of {count}")),
        }
    })
    .await;
}
