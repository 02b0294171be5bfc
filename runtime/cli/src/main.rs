//! The `pipeline` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    pipeline_cli::main(std::env::args_os()).into()
}
