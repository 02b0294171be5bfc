//! `pipeline tap`: shows messages of a running pipeline as they pass a stage.

use super::ask;
use crate::args::TapArgs;
use crate::exit::Exit;
use crate::output::{print, tell};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use url::form_urlencoded::Serializer;

/// Between two questions at least: an answer may end at once.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest line; those of a pipeline are shorter.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Shows messages until there were enough of them or nobody answers.
pub(crate) fn tap(args: &TapArgs) -> Exit {
    ask::run(follow(args))
}

async fn follow(args: &TapArgs) -> Exit {
    let socket = match find(args).await {
        Ok(socket) => socket,
        Err(why) => {
            tell(&why);
            return Exit::Unavailable;
        }
    };
    let uri = uri(args);
    let mut left = args.count.unwrap_or(u64::MAX);
    loop {
        let asked = Instant::now();
        let lines = match ask::open(&socket, &uri).await {
            Ok(lines) => lines,
            Err(why) => {
                ask::tell_of(&socket, &why);
                return Exit::Unavailable;
            }
        };
        if let Err(exit) = show(lines, &mut left).await {
            return exit;
        }
        // The answer has ended, not the wish: it was long enough, or a reload has built the flow anew.
        tokio::time::sleep(PAUSE.saturating_sub(asked.elapsed())).await;
    }
}

/// The socket of the pipeline that runs the stage.
async fn find(args: &TapArgs) -> Result<PathBuf, String> {
    if let Some(socket) = &args.control {
        return Ok(socket.clone());
    }
    let sockets = ask::sockets(None);
    if sockets.is_empty() {
        return Err(ask::NOBODY.to_owned());
    }
    let mut running = Vec::new();
    for socket in sockets {
        let status = ask::get(&socket, "/status").await.unwrap_or_default();
        if runs(&serde_json::from_slice(&status).unwrap_or_default(), args) {
            running.push(socket);
        }
    }
    match running.as_slice() {
        [] => Err(format!("no pipeline runs a stage `{}`\n", args.stage)),
        [socket] => Ok(socket.clone()),
        several => Err(format!(
            "several pipelines run a stage `{}` (choose one with `--control`): {}\n",
            args.stage,
            names(several).join(", ")
        )),
    }
}

fn names(sockets: &[PathBuf]) -> Vec<String> {
    let name = |socket: &PathBuf| format!("`{}`", Path::display(socket));
    sockets.iter().map(name).collect()
}

/// Whether a pipeline of this status runs the stage.
fn runs(status: &Json, args: &TapArgs) -> bool {
    let is_wanted = |flow: &&Json| args.flow.as_ref().is_none_or(|name| flow["flow"] == **name);
    let flows = list(&status["flows"]).iter().filter(is_wanted);
    let mut stages = flows.flat_map(|flow| list(&flow["stages"]));
    stages.any(|stage| stage["name"] == *args.stage)
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn uri(args: &TapArgs) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("stage", &args.stage);
    query.append_pair("rate", &args.rate.to_string());
    if let Some(flow) = &args.flow {
        query.append_pair("flow", flow);
    }
    format!("/tap?{}", query.finish())
}

/// Prints the lines of one answer; an error is how to end.
async fn show(mut lines: Incoming, left: &mut u64) -> Result<(), Exit> {
    let mut begun = Vec::new();
    while let Some(Ok(frame)) = lines.frame().await {
        begun.extend_from_slice(&frame.into_data().unwrap_or_default());
        while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
            print(&begun[..=end])?;
            begun.drain(..=end);
            *left -= 1;
            if *left == 0 {
                return Err(Exit::Clean);
            }
        }
        if begun.len() > MAX_LINE_BYTES {
            tell("the answer is not made of lines (expected those of a pipeline)\n");
            return Err(Exit::Unavailable);
        }
    }
    Ok(())
}
