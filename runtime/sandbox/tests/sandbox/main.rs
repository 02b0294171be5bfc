//! The real sandbox: around a `pipeline` command that only waits, and around the real one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod demo;
mod driver;
mod keeping;
