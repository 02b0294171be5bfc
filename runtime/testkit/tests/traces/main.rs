//! One trade's trace, from the exchange to a browser: three real processes, real Kafka, a collector that
//! keeps all. With `JAEGER_URL` the collector is that Jaeger, and its query API tells the spans.

mod fates;
mod faults;
mod line;
mod path;
mod scene;
mod tree;
