//! A program of the machine that runs beside a test, such as Prometheus: its log is in a file, and it ends with the test.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A process that is killed when this is dropped; when the test panics, its log is part of what the test prints.
pub(crate) struct Daemon {
    child: Child,
    folder: TempDir,
}

impl Daemon {
    /// Starts `command`; `folder` is its own and goes with it.
    ///
    /// # Panics
    ///
    /// When there is no such program, with the command that installs it.
    pub(crate) fn start(mut command: Command, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).expect("log file");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("cannot start {command:?}: {error}; `make packages` installs what tests need")
        });
        Self { child, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Says why it does not run, if so.
    pub(crate) fn runs(&mut self) -> Result<(), String> {
        match self.child.try_wait().expect("exit status") {
            Some(status) => Err(format!("it ended: {status}")),
            None => Ok(()),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended already is no error worth telling.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let log = fs::read(self.folder().join("log")).unwrap_or_default();
            eprintln!("--- log of a program beside the test");
            eprintln!("{}", String::from_utf8_lossy(&log));
        }
    }
}
