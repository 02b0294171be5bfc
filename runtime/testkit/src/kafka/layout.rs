//! Where everything of the cluster lies on disk, and the state file by which tests find it.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::certificates::Certificates;
use crate::target::profile_folder;

/// The brokers' numbers.
pub(super) const NODES: [u8; 3] = [1, 2, 3];

/// The folder with the homes of other clusters.
const ANOTHER: &str = "others";

/// The folder of one cluster: `jars`, `classes.jsa` and `formatted` outlive a run, `run` belongs to one.
///
/// Another cluster shares all but `run` with the first one.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    /// The folder of `run`.
    home: PathBuf,
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
        let root = root.into();
        Self {
            home: root.clone(),
            root,
        }
    }

    /// The folder that belongs to this executable: `target/kafka`, beside the profile's folder.
    pub fn of_this_executable() -> Self {
        Self::new(profile_folder().with_file_name("kafka"))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A cluster beside this one.
    pub(super) fn another(&self) -> Self {
        Self {
            root: self.root.clone(),
            home: self.root.join(ANOTHER).join(crate::unique("cluster")),
        }
    }

    /// The clusters beside this one, also those whose test was killed.
    pub(super) fn others(&self) -> io::Result<Vec<Self>> {
        let Ok(homes) = std::fs::read_dir(self.root.join(ANOTHER)) else {
            return Ok(Vec::new());
        };
        let other = |home: io::Result<DirEntry>| {
            Ok(Self {
                root: self.root.clone(),
                home: home?.path(),
            })
        };
        homes.map(other).collect()
    }

    /// What is this cluster's own; the folder itself for the first one.
    pub(super) fn home(&self) -> &Path {
        &self.home
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

    /// What the formatted folders and the archive were made of.
    pub(super) fn recipe(&self) -> PathBuf {
        self.root.join("recipe")
    }

    pub(super) fn run(&self) -> PathBuf {
        self.home.join("run")
    }

    pub(super) fn data(&self, node: u8) -> PathBuf {
        self.run().join(format!("data-{node}"))
    }

    pub(super) fn certificates(&self) -> Certificates {
        Certificates::new(self.run().join("certificates"))
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
