//! What a cluster needs once: jars from Maven Central, formatted data folders, and a class archive.
//!
//! Each part is made beside its place and renamed, so an interrupted run leaves nothing half done, and each is kept
//! until the pom changes.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::broker::java;
use super::certificates::Certificates;
use super::layout::{Layout, NODES};
use super::settings::{Listener, PASSWORD, PORTS, SERVER, Settings, USERS};
use crate::Ports;

const POM: &str = include_str!("../../kafka/pom.xml");
const LOGGING: &str = include_str!("../../kafka/log4j2.properties");
const CLUSTER_ID: &str = "AAAAAAAAAAAAAAAAAAAAAQ";
const TRAINING_TIMEOUT: Duration = Duration::from_secs(120);

/// Makes whatever of the three is missing.
pub(super) fn install(layout: &Layout) -> io::Result<()> {
    if fs::read_to_string(layout.jars().join("pom.xml"))
        .ok()
        .as_deref()
        != Some(POM)
    {
        remove(layout.root())?;
        fs::create_dir_all(layout.root())?;
        fetch_jars(layout)?;
    }
    let recipe = format!("{SERVER}{:?}", users());
    if fs::read_to_string(layout.recipe()).ok().as_deref() != Some(&recipe) {
        remove(&layout.root().join("formatted"))?;
        fs::remove_file(layout.archive()).or_else(missing_is_fine)?;
        fs::write(layout.recipe(), recipe)?;
    }
    for node in NODES {
        if !layout.formatted(node).exists() {
            format(layout, node)?;
        }
    }
    if !layout.archive().exists() {
        archive_classes(layout)?;
    }
    Ok(())
}

/// Removes a folder that need not exist.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    fs::remove_dir_all(folder).or_else(missing_is_fine)
}

fn missing_is_fine(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

fn fetch_jars(layout: &Layout) -> io::Result<()> {
    let part = layout.root().join("jars.part");
    fs::create_dir_all(&part)?;
    fs::write(part.join("pom.xml"), POM)?;
    fs::write(part.join("log4j2.properties"), LOGGING)?;
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-q", "-Dstyle.color=never", "-f"])
        .arg(part.join("pom.xml"))
        .arg("dependency:copy-dependencies");
    maven.arg(format!("-DoutputDirectory={}", part.display()));
    succeed(&mut maven)?;
    fs::rename(part, layout.jars())
}

fn format(layout: &Layout, node: u8) -> io::Result<()> {
    let part = layout.root().join("formatted.part");
    remove(&part)?;
    fs::create_dir_all(&part)?;
    fs::create_dir_all(layout.root().join("formatted"))?;
    // Only the node's number and the cluster's id are written into the folder: any ports do.
    let properties = layout.root().join("format.properties");
    Settings {
        node,
        nodes: &NODES,
        first_port: 1,
        data: &part,
        certificates: &layout.certificates(),
    }
    .write(&properties)?;
    format_folder(layout, &properties)?;
    fs::rename(part, layout.formatted(node))
}

fn format_folder(layout: &Layout, properties: &Path) -> io::Result<()> {
    let mut tool = java(layout)?;
    tool.args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
        .arg(properties)
        .args(users());
    succeed(tool.stdout(Stdio::null()))
}

/// The passwords of the SCRAM mechanisms, which a cluster has in its metadata.
fn users() -> Vec<String> {
    let user = |name| {
        ["SCRAM-SHA-256", "SCRAM-SHA-512"]
            .map(|mechanism| format!("--add-scram={mechanism}=[name={name},password={PASSWORD}]"))
    };
    USERS.into_iter().flat_map(user).collect()
}

/// Runs a broker of its own until it serves: the classes that it loaded are kept, which halves every later start.
fn archive_classes(layout: &Layout) -> io::Result<()> {
    let folder = layout.root().join("training");
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    let ports = Ports::reserve(PORTS);
    let properties = folder.join("broker.properties");
    let certificates = Certificates::new(folder.join("certificates"));
    certificates.make()?;
    let node = 1;
    Settings {
        node,
        nodes: &[node],
        first_port: ports.first(),
        data: &folder.join("data"),
        certificates: &certificates,
    }
    .write(&properties)?;
    format_folder(layout, &properties)?;

    let part = layout.root().join("classes.part");
    let mut broker = java(layout)?;
    broker.arg(format!("-XX:ArchiveClassesAtExit={}", part.display()));
    broker.arg("kafka.Kafka").arg(&properties);
    let log = fs::File::create(folder.join("broker.log"))?;
    let mut broker = broker.stdout(log.try_clone()?).stderr(log).spawn()?;
    let port = Listener::SaslTls.port(ports.first(), node);
    let trained = train(&mut broker, port);
    broker.kill()?;
    broker.wait()?;
    trained?;
    fs::rename(part, layout.archive())?;
    remove(&folder)
}

fn train(broker: &mut Child, port: u16) -> io::Result<()> {
    let deadline = Instant::now() + TRAINING_TIMEOUT;
    let mut asked_to_stop = false;
    loop {
        if broker.try_wait()?.is_some() {
            return if asked_to_stop {
                Ok(())
            } else {
                Err(io::Error::other("the broker ended before it served"))
            };
        }
        if !asked_to_stop && TcpStream::connect(("127.0.0.1", port)).is_ok() {
            kill_process(Pid::from_child(broker), Signal::TERM)?;
            asked_to_stop = true;
        }
        if Instant::now() > deadline {
            return Err(io::Error::other(format!(
                "the broker did not start and stop within {TRAINING_TIMEOUT:?}"
            )));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let program = command.get_program().display().to_string();
    let status = command.stdin(Stdio::null()).status().map_err(|error| {
        io::Error::new(error.kind(), format!("cannot run `{program}`: {error}"))
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("`{program}` failed: {status}")))
    }
}
