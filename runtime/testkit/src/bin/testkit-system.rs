//! The whole system for tests that drive a browser: exchange, producer, three consumer VMs and the dashboard on addresses
//! of their own, over the Kafka cluster of the test run.
//!
//! The first line that it writes says where everything is. Then it does what it is told, one line a command, and answers
//! each with one line of JSON: `null`, a value, or `{"error":…}`. Everything ends with standard input.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::{BufRead, Write, stdin, stdout};

use clap::Parser;
use pipeline_testkit::kafka::{self, Exclusive};
use pipeline_testkit::{Deployment, Pipeline, Running};
use serde_json::{Value, json};

/// Number of consumer VMs.
const VMS: u8 = 3;

/// The whole system on this machine, told by lines on standard input what to do to itself: `kill NAME`, `start NAME`,
/// `freeze NAME`, `thaw NAME`, `pid NAME`, `log NAME`; `kill-broker N`, `start-broker N`; `ends`, `committed`, `partitions VM`.
/// `vm3/consumer` is one flow of a machine, as a process of its own
#[derive(Parser)]
struct Arguments {
    /// Trades a second
    #[arg(long, default_value_t = 50)]
    rate: u32,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let kafka = kafka::cluster().exclusive();
    let deployment = Deployment::new(&kafka, VMS).await;
    let mut system = System {
        kafka,
        deployment,
        rate: arguments.rate,
        running: BTreeMap::new(),
    };
    for name in ["dashboard", "vm1", "vm2", "vm3", "producer", "exchange"] {
        system.start(name);
    }
    say(&system.places());
    for line in stdin().lock().lines().map_while(Result::ok) {
        let answer = system.obey(&line).await;
        say(&answer.unwrap_or_else(|error| json!({ "error": error })));
    }
}

fn say(line: &Value) {
    println!("{line}");
    let _ = stdout().flush();
}

struct System<'a> {
    kafka: Exclusive<'a>,
    deployment: Deployment,
    rate: u32,
    running: BTreeMap<String, Running>,
}

impl System<'_> {
    fn places(&self) -> Value {
        json!({
            "page": format!("http://{}/", self.deployment.page()),
            "topic": self.deployment.topic(),
            "group": self.deployment.group(),
            "brokers": self.kafka.brokers(),
            "sockets": (1..=VMS).map(|vm| self.deployment.socket(vm)).collect::<Vec<_>>(),
        })
    }

    async fn obey(&mut self, line: &str) -> Result<Value, String> {
        let (command, name) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "start" => self.start(name),
            "kill" => self.one(name)?.kill9(),
            "freeze" => self.one(name)?.freeze(),
            "thaw" => self.one(name)?.thaw(),
            "pid" => return Ok(json!(self.one(name)?.pid())),
            "log" => return Ok(json!(self.one(name)?.stderr())),
            "kill-broker" => self.kafka.kill(number(name)?),
            "start-broker" => self.kafka.start(number(name)?).await,
            "ends" => return Ok(json!(self.kafka.end_offsets(self.deployment.topic()))),
            "committed" => return Ok(json!(self.committed())),
            "partitions" => return Ok(json!(self.deployment.partitions(number(name)?).await?)),
            other => return Err(format!("unknown command `{other}`")),
        }
        Ok(Value::Null)
    }

    fn start(&mut self, name: &str) {
        self.running
            .insert(name.to_owned(), self.machine(name).spawn());
    }

    fn machine(&self, name: &str) -> Pipeline {
        match name {
            "exchange" => self.deployment.exchange(self.rate),
            "producer" => self.deployment.producer(&self.deployment.feed_url()),
            "dashboard" => self.deployment.dashboard(),
            vm => match vm.split_once('/') {
                Some((vm, flow)) => self.vm(vm).flow(flow),
                None => self.vm(vm),
            },
        }
    }

    fn vm(&self, name: &str) -> Pipeline {
        let number = number(name.trim_start_matches("vm"));
        self.deployment
            .consumer(number.expect("the name of a machine"))
    }

    fn one(&mut self, name: &str) -> Result<&mut Running, String> {
        self.running
            .get_mut(name)
            .ok_or_else(|| format!("no machine `{name}`"))
    }

    fn committed(&self) -> Vec<Option<i64>> {
        self.kafka
            .committed(self.deployment.group(), self.deployment.topic())
    }
}

fn number(text: &str) -> Result<u8, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no number of a machine"))
}
