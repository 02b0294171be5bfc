//! The commands that print something and end.

mod ask;
pub(crate) mod check;
pub(crate) mod graph;
pub(crate) mod log;
pub(crate) mod manual;
pub(crate) mod schema;
mod settings;
pub(crate) mod stages;
pub(crate) mod status;
pub(crate) mod tap;
pub(crate) mod trace;
