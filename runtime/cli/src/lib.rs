//! The `pipeline` command: configuration, checks, and running.
#![forbid(unsafe_code)]
#![allow(dead_code)]

mod catalogue;
mod config;
