//! One run of a machine: its process, its output line by line, its end.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::machine::Machine;
use crate::{leash, say};

/// The longest line that is shown as one.
const LONGEST_LINE: u64 = 64 * 1024;

/// How machines are started.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    /// This program, which holds the leash.
    pub(crate) sandbox: PathBuf,
    /// The `pipeline` command.
    pub(crate) pipeline: PathBuf,
}

impl Launcher {
    /// A command that runs `pipeline` for a machine; arguments are still missing.
    pub(crate) fn command(&self, machine: &Machine) -> Command {
        let mut command = leash::command(&self.sandbox, &self.pipeline);
        command.envs(machine.env.iter().map(|(name, value)| (name, value)));
        Command::from(command)
    }

    fn run(&self, machine: &Machine) -> Command {
        let mut command = self.command(machine);
        command
            .arg("run")
            .arg(&machine.file)
            .args(["--metrics", &machine.metrics]);
        // Six processes share one terminal: it shows what is wrong and what the sandbox itself says.
        command.args(["--log-format", "human", "--log", "warn"]);
        command.args(["--drain-timeout", "5s"]);
        command
    }
}

/// A running process.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts `pipeline run` for a machine.
    pub(crate) fn start(launcher: &Launcher, machine: &Machine, index: usize) -> io::Result<Self> {
        Self::spawn(launcher.run(machine), &machine.name, index)
    }

    fn spawn(mut command: Command, name: &str, index: usize) -> io::Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: Ctrl-C reaches the sandbox alone, which then stops all in order.
        let mut child = command.process_group(0).spawn()?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(show(stdout, name.to_owned(), index));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(show(stderr, name.to_owned(), index));
        }
        Ok(Self { child })
    }

    /// The process id, until the end was waited for.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends a signal; a process that has ended is none that minds.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self
            .child
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()));
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}

/// Shows the output of a machine; a line that is too long goes out in pieces.
async fn show(output: impl AsyncRead + Unpin, name: String, index: usize) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut output)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(1..) => say::of_machine(index, &name, String::from_utf8_lossy(&line).trim_end()),
            Ok(0) | Err(_) => return,
        }
    }
}
