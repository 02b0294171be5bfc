//! A running `pipeline` process: asked over its own HTTP addresses, steered and killed by signals.
//!
//! Its log goes to a file; when the test panics, the end of it is part of what the test prints.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Ports, eventually, http as client, openmetrics};

const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How much of a log a failed test prints.
const SHOWN_LINES: usize = 200;

/// A process that is killed when this is dropped.
pub struct Running {
    child: Child,
    metrics: Ports,
    log: PathBuf,
    folder: TempDir,
}

impl Running {
    pub(super) fn new(child: Child, metrics: Ports, log: PathBuf, folder: TempDir) -> Self {
        Self {
            child,
            metrics,
            log,
            folder,
        }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it serves its metrics.
    pub fn address(&self) -> std::net::SocketAddr {
        self.metrics.addr(0)
    }

    /// The folder with its socket and state.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Waits until `/readyz` of the process answers 200.
    pub async fn ready(&mut self) {
        eventually(READY_TIMEOUT, "a ready pipeline", async || {
            self.assert_runs();
            match self.readyz().await? {
                (StatusCode::OK, _) => Ok(()),
                (status, text) => Err(format!("{status}: {text}")),
            }
        })
        .await;
    }

    /// Returns status and text of `/readyz`.
    pub async fn readyz(&self) -> Result<(StatusCode, String), String> {
        client::get(&format!("http://{}/readyz", self.metrics.addr(0))).await
    }

    /// Returns the metrics page.
    pub async fn metrics(&self) -> String {
        let page = client::get(&format!("http://{}/metrics", self.metrics.addr(0))).await;
        page.expect("metrics page").1
    }

    /// Returns the metrics as Prometheus asks for them.
    pub async fn openmetrics(&self) -> String {
        let url = format!("http://{}/metrics", self.metrics.addr(0));
        let request = http::Request::get(url)
            .header("accept", openmetrics::ACCEPT)
            .body(Bytes::new())
            .expect("request");
        let answer = client::send(request).await.expect("metrics");
        String::from_utf8(answer.into_body().to_vec()).expect("metrics in UTF-8")
    }

    /// Returns the status document of a flow that answers at `addr` (`host:port`).
    pub async fn status(&self, addr: impl std::fmt::Display) -> Result<Value, String> {
        let (status, text) = client::get(&format!("http://{addr}/status")).await?;
        if status != StatusCode::OK {
            return Err(format!("{status}: {text}"));
        }
        serde_json::from_str(&text).map_err(|error| format!("status is not JSON: {error}"))
    }

    /// Asks the process to drain and end.
    pub fn sigterm(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Asks the process to read its files again.
    pub fn sighup(&mut self) {
        self.signal(Signal::HUP);
    }

    /// Ends the process as a crash would, and waits until it is gone.
    pub fn kill9(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("exit status");
    }

    /// Stops the process where it stands.
    pub fn freeze(&mut self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen process go on.
    pub fn thaw(&mut self) {
        self.signal(Signal::CONT);
    }

    /// Waits for the end of the process.
    pub async fn wait(&mut self, within: Duration) -> ExitStatus {
        eventually(within, "the end of the process", async || {
            self.child
                .try_wait()
                .map_err(|error| error.to_string())?
                .ok_or("it still runs".to_owned())
        })
        .await
    }

    /// Waits for the end and returns the exit code; a signal is a panic.
    pub async fn exit_code(&mut self, within: Duration) -> i32 {
        let status = self.wait(within).await;
        status
            .code()
            .unwrap_or_else(|| panic!("the process ended by a signal: {status}"))
    }

    /// Returns what the process has logged so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("log file")).into_owned()
    }

    /// Returns the resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let text =
            fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("process status");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("a process with memory");
        let kibibytes: u64 = line
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("kibibytes");
        kibibytes * 1024
    }

    fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().expect("exit status") {
            panic!("the pipeline ended: {status}");
        }
    }

    /// A child that has ended is still a zombie of this process here, so its number belongs to nobody else.
    fn signal(&mut self, signal: Signal) {
        self.assert_runs();
        kill_process(Pid::from_child(&self.child), signal).expect("signal sent");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killing works for a frozen process too; one that has ended already is no error worth telling.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let log = self.stderr();
            let skipped = log.lines().count().saturating_sub(SHOWN_LINES);
            eprintln!(
                "--- log of pipeline {} (without its first {skipped} lines)",
                self.pid()
            );
            log.lines()
                .skip(skipped)
                .for_each(|line| eprintln!("{line}"));
        }
    }
}
