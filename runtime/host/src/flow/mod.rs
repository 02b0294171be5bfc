//! Flows: stages wired together, started, drained, closed and changed as a whole.

mod drain;
mod error;
mod handle;
mod reload;
mod running;
mod spec;
mod status;
mod wiring;

#[cfg(test)]
mod tests;

pub use drain::{Drained, Left};
pub use error::StartError;
pub use handle::{FlowHandle, Stuck};
pub use reload::{ReloadError, ReloadReport};
pub use spec::{Buffer, FlowSpec, OnReject, Restart, Retry, StageSpec};
pub use status::{EdgeStatus, FlowStatus, StageStatus};

pub(crate) use running::{Flow, Member};
