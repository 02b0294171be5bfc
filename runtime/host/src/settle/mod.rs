//! Who must still say what about a message, and who hears of it.
//!
//! A message is settled from the bottom up: a consumer says `done` or `reject` about what it received ([`Once`] keeps that
//! to one word a message), each obligation of a message that went several ways is counted ([`Tee`], and the filter's own
//! node), and at the end of the chain of [`Claim`]s the producer hears `done` exactly once ([`Ledger`] keeps its books).

mod claim;
mod ledger;
mod letter;
mod once;
mod reject;
mod suspicion;
mod tally;
mod tee;
mod traced;

pub(crate) use claim::{Claim, Node};
pub(crate) use ledger::Ledger;
pub(crate) use letter::Letter;
pub(crate) use once::Once;
pub(crate) use reject::{RejectRoute, Rejected};
pub(crate) use suspicion::Suspicion;
pub(crate) use tally::Tally;
pub(crate) use tee::Tee;
pub(crate) use traced::redelivered;
