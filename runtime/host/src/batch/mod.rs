//! What producers hand over: batches, checked before they are trusted, never copied.

mod held;
mod view;

pub(crate) use held::Held;
pub(crate) use view::{BatchFault, View, checked};
