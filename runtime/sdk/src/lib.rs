//! What a stage author uses: [`Source`], [`Filter`] and [`Sink`], and everything that every stage needs.
//!
//! A stage is a crate of type `cdylib` that implements one of the three traits and names it in [`export_stage!`]. This crate
//! turns that into the C ABI: it catches every unwinding call, owns the stage's thread and its tokio runtime, forwards the
//! stage's `tracing` events to the host, and keeps the accounting of batches safe.
//!
//! A filter:
//!
//! ```
//! use pipeline_sdk::prelude::*;
//!
//! /// Drops messages that are shorter than `min` bytes.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     /// Shortest payload that passes.
//!     min: usize,
//! }
//!
//! struct AtLeast(Settings);
//!
//! impl Filter for AtLeast {
//!     const NAME: &'static str = "at-least";
//!     type Config = Settings;
//!
//!     fn open(config: Settings, _context: Context) -> Result<Self> {
//!         Ok(AtLeast(config))
//!     }
//!
//!     fn process(&mut self, message: Message<'_>, out: &mut Emit<'_>) -> Result<(), Reject> {
//!         if message.payload().len() >= self.0.min {
//!             out.keep();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! export_stage!(filter AtLeast);
//! ```
//!
//! A sink:
//!
//! ```
//! use pipeline_sdk::prelude::*;
//!
//! /// Prints every payload as a line.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {}
//!
//! struct Print;
//!
//! impl Sink for Print {
//!     const NAME: &'static str = "print";
//!     type Config = Settings;
//!
//!     async fn open(_config: Settings, _context: Context) -> Result<Self> {
//!         Ok(Print)
//!     }
//!
//!     async fn run(&mut self, input: &mut Input) -> Result<()> {
//!         while let Some(batch) = input.recv().await {
//!             for message in &batch {
//!                 println!("{}", String::from_utf8_lossy(message.payload()));
//!             }
//!             batch.done();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! export_stage!(sink Print);
//! ```
#![deny(missing_docs)]

#[cfg(panic = "abort")]
compile_error!(
    "stages are built with panic = \"unwind\": an abort would take the whole process down"
);

mod arena;
mod backoff;
mod batch;
mod bridge;
mod builder;
mod chunk;
mod context;
mod emit;
mod error;
mod export;
mod filter;
mod host;
mod input;
mod instance;
mod lanes;
pub mod listener;
mod message;
mod metrics;
mod open_spans;
mod output;
mod owned;
mod phase;
mod record;
mod roots;
mod settings;
mod sink;
mod source;
mod span;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tls;
mod trace;
mod units;
mod wake;
mod workers;

pub use backoff::Backoff;
pub use batch::{Batch, Messages};
pub use builder::BatchBuilder;
pub use chunk::Chunk;
pub use context::{Context, Window};
pub use emit::{Emit, Reject};
pub use error::{Closed, Error, Invalid, Result};
pub use filter::Filter;
pub use input::Input;
pub use lanes::{LaneLimits, WriteError};
pub use message::{Message, Position};
pub use metrics::{Counter, Gauge, Histogram};
pub use output::Output;
pub use owned::Done;
pub use record::Record;
pub use roots::Roots;
pub use sink::Sink;
pub use source::Source;
pub use span::{Span, SpanKind, Value};
pub use trace::{Trace, TraceText};
pub use units::{ByteSize, HumanDuration, Secret};
pub use workers::JoinHandle;

/// Most messages that one batch holds.
pub const MAX_BATCH: usize = pipeline_abi::PL_BATCH_MAX as usize;

/// Everything that a stage usually needs, in one `use`.
pub mod prelude {
    pub use crate::{
        Backoff, Batch, BatchBuilder, ByteSize, Chunk, Closed, Context, Counter, Done, Emit, Error,
        Filter, Gauge, Histogram, HumanDuration, Input, Invalid, LaneLimits, MAX_BATCH, Message,
        Output, Position, Record, Reject, Result, Roots, Secret, Sink, Source, Span, SpanKind,
        Trace, Window, WriteError, export_stage,
    };
    pub use schemars::JsonSchema;
    pub use serde::Deserialize;
    // The derive macros name these crates.
    pub use {schemars, serde};
}

#[doc(hidden)]
pub mod __private {
    //! What `export_stage!` expands to; no part of the interface.
    pub use crate::export::{
        Exported, FilterStage, SinkStage, SourceStage, describe, entry, open, plugin, validate,
    };
    pub use pipeline_abi as abi;
}
