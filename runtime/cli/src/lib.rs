//! The `pipeline` command: configuration, checks, and running.
#![forbid(unsafe_code)]

mod args;
mod catalogue;
mod commands;
mod config;
mod exit;
mod http_client;
mod logs;
mod output;
mod run;
mod telemetry;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;
use clap::error::ErrorKind;
use pipeline_host::{PluginStore, search_path};
use std::ffi::OsString;

/// Does what a command line says.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            let printed = error.print();
            return if asked && printed.is_ok() {
                Exit::Clean
            } else {
                Exit::Usage
            };
        }
    };
    let store = || PluginStore::new(search_path());
    match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Check(args) => commands::check::check(args, &store()),
        Command::Graph(args) => commands::graph::graph(args, &store()),
        Command::Stages(args) => commands::stages::stages(args, &store()),
        Command::Schema => commands::schema::schema(&store()),
        Command::Status(args) => commands::status::status(args),
        Command::Log(args) => commands::log::log(args),
        Command::Tap(args) => commands::tap::tap(args),
        Command::Trace(args) => commands::trace::trace(args),
        Command::Completions { shell } => commands::manual::completions(*shell),
        Command::Man => commands::manual::man(),
    }
}
