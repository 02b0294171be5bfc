//! What the Kafka stages share: connection settings, the client's logs and errors, and the health that follows from them.
//!
//! Invariant: a secret of the settings reaches librdkafka and nothing else, and a property that a stage sets itself cannot be
//! set from outside.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod ask;
mod connection;
mod health;
mod layout;
mod metrics;
mod monitor;
mod properties;
mod reason;
mod security;
mod statistics;
mod topic;

pub use ask::ask_again;
pub use connection::{AddressFamily, Connection};
pub use health::Health;
pub use layout::{BrokerPlace, GroupPlace, Layout, LayoutWatch, PartitionPlace};
pub use monitor::Monitor;
pub use properties::{Properties, Property, Reserved};
pub use security::{Mechanism, Sasl, Tls};
pub use statistics::{BrokerStatus, GroupStatus, PartitionStatus, Statistics};
pub use topic::{TOPIC, check_topic, watch_topic};
