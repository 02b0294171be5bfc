//! Stage instances: opened, watched, closed, and opened again when they fail.
//!
//! Each stage of a flow has one [`Seat`] (its name, its news and its board, for everybody) and one supervisor thread, which
//! makes all control calls of the stage's instances, one after the other. Whatever happens reaches that thread as mail; what
//! it decided is read from the board.

mod backoff;
mod board;
mod closing;
mod draining;
mod host;
mod hub;
mod instance;
mod mail;
mod opening;
mod post;
mod seat;
mod supervisor;
mod swap;
mod watchdog;

pub use board::{Health, StageState};
pub use host::{Host, HostEvent, HostOptions, Sampling};

pub(crate) use host::HostShared;
pub(crate) use hub::Hub;
pub(crate) use mail::Command;
pub(crate) use post::Post;
pub(crate) use seat::Seat;
pub(crate) use supervisor::Supervisor;
