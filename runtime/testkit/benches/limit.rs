//! Limits run as processes of their own, so that their processor time and memory are told apart: this very program, called
//! with [`WORD`] and the limit's name. A limit prints lines of JSON, the last of which is its result.

use std::process::Stdio;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The first argument of a process that is a limit.
pub(crate) const WORD: &str = "limit";

/// A limit that runs.
pub(crate) struct Limit {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Limit {
    /// Starts `name`.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        Self::start_with(name, arguments, &[])
    }

    /// Starts `name` with more in its environment.
    pub(crate) fn start_with(
        name: &str,
        arguments: &[&str],
        environment: &[(&str, String)],
    ) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this executable"));
        command.arg(WORD).arg(name).args(arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("limit started");
        let stdout = child.stdout.take().expect("piped output");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("a limit that runs")
    }

    /// Waits for the next thing that it tells.
    pub(crate) async fn told<T: DeserializeOwned>(&mut self) -> T {
        let line = self.lines.next_line().await.expect("output of the limit");
        let line = line.expect("a limit that ends in order");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }
}

/// What a limit tells who started it.
pub(crate) fn tell(what: &impl Serialize) {
    println!("{}", serde_json::to_string(what).expect("JSON"));
}
