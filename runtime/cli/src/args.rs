//! The command line.

use crate::config::address::{self, Address};
use crate::exit::Exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// Runs pipelines of plugin stages that YAML files describe.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, after_help = Exit::table(), max_term_width = 120)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run pipeline files until a signal or the end of their sources
    #[command(after_help = Exit::table())]
    Run(RunArgs),
    /// Print every mistake of pipeline files
    #[command(after_help = Exit::table())]
    Check(FilesArgs),
    /// Draw pipeline files as a graph
    Graph(GraphArgs),
    /// List the installed stages, or print the settings of one
    Stages(StagesArgs),
    /// Print a JSON Schema of pipeline files with the settings of every installed stage, for editors
    Schema,
    /// Ask running pipelines how they are
    Status(StatusArgs),
    /// Change what running pipelines log, until they end or it is changed again
    Log(LogArgs),
    /// Show messages of a running pipeline as they pass a stage, one JSON object a line
    Tap(TapArgs),
    /// Show what happened to one message: where its trace is to be seen, or the trace itself
    Trace(TraceArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Files.
#[derive(Debug, Args)]
pub(crate) struct FilesArgs {
    /// Pipeline files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
}

/// `run`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Pipeline files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Run only this flow; may be given several times
    #[arg(long = "flow", value_name = "NAME")]
    pub(crate) flows: Vec<String>,
    /// How long a stop may take until everything is delivered
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration)]
    pub(crate) drain_timeout: Duration,
    /// Address of /metrics, /livez and /readyz, or `off`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464", value_parser = parse_metrics)]
    pub(crate) metrics: Metrics,
    /// Unix socket for `status`, `log`, `tap` and reload [default: in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR or a folder of the user in /tmp]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
    /// How logs are written [default: human on a terminal, json otherwise]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// What is logged: a level, and levels of flows, stages or modules, as in `info,ws-broadcast=debug`
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
    /// Reload when a pipeline file changes
    #[arg(long)]
    pub(crate) watch: bool,
}

/// Where metrics are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Metrics {
    /// Nowhere.
    Off,
    /// There.
    At(Address),
}

impl Metrics {
    /// The address, if any.
    pub(crate) fn address(&self) -> Option<&Address> {
        match self {
            Metrics::Off => None,
            Metrics::At(address) => Some(address),
        }
    }
}

fn parse_metrics(text: &str) -> Result<Metrics, String> {
    if text == "off" {
        return Ok(Metrics::Off);
    }
    address::parse(text)
        .map(Metrics::At)
        .map_err(|wanted| format!("expected {wanted}, or `off`"))
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

/// `graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// Pipeline files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Language of the graph
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    pub(crate) format: GraphFormat,
}

/// Language of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Mermaid flowchart
    Mermaid,
    /// Graphviz DOT
    Dot,
}

/// `stages`.
#[derive(Debug, Args)]
pub(crate) struct StagesArgs {
    /// The stage to print in full
    pub(crate) name: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: StagesFormat,
}

/// How a stage is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StagesFormat {
    /// For a terminal
    Text,
    /// The settings table as Markdown, for a README
    Markdown,
}

/// `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Unix socket of one pipeline [default: every pipeline whose socket is found]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `log`.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// A level, and levels of flows, stages or modules, as in `info,ws-broadcast=debug`
    pub(crate) filter: String,
    /// Unix socket of one pipeline [default: every pipeline whose socket is found]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
}

/// `tap`.
#[derive(Debug, Args)]
pub(crate) struct TapArgs {
    /// The stage: what comes into it is shown, and of a source what it hands on
    pub(crate) stage: String,
    /// Only in this flow
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// Most messages a second from each copy of a flow; those between are counted as `skipped`
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rate: u32,
    /// End after this many messages [default: when interrupted]
    #[arg(short = 'n', long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Unix socket of the pipeline [default: the one that runs the stage]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
}

/// `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The message, as `stock_trade/2:1071`
    #[arg(value_name = "TOPIC/PARTITION:OFFSET")]
    pub(crate) position: Position,
    /// Jaeger's page, as `http://127.0.0.1:16686`: asks it and prints the spans [default: print only the link]
    #[arg(long, value_name = "URL")]
    pub(crate) jaeger: Option<Url>,
    /// The service in which the link looks for the message: a flow that writes or reads the topic
    #[arg(long, value_name = "FLOW", default_value = "consumer")]
    pub(crate) service: String,
}

/// Where a message is in Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Topic.
    pub(crate) topic: String,
    /// Partition.
    pub(crate) partition: u32,
    /// Offset.
    pub(crate) offset: u64,
}

impl FromStr for Position {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (partition, offset) = text.rsplit_once(':')?;
            let (topic, partition) = partition.rsplit_once('/')?;
            Some(Position {
                topic: Some(topic).filter(|topic| !topic.is_empty())?.to_owned(),
                partition: partition.parse().ok()?,
                offset: offset.parse().ok()?,
            })
        };
        parse().ok_or("expected `TOPIC/PARTITION:OFFSET`, as in `stock_trade/2:1071`")
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.topic, self.partition, self.offset)
    }
}
