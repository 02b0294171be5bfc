//! Starting and stopping the cluster of a test run.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::broker::Broker;
use super::cluster::KafkaCluster;
use super::install::{Settings, install, remove, voters};
use super::layout::{Layout, NODES, State};
use crate::ports::{BROKERS, Ports};

const UP_TIMEOUT: Duration = Duration::from_secs(120);

/// Installs what is missing, starts three brokers on fresh data, and returns the bootstrap addresses once all serve.
///
/// A cluster that an earlier run left behind in the same folder is stopped first.
pub async fn up(layout: &Layout) -> io::Result<String> {
    down(layout)?;
    install(layout)?;
    prepare(layout)?;
    for node in NODES {
        Broker { layout, node }.start()?;
    }
    let cluster = KafkaCluster::open(layout.clone())?;
    cluster.wait_in_sync(UP_TIMEOUT).await;
    Ok(cluster.brokers())
}

/// Stops every broker; the logs stay in the folder, the data goes with the next run.
pub fn down(layout: &Layout) -> io::Result<()> {
    // Controllers vote: asked one after another, the last would wait for a majority that is gone. Tests are over.
    NODES
        .into_iter()
        .try_for_each(|node| Broker { layout, node }.kill())
}

fn prepare(layout: &Layout) -> io::Result<()> {
    remove(&layout.run())?;
    fs::create_dir_all(layout.run())?;
    let ports = Ports::reserve_in(BROKERS, 2 * NODES.len() as u16);
    let voters = voters(ports.first() + 3);
    let mut brokers = Vec::new();
    for (port, node) in (ports.first()..).zip(NODES) {
        copy(&layout.formatted(node), &layout.data(node))?;
        let data = layout.data(node);
        Settings {
            node,
            voters: &voters,
            port,
            controller: port + 3,
            data: &data,
        }
        .write(&layout.properties(node))?;
        brokers.push(format!("127.0.0.1:{port}"));
    }
    layout.write_state(&State { brokers })
}

/// Copies a folder of plain files, which is what formatting leaves.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Returns the bootstrap addresses of the cluster that `up` started last.
pub fn brokers(layout: &Layout) -> io::Result<String> {
    Ok(layout.read_state()?.brokers.join(","))
}
