//! The plugin ABI from both sides: plugins that keep it (ours, and the examples in other languages) under the conformance
//! battery, and plugins that break it under the real host.

mod battery;
mod build;
mod contained;
mod examples;
mod flow;
mod headers;
mod ours;
mod panics;
mod process;
mod refused;
