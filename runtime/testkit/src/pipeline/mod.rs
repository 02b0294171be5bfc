//! The real `pipeline` command, as an operator runs it: a process with its own folder, environment and ports.

mod running;

pub use running::Running;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::{Ports, profile_folder, repository};

/// What a process may know of the environment that the tests run in; a developer's own settings stay outside.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LD_LIBRARY_PATH", "RUST_BACKTRACE"];

/// A `pipeline` process to be.
pub struct Pipeline {
    folder: TempDir,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Pipeline {
    /// `pipeline run FILE`, with a file of the repository such as `pipelines/consumer-vm.yaml`.
    pub fn run(file: &str) -> Self {
        Self::command(["run"]).arg(repository().join(file))
    }

    /// `pipeline run` with a file of this text.
    pub fn run_text(yaml: &str) -> Self {
        let pipeline = Self::command(["run"]);
        let file = pipeline.write("pipeline.yaml", yaml);
        pipeline.arg(file)
    }

    /// `pipeline` with these arguments.
    pub fn command<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            folder: tempfile::tempdir().expect("temporary folder"),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Runs one flow of the file.
    pub fn flow(self, name: &str) -> Self {
        self.arg("--flow").arg(name)
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.environment
            .push((name.into(), value.to_string().into()));
        self
    }

    /// Writes a file into the process's folder and returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("file in a temporary folder");
        path
    }

    /// Starts `run` with metrics, control socket and state of its own.
    pub fn spawn(self) -> Running {
        let metrics = Ports::one();
        let log = self.folder.path().join("stderr");
        let stderr = File::create(&log).expect("log file");
        let mut command = self.process();
        command.arg("--metrics").arg(metrics.addr(0).to_string());
        command
            .arg("--control")
            .arg(self.folder.path().join("control.sock"));
        command.env("STATE_DIRECTORY", self.folder.path().join("state"));
        command.stdout(Stdio::null()).stderr(stderr);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Running::new(child, metrics, log, self.folder)
    }

    /// Runs a command that ends by itself, such as `check`.
    pub fn output(self) -> Output {
        let mut command = self.process();
        command
            .output()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
    }

    fn process(&self) -> Command {
        let executable = profile_folder().join("pipeline");
        assert!(
            executable.exists(),
            "`{}` is not built: run `cargo build --workspace`, which builds the stages too",
            executable.display()
        );
        let mut command = Command::new(executable);
        command
            .args(&self.arguments)
            .current_dir(repository())
            .stdin(Stdio::null());
        command.env_clear();
        command.envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, env::var_os(name)?))),
        );
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
