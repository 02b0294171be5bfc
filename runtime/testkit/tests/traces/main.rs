//! One trade's trace, from the exchange to a browser: three real processes, real Kafka, a collector that keeps all.

mod path;
mod scene;
mod tree;
