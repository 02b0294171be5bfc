//! What the running system measures: held against observability/METRICS.md, which this test also writes.
//!
//! `METRICS=write cargo test -p pipeline-testkit --test metrics` writes the table anew.

mod reload;
mod scene;
mod system;
mod table;
