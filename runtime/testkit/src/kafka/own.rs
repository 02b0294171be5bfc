//! Brokers of a test's own.

use std::ops::Deref;

use super::cluster::KafkaCluster;
use super::install::remove;
use super::run::{start, stop};
use crate::ports::{OWN_BROKERS, Ports};

/// Three more brokers, for a test that has them away for longer than others should wait; gone when this is dropped.
pub struct Own {
    cluster: KafkaCluster,
    _ports: Ports,
}

impl KafkaCluster {
    /// Starts another cluster.
    pub async fn another(&self) -> Own {
        let (cluster, ports) = start(&self.layout().another(), OWN_BROKERS)
            .await
            .unwrap_or_else(|error| panic!("no other cluster: {error}"));
        Own {
            cluster,
            _ports: ports,
        }
    }
}

impl Deref for Own {
    type Target = KafkaCluster;

    fn deref(&self) -> &KafkaCluster {
        &self.cluster
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let layout = self.cluster.layout();
        let gone = stop(layout).and_then(|()| remove(layout.home()));
        if let Err(error) = gone {
            eprintln!("brokers of a test stay behind: {error}");
        }
    }
}
