//! Real Apache Kafka: three brokers on this machine, started once for a whole test run.
//!
//! `testkit-kafka up` starts them and leaves a state file; tests of any process find it with [`cluster`]. Whoever only
//! uses the brokers holds a [`Shared`] lease, whoever kills or freezes one holds the [`Exclusive`] lease, so a fault test
//! never disturbs another. A test that would keep the others waiting for long has brokers of its [`Own`]. A missing
//! cluster is a panic that says what to run: no test is ever skipped.

mod broker;
mod certificates;
mod client;
mod cluster;
mod install;
mod layout;
mod lease;
mod own;
mod permissions;
mod run;
mod settings;

pub use certificates::Certificates;
pub use client::Stored;
pub use cluster::{KafkaCluster, cluster};
pub use layout::Layout;
pub use lease::{Exclusive, Shared};
pub use own::Own;
pub use permissions::Resource;
pub use run::{brokers, down, up};
pub use settings::{GUEST, MASTER, PASSWORD, STRANGER};
