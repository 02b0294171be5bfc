//! The `pipeline` command: configuration, checks, and running.
#![forbid(unsafe_code)]
#![allow(dead_code)]

mod args;
mod catalogue;
mod commands;
mod config;
mod exit;
mod logs;
mod output;
mod run;
