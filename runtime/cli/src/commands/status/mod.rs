//! `pipeline status`: asks running pipelines over their control sockets.

mod table;

use super::ask;
use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::output::say;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between the two answers from which rates are computed.
const INTERVAL: Duration = Duration::from_secs(1);

/// Asks and prints.
pub(crate) fn status(args: &StatusArgs) -> Exit {
    ask::run_for_all(args.control.as_deref(), async |sockets| {
        let text = match args.json {
            true => as_json(sockets).await,
            false => as_tables(sockets).await,
        };
        match text.is_empty() {
            true => Exit::Unavailable,
            false => say(&text),
        }
    })
}

/// One JSON document a process.
async fn as_json(sockets: &[PathBuf]) -> String {
    let mut text = String::new();
    for socket in sockets {
        let answer = ask(socket).await;
        text.extend(answer.map(|(_, answer)| format!("{answer:#}\n")));
    }
    text
}

/// One table a process, with rates.
async fn as_tables(sockets: &[PathBuf]) -> String {
    let mut first = Vec::new();
    for socket in sockets {
        first.extend(ask(socket).await.map(|answer| (socket, answer)));
    }
    if !first.is_empty() {
        tokio::time::sleep(INTERVAL).await;
    }
    let mut tables = Vec::new();
    for (socket, (asked, before)) in first {
        if let Some((again, now)) = ask(socket).await {
            tables.push(table::draw(&before, &now, again.duration_since(asked)));
        }
    }
    tables.join("\n")
}

async fn ask(socket: &Path) -> Option<(Instant, Json)> {
    let answer = ask::get(socket, "/status").await;
    let parsed =
        answer.and_then(|body| serde_json::from_slice(&body).map_err(|error| error.to_string()));
    match parsed {
        Ok(answer) => Some((Instant::now(), answer)),
        Err(why) => {
            ask::tell_of(socket, &why);
            None
        }
    }
}
