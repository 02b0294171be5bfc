//! Real Prometheus and its node exporter, with the repository's configuration and a test's own targets.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::{Ports, eventually, http, repository};

const START: Duration = Duration::from_secs(60);

/// A Prometheus that forgets everything when this is dropped.
pub struct Prometheus {
    daemon: Daemon,
    ports: Ports,
}

impl Prometheus {
    /// Starts one that scrapes `targets`: the addresses by the names of the target files.
    pub async fn start(targets: &[(&str, Vec<String>)]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let ours = repository().join("observability/prometheus");
        let file = folder.path().join("prometheus.yml");
        fs::copy(ours.join("prometheus.yml"), &file).expect("configuration");
        copy(&ours.join("rules"), &folder.path().join("rules"));
        fs::create_dir(folder.path().join("targets")).expect("folder of targets");
        for (name, addresses) in targets {
            // JSON is YAML.
            let text = json!([{ "targets": addresses }]).to_string();
            fs::write(folder.path().join(format!("targets/{name}.yaml")), text).expect("targets");
        }
        let ports = Ports::one();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={}", ports.addr(0)))
            .arg("--enable-feature=exemplar-storage");
        let mut prometheus = Self {
            daemon: Daemon::start(command, folder),
            ports,
        };
        prometheus.ready().await;
        prometheus
    }

    /// The series that `expression` has now.
    pub async fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let data = self.get("query", &[("query", expression)]).await?;
        match data["result"].as_array() {
            Some(series) => Ok(series.clone()),
            None => Err(format!("no series in {data}")),
        }
    }

    /// The data that the API has under `path`, such as `rules`.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let parameters: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let url = format!(
            "http://{}/api/v1/{path}?{}",
            self.ports.addr(0),
            parameters.join("&")
        );
        let (_, text) = http::get(&url).await?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].take()),
            _ => Err(text),
        }
    }

    async fn ready(&mut self) {
        eventually(START, "a ready Prometheus", async || {
            self.daemon.runs()?;
            let url = format!("http://{}/-/ready", self.ports.addr(0));
            match http::get(&url).await? {
                (http::StatusCode::OK, _) => Ok(()),
                (status, text) => Err(format!("{status}: {text}")),
            }
        })
        .await;
    }
}

/// A node exporter of this machine.
pub struct NodeExporter {
    _daemon: Daemon,
    ports: Ports,
}

impl NodeExporter {
    /// Starts one.
    pub fn start() -> Self {
        let ports = Ports::one();
        let mut command = Command::new("prometheus-node-exporter");
        command.arg(format!("--web.listen-address={}", ports.addr(0)));
        let folder = tempfile::tempdir().expect("temporary folder");
        Self {
            _daemon: Daemon::start(command, folder),
            ports,
        }
    }

    /// What Prometheus scrapes.
    pub fn address(&self) -> String {
        self.ports.addr(0).to_string()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("folder of rules");
    for entry in fs::read_dir(from).expect("rules") {
        let entry = entry.expect("entry of a folder");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copy of rules");
    }
}
