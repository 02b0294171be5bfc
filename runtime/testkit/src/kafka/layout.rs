//! Where everything of the cluster lies on disk, and the state file by which tests find it.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::target::profile_folder;

/// The brokers' numbers.
pub(super) const NODES: [u8; 3] = [1, 2, 3];

/// The folder of one cluster: `jars`, `classes.jsa` and `formatted` outlive a run, `run` belongs to one.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

/// What `testkit-kafka up` leaves for the tests.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct State {
    /// One `host:port` a broker, in the order of [`NODES`].
    pub(super) brokers: Vec<String>,
}

impl Layout {
    /// A cluster whose files lie in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder that belongs to this executable: `target/kafka`, beside the profile's folder.
    pub fn of_this_executable() -> Self {
        Self::new(profile_folder().with_file_name("kafka"))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn jars(&self) -> PathBuf {
        self.root.join("jars")
    }

    pub(super) fn archive(&self) -> PathBuf {
        self.root.join("classes.jsa")
    }

    pub(super) fn formatted(&self, node: u8) -> PathBuf {
        self.root.join("formatted").join(node.to_string())
    }

    pub(super) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    pub(super) fn data(&self, node: u8) -> PathBuf {
        self.run().join(format!("data-{node}"))
    }

    pub(super) fn properties(&self, node: u8) -> PathBuf {
        self.run().join(format!("broker-{node}.properties"))
    }

    pub(super) fn pid(&self, node: u8) -> PathBuf {
        self.run().join(format!("broker-{node}.pid"))
    }

    pub(super) fn log(&self, node: u8) -> PathBuf {
        self.run().join(format!("broker-{node}.log"))
    }

    fn state_file(&self) -> PathBuf {
        self.run().join("cluster.json")
    }

    pub(super) fn read_state(&self) -> io::Result<State> {
        let file = self.state_file();
        let text = std::fs::read(&file).map_err(|error| {
            io::Error::new(error.kind(), format!("`{}`: {error}", file.display()))
        })?;
        Ok(serde_json::from_slice(&text)?)
    }

    pub(super) fn write_state(&self, state: &State) -> io::Result<()> {
        std::fs::write(self.state_file(), serde_json::to_vec_pretty(state)?)
    }
}
