//! One broker process: started, stopped, killed and frozen by number, from whichever process has the lease.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::layout::Layout;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A java command with the jars of `layout` as class path and the options that make a broker small and quick to start.
pub(super) fn java(layout: &Layout) -> io::Result<Command> {
    let mut jars = std::fs::read_dir(layout.jars())?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    jars.retain(|path| path.extension().is_some_and(|it| it == "jar"));
    // The class archive is only valid for the very class path that it was made with.
    jars.sort();
    let class_path = std::env::join_paths(jars).map_err(io::Error::other)?;

    let mut command = Command::new("java");
    command.args([
        "-Xms64m",
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xlog:cds=off",
    ]);
    command.arg(format!(
        "-Dlog4j2.configurationFile={}",
        layout.jars().join("log4j2.properties").display()
    ));
    command.arg("-cp").arg(class_path).stdin(Stdio::null());
    Ok(command)
}

/// Broker number `node` of a cluster.
pub(super) struct Broker<'a> {
    pub(super) layout: &'a Layout,
    pub(super) node: u8,
}

impl Broker<'_> {
    /// Starts the process and returns; whether it serves is another question (see `KafkaCluster::in_sync`).
    pub(super) fn start(&self) -> io::Result<()> {
        let mut command = java(self.layout)?;
        if self.layout.archive().exists() {
            command.arg(format!(
                "-XX:SharedArchiveFile={}",
                self.layout.archive().display()
            ));
        }
        command
            .arg("kafka.Kafka")
            .arg(self.layout.properties(self.node));
        let child = detached(&mut command, &self.layout.log(self.node))?;
        std::fs::write(self.layout.pid(self.node), child.id().to_string())?;
        reap(child);
        Ok(())
    }

    /// Returns the running process; a pid that meanwhile belongs to another program does not count.
    pub(super) fn process(&self) -> Option<Pid> {
        let pid: i32 = std::fs::read_to_string(self.layout.pid(self.node))
            .ok()?
            .parse()
            .ok()?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let properties = self.layout.properties(self.node);
        let ours = command
            .split(|&byte| byte == 0)
            .any(|argument| argument == properties.as_os_str().as_encoded_bytes());
        ours.then(|| Pid::from_raw(pid)).flatten()
    }

    /// Sends `signal`; a broker that does not run is left alone.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        match self.process() {
            Some(pid) => Ok(kill_process(pid, signal)?),
            None => Ok(()),
        }
    }

    /// Kills the process as `kill -9` does and returns when it is gone.
    pub(super) fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)?;
        self.wait_gone(STOP_TIMEOUT)
    }

    /// Stops the process in order; one that does not stop in time is killed, and that is an error.
    pub(super) fn stop(&self) -> io::Result<()> {
        self.signal(Signal::CONT)?;
        self.signal(Signal::TERM)?;
        self.wait_gone(STOP_TIMEOUT)
            .inspect_err(|_| drop(self.kill()))
    }

    fn wait_gone(&self, timeout: Duration) -> io::Result<()> {
        let deadline = Instant::now() + timeout;
        while self.process().is_some() {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!(
                    "broker {} did not end within {timeout:?}",
                    self.node
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Starts `command` in a session of its own, so that a Ctrl-C for the tests is not one for the brokers.
fn detached(command: &mut Command, log: &Path) -> io::Result<Child> {
    let log: File = OpenOptions::new().create(true).append(true).open(log)?;
    command
        .process_group(0)
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// Takes the exit status of a broker that ends while this process lives, so that it does not stay a zombie.
fn reap(mut child: Child) {
    thread::spawn(move || child.wait());
}
