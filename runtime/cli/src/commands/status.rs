//! `pipeline status`: asks running pipelines over their control sockets.

use crate::args::StatusArgs;
use crate::commands::ask;
use crate::exit::Exit;
use crate::output::say;
use serde_json::Value as Json;
use std::path::PathBuf;

/// Asks and prints.
pub(crate) fn status(args: &StatusArgs) -> Exit {
    let sockets: Vec<PathBuf> = match &args.control {
        Some(path) => vec![path.clone()],
        None => crate::run::find_control_sockets(),
    };
    if sockets.is_empty() {
        eprintln!("no pipeline runs here (expected a control socket; choose one with `--control`)");
        return Exit::Unavailable;
    }
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot ask: {error}");
            return Exit::Software;
        }
    };
    let mut answers = Vec::new();
    for socket in &sockets {
        match runtime.block_on(ask::get(socket, "/status")) {
            Ok(body) => answers.extend(serde_json::from_slice::<Json>(&body)),
            Err(why) => eprintln!("control socket `{}`: {why}", socket.display()),
        }
    }
    if answers.is_empty() {
        return Exit::Unavailable;
    }
    let text: Vec<String> = answers
        .iter()
        .map(|answer| serde_json::to_string_pretty(answer).unwrap_or_default() + "\n")
        .collect();
    say(&text.concat())
}
