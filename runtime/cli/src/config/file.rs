//! Reads a file's own keys and its flows.

use crate::config::address;
use crate::config::fields::{Fields, Located};
use crate::config::model::{Flow, Pipeline, Telemetry};
use crate::config::node::{Key, Node, Value};
use crate::config::problem::Problem;
use crate::config::source::Span;
use crate::config::{Reading, stage, wiring};
use std::path::Path;

const FILE_KEYS: &[&str] = &["flows", "stages", "telemetry"];
const FLOW_KEYS: &[&str] = &["instances", "status", "stages"];
const TELEMETRY_KEYS: &[&str] = &["endpoint", "ratio", "at_least_per_second"];
/// Most copies of one flow.
const MAX_INSTANCES: u32 = 256;
/// Most flows of one file.
const MAX_FLOWS: usize = 64;
/// Most stages of one flow.
const MAX_STAGES: usize = 256;

/// Reads the whole file.
pub(crate) fn read(root: &Node, reading: &mut Reading<'_>) -> Pipeline {
    let fields = Fields::of(root, "file", FILE_KEYS, None, &mut reading.problems);
    let (flows, stages, telemetry) = (
        fields.node("flows"),
        fields.node("stages"),
        fields.node("telemetry"),
    );
    let stages_key = fields.key_span("stages");
    match (flows, stages) {
        (Some(_), Some(_)) => reading.tell(Problem::new(
            stages_key.unwrap_or(root.span),
            "`stages` beside `flows` (expected one of them)",
        )),
        (None, None) => reading.tell(Problem::new(
            root.span,
            "no flow (expected `flows` or `stages`)",
        )),
        _ => {}
    }
    let flows = match (flows, stages) {
        (Some(flows), _) => read_flows(flows, reading),
        (None, Some(stages)) => vec![only_flow(
            stages,
            stages_key.unwrap_or(stages.span),
            reading,
        )],
        (None, None) => Vec::new(),
    };
    Pipeline {
        file: reading.file.clone(),
        flows,
        telemetry: telemetry
            .map(|node| read_telemetry(node, reading))
            .unwrap_or_default(),
    }
}

fn read_flows(node: &Node, reading: &mut Reading<'_>) -> Vec<Flow> {
    let words = match &node.value {
        Value::Map(flows) if flows.len() > MAX_FLOWS => {
            format!("{} flows (expected at most {MAX_FLOWS})", flows.len())
        }
        Value::Map(flows) if !flows.is_empty() => {
            return flows
                .iter()
                .map(|(key, flow)| read_flow(key, flow, reading))
                .collect();
        }
        _ => format!(
            "`flows` is {} (expected a mapping of names to flows)",
            node.kind()
        ),
    };
    reading.tell(Problem::new(node.span, words));
    Vec::new()
}

/// The flow of a file that has only `stages`: it is called like the file.
fn only_flow(stages: &Node, span: Span, reading: &mut Reading<'_>) -> Flow {
    let stem = Path::new(&reading.file.name).file_stem();
    let name = stem.map_or_else(
        || "main".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    Flow {
        stages: read_stages(Some(stages), &name, span, reading),
        name,
        span,
        instances: Located::new(1, span),
        status: None,
    }
}

fn read_flow(key: &Key, node: &Node, reading: &mut Reading<'_>) -> Flow {
    let subject = Some(format!("flow `{}`", key.text));
    if !is_name(&key.text) {
        let words = format!(
            "name `{}` of a flow (expected letters, digits, `-`, `_`, `.`)",
            key.text
        );
        reading.tell(Problem::new(key.span, words));
    }
    let mut fields = Fields::of(node, "flow", FLOW_KEYS, subject, &mut reading.problems);
    let instances = read_instances(&mut fields).unwrap_or(Located::new(1, key.span));
    let status =
        fields
            .optional_text("status")
            .and_then(|text| match address::parse(&text.value) {
                Ok(address) => Some(Located::new(address, text.span)),
                Err(wanted) => {
                    let words = format!("`status` is `{}` (expected {wanted})", text.value);
                    fields.tell(Problem::new(text.span, words));
                    None
                }
            });
    if let Some(last) = status
        .as_ref()
        .filter(|status| status.value.offset(instances.value - 1).is_none())
    {
        let words = format!(
            "`status` on port {} leaves no port for {} instances",
            last.value.port, instances.value
        );
        fields.tell(Problem::new(last.span, words));
    }
    let stages = fields.node("stages");
    Flow {
        name: key.text.clone(),
        span: key.span,
        stages: read_stages(stages, &key.text, key.span, reading),
        instances,
        status,
    }
}

fn read_instances(fields: &mut Fields<'_, '_>) -> Option<Located<u32>> {
    let node = fields.node("instances")?;
    let instances = fields.integer("instances", 1)?;
    if instances > MAX_INSTANCES {
        return fields.wrong("instances", node, &format!("at most {MAX_INSTANCES}"));
    }
    Some(Located::new(instances, node.span))
}

fn read_stages(
    node: Option<&Node>,
    flow: &str,
    flow_span: Span,
    reading: &mut Reading<'_>,
) -> Vec<stage::Stage> {
    const WANTED: &str = "expected a list of stages";
    let words = match node.map(|node| &node.value) {
        None => format!("missing key `stages` ({WANTED})"),
        Some(Value::Null) => format!("no stage ({WANTED})"),
        Some(Value::List(items)) if items.is_empty() => format!("no stage ({WANTED})"),
        Some(Value::List(items)) if items.len() > MAX_STAGES => {
            format!("{} stages (expected at most {MAX_STAGES})", items.len())
        }
        Some(Value::List(items)) => return read_list(items, reading),
        Some(_) => format!(
            "`stages` is {} ({WANTED})",
            node.map_or("nothing", Node::kind)
        ),
    };
    let span = node.map_or(flow_span, |node| node.span);
    reading.tell(Problem::new(span, words).of_flow(flow));
    Vec::new()
}

fn read_list(items: &[Node], reading: &mut Reading<'_>) -> Vec<stage::Stage> {
    let mut stages: Vec<_> = items
        .iter()
        .filter_map(|item| stage::read(item, reading))
        .collect();
    let complete = stages.len() == items.len();
    wiring::wire(&mut stages, complete, &mut reading.problems);
    stages
}

fn read_telemetry(node: &Node, reading: &mut Reading<'_>) -> Telemetry {
    let subject = Some("telemetry".to_owned());
    let mut fields = Fields::of(
        node,
        "`telemetry`",
        TELEMETRY_KEYS,
        subject,
        &mut reading.problems,
    );
    let endpoint = fields.optional_text("endpoint");
    if let Some(endpoint) = endpoint
        .as_ref()
        .filter(|endpoint| !is_http(&endpoint.value))
    {
        let words = format!(
            "`endpoint` is `{}` (expected a URL such as `http://127.0.0.1:4318`)",
            endpoint.value
        );
        fields.tell(Problem::new(endpoint.span, words));
    }
    Telemetry {
        endpoint: endpoint.map(|endpoint| endpoint.value),
        ratio: fields.number("ratio", 0.0..=1.0),
        at_least_per_second: fields.number("at_least_per_second", 0.0..=1e6),
    }
}

fn is_http(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// Whether a text can name a flow or a stage: it becomes a label, a path and a part of URLs.
pub(crate) fn is_name(text: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !text.is_empty()
        && text.len() <= 64
        && text.chars().all(letters)
        && !text.starts_with(['.', '-'])
}
