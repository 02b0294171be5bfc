//! Finds, loads and checks plugins.
//!
//! A plugin is loaded once and never unloaded: its threads and its late callbacks need its code. Nothing of it is trusted
//! before it was checked, in the order in which it can be checked safely: the symbol, the pointer, the magic word, the size,
//! the versions, the function pointers as plain words, and last what it says about itself.

mod check;
mod describe;
mod error;
mod plugin;
mod search;
mod store;

pub use describe::{Role, StageKind};
pub use error::LoadError;
pub use plugin::{Finding, Plugin};
pub use search::search_path;
pub use store::PluginStore;
