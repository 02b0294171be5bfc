//! The machines of the deployment: which file each runs, with which variables, and where it listens.

use std::path::PathBuf;

/// What differs from one sandbox to another.
pub(crate) struct Deployment {
    /// Brokers, separated by commas.
    pub(crate) brokers: String,
    /// Whether they are the embedded ones.
    pub(crate) embedded: bool,
    /// WebSocket of a real exchange; the simulated one if none.
    pub(crate) feed_url: Option<String>,
    /// Topic of the trades.
    pub(crate) topic: String,
    /// Folder of the pipeline files.
    pub(crate) pipelines: PathBuf,
}

/// One machine, which is one process here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Its name on the terminal.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// Its pipeline file.
    pub(crate) file: PathBuf,
    /// Variables of the file.
    pub(crate) env: Vec<(&'static str, String)>,
    /// Address of `/metrics` and `/readyz`.
    pub(crate) metrics: String,
    /// The addresses that its file listens on.
    pub(crate) listens: Vec<String>,
    /// What a person opens or asks there.
    pub(crate) urls: Vec<String>,
    /// Machines of a lower rank are drained before those of a higher one.
    pub(crate) rank: u8,
}

/// Where the page is served.
pub(crate) const PAGE: &str = "127.0.0.1:3000";
/// Where the dashboard tells its status: `dashboard-vm.yaml` says so.
const PAGE_STATUS: &str = "127.0.0.1:8086";
/// Addresses of the consumer VMs.
pub(crate) const VMS: [&str; 3] = ["127.0.1.1", "127.0.1.2", "127.0.1.3"];

const FEED: &str = "127.0.0.1:9001";
/// Where the producer tells its status: `producer-vm.yaml` says so.
const PRODUCER: &str = "127.0.0.1:8085";

impl Deployment {
    /// The machines, in the order in which they are started from the last one: whoever listens first.
    pub(crate) fn machines(&self) -> Vec<Machine> {
        let mut machines = Vec::new();
        if self.feed_url.is_none() {
            machines.push(self.exchange());
        }
        machines.push(self.producer());
        machines.extend((0..VMS.len()).map(|index| self.vm(index)));
        machines.push(self.dashboard());
        machines
    }

    fn exchange(&self) -> Machine {
        Machine {
            name: "exchange".to_owned(),
            purpose: "simulated exchange",
            env: vec![("FEED_LISTEN", FEED.to_owned())],
            metrics: "127.0.0.1:9461".to_owned(),
            listens: vec![FEED.to_owned()],
            urls: vec![format!("ws://{FEED}/ws")],
            rank: 0,
            file: self.pipelines.join("exchange-simulator.yaml"),
        }
    }

    fn producer(&self) -> Machine {
        let feed = self
            .feed_url
            .clone()
            .unwrap_or_else(|| format!("ws://{FEED}/ws"));
        Machine {
            name: "producer".to_owned(),
            purpose: "exchange to Kafka",
            env: [self.kafka(), vec![("FEED_URL", feed)]].concat(),
            metrics: "127.0.0.1:9462".to_owned(),
            listens: vec![PRODUCER.to_owned()],
            urls: vec![format!("http://{PRODUCER}/status")],
            rank: 1,
            file: self.pipelines.join("producer-vm.yaml"),
        }
    }

    fn vm(&self, index: usize) -> Machine {
        let host = VMS[index];
        let others = VMS.iter().filter(|&&other| other != host);
        let peers: Vec<String> = others
            .map(|other| format!("ws://{other}:8080/ws"))
            .collect();
        let statuses = [8081, 8082, 8083, 8084].map(|port| format!("{host}:{port}"));
        let server = format!("{host}:8080");
        let mut urls = vec![format!("ws://{server}/ws")];
        urls.extend(
            statuses
                .iter()
                .map(|status| format!("http://{status}/status")),
        );
        Machine {
            name: format!("vm-{}", index + 1),
            purpose: "three consumers and a WebSocket server",
            env: [
                self.kafka(),
                vec![("HOST", host.to_owned()), ("PEERS", peers.join(","))],
            ]
            .concat(),
            metrics: format!("{host}:9464"),
            listens: std::iter::once(server).chain(statuses).collect(),
            urls,
            rank: 2,
            file: self.pipelines.join("consumer-vm.yaml"),
        }
    }

    fn dashboard(&self) -> Machine {
        Machine {
            name: "dashboard".to_owned(),
            purpose: "the page",
            env: vec![("DASHBOARD_LISTEN", PAGE.to_owned())],
            metrics: "127.0.0.1:9464".to_owned(),
            listens: vec![PAGE.to_owned(), PAGE_STATUS.to_owned()],
            urls: vec![format!("http://{PAGE}/")],
            rank: 3,
            file: self.pipelines.join("dashboard-vm.yaml"),
        }
    }

    fn kafka(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("KAFKA_BROKERS", self.brokers.clone()),
            ("TRADES_TOPIC", self.topic.clone()),
        ];
        if self.embedded {
            // The mock brokers do not wake a fetch that waits when messages come.
            env.push(("KAFKA_FETCH_WAIT_MS", "10".to_owned()));
        }
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn deployment(feed_url: Option<&str>) -> Deployment {
        Deployment {
            brokers: "k:9092".to_owned(),
            embedded: false,
            feed_url: feed_url.map(str::to_owned),
            topic: "stock_trade".to_owned(),
            pipelines: "pipelines".into(),
        }
    }

    fn variable<'a>(machine: &'a Machine, name: &str) -> &'a str {
        &machine.env.iter().find(|(key, _)| *key == name).unwrap().1
    }

    #[test]
    fn no_two_machines_listen_on_the_same_address() {
        let machines = deployment(None).machines();
        let addresses: Vec<&String> = machines
            .iter()
            .flat_map(|machine| machine.listens.iter().chain([&machine.metrics]))
            .collect();
        assert_eq!(
            addresses.iter().collect::<BTreeSet<_>>().len(),
            addresses.len(),
            "{addresses:?}"
        );
    }

    #[test]
    fn prometheus_scrapes_each_machine() {
        let targets = include_str!("../../../observability/prometheus/targets/pipeline.yaml");
        let scraped: BTreeSet<&str> = targets
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- "))
            .filter(|word| word.starts_with("127."))
            .collect();
        let machines = deployment(None).machines();
        let served = machines.iter().map(|machine| machine.metrics.as_str());
        assert_eq!(scraped, served.collect());
    }

    #[test]
    fn each_vm_has_the_other_two_as_peers() {
        let machines = deployment(None).machines();
        let vm = machines
            .iter()
            .find(|machine| machine.name == "vm-2")
            .unwrap();
        assert_eq!(variable(vm, "HOST"), "127.0.1.2");
        assert_eq!(
            variable(vm, "PEERS"),
            "ws://127.0.1.1:8080/ws,ws://127.0.1.3:8080/ws"
        );
        assert_eq!(
            vm.listens,
            [
                "127.0.1.2:8080",
                "127.0.1.2:8081",
                "127.0.1.2:8082",
                "127.0.1.2:8083",
                "127.0.1.2:8084"
            ]
        );
    }

    #[test]
    fn a_real_exchange_takes_the_place_of_the_simulated_one() {
        let machines = deployment(Some("wss://exchange.example/ws")).machines();
        assert_eq!(machines[0].name, "producer");
        assert_eq!(
            variable(&machines[0], "FEED_URL"),
            "wss://exchange.example/ws"
        );
    }
}
