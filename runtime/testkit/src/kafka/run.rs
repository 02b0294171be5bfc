//! Starting and stopping the cluster of a test run.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use super::broker::Broker;
use super::cluster::KafkaCluster;
use super::install::{install, remove};
use super::layout::{Layout, NODES, State};
use super::settings::{Listener, PORTS, Settings};
use crate::ports::{BROKERS, Ports};

const UP_TIMEOUT: Duration = Duration::from_secs(120);

/// Installs what is missing, starts three brokers on fresh data, and returns the bootstrap addresses once all serve.
///
/// A cluster that an earlier run left behind in the same folder is stopped first.
pub async fn up(layout: &Layout) -> io::Result<String> {
    down(layout)?;
    install(layout)?;
    let (cluster, _ports) = start(layout, BROKERS).await?;
    Ok(cluster.brokers())
}

/// Starts three brokers on fresh data and waits until they serve.
pub(super) async fn start(layout: &Layout, ports: Range<u16>) -> io::Result<(KafkaCluster, Ports)> {
    let ports = prepare(layout, ports)?;
    for node in NODES {
        Broker { layout, node }.start()?;
    }
    let cluster = KafkaCluster::open(layout.clone())?;
    cluster.wait_in_sync(UP_TIMEOUT).await;
    Ok((cluster, ports))
}

/// Stops every broker; the logs stay in the folder, the data goes with the next run.
pub fn down(layout: &Layout) -> io::Result<()> {
    for other in layout.others()? {
        stop(&other)?;
        remove(other.home())?;
    }
    stop(layout)
}

/// Stops the brokers of one cluster.
pub(super) fn stop(layout: &Layout) -> io::Result<()> {
    // Controllers vote: asked one after another, the last would wait for a majority that is gone. Tests are over.
    NODES
        .into_iter()
        .try_for_each(|node| Broker { layout, node }.kill())
}

fn prepare(layout: &Layout, ports: Range<u16>) -> io::Result<Ports> {
    remove(&layout.run())?;
    fs::create_dir_all(layout.run())?;
    let certificates = layout.certificates();
    certificates.make()?;
    let ports = Ports::reserve_in(ports, PORTS);
    for node in NODES {
        let data = layout.data(node);
        copy(&layout.formatted(node), &data)?;
        Settings {
            node,
            nodes: &NODES,
            first_port: ports.first(),
            data: &data,
            certificates: &certificates,
        }
        .write(&layout.properties(node))?;
    }
    let brokers = NODES.map(|node| Listener::Plain.address(ports.first(), node));
    layout.write_state(&State {
        brokers: brokers.into(),
    })?;
    Ok(ports)
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
