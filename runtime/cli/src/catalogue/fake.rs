//! Stages that exist only in tests: enough of each shape that a schema takes.

use super::{Catalogue, Finding, Role, StageInfo, Unusable};
use crate::config::nearest;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// A few stages with schemas like those that schemars writes.
pub(crate) struct FakeCatalogue;

fn stage(kind: &str, role: Role, inputs: (u32, u32), schema: Value) -> StageInfo {
    StageInfo {
        kind: kind.to_owned(),
        role,
        doc: format!("The {kind} of tests."),
        min_inputs: inputs.0,
        max_inputs: inputs.1,
        replayable: role == Role::Source,
        schema,
        version: "0.1.0".to_owned(),
        path: PathBuf::from(format!("/stages/libstage_{}.so", kind.replace('-', "_"))),
    }
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "$defs": {
            "Secret": {"type": "string", "writeOnly": true},
            "Tls": {
                "type": "object",
                "properties": {"ca_file": {"type": ["string", "null"], "format": "path"}, "verify": {"type": "boolean", "default": true}},
                "additionalProperties": false
            },
            "Acks": {"oneOf": [{"const": "all", "description": "…"}, {"const": "leader", "description": "…"}, {"const": "none", "description": "…"}]}
        }
    })
}

fn stages() -> Vec<StageInfo> {
    let kafka = json!({
        "brokers": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "First brokers to ask."},
        "topic": {"type": "string", "minLength": 1, "description": "Topic."},
        "acks": {"$ref": "#/$defs/Acks", "default": "all"},
        "group": {"type": ["string", "null"]},
        "rewind": {"type": "integer", "minimum": 0, "maximum": 1000000, "default": 0},
        "password": {"anyOf": [{"$ref": "#/$defs/Secret"}, {"type": "null"}]},
        "tls": {"anyOf": [{"$ref": "#/$defs/Tls"}, {"type": "null"}]}
    });
    let post = json!({
        "url": {"type": "string", "format": "http-url"},
        "timeout": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$", "examples": ["100ms", "30s"], "default": "5s"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "token": {"anyOf": [{"$ref": "#/$defs/Secret"}, {"type": "null"}]}
    });
    let broadcast = json!({
        "listen": {"type": "string", "format": "listen-address", "default": "127.0.0.1:8080"},
        "slow_client": {"enum": ["disconnect", "skip"], "default": "disconnect"}
    });
    let socket = json!({"urls": {"type": "array", "items": {"type": "string"}}, "local_only": {"type": "boolean", "default": false}, "protocol": {"type": ["string", "null"]}});
    vec![
        stage(
            "kafka-group-source",
            Role::Source,
            (0, 0),
            object(kafka.clone(), &["brokers", "topic"]),
        ),
        stage(
            "kafka-sink",
            Role::Sink,
            (1, u32::MAX),
            object(kafka, &["brokers", "topic"]),
        ),
        stage("http-post", Role::Sink, (1, 1), object(post, &["url"])),
        stage(
            "odd-sink",
            Role::Sink,
            (1, 1),
            json!({"type": 5, "properties": {"a": 3, "b": {"$ref": "#/nowhere"}}}),
        ),
        stage(
            "ws-broadcast",
            Role::Sink,
            (0, u32::MAX),
            object(broadcast, &[]),
        ),
        stage(
            "websocket-source",
            Role::Source,
            (0, 0),
            object(socket, &["urls"]),
        ),
        stage(
            "trade-normalizer",
            Role::Filter,
            (1, 1),
            object(json!({"venue": {"type": "string"}}), &[]),
        ),
    ]
}

impl Catalogue for FakeCatalogue {
    fn stage(&self, kind: &str) -> Result<Arc<StageInfo>, Unusable> {
        if kind == "broken-sink" {
            return Err(Unusable::Broken(
                "`/stages/libstage_broken_sink.so` speaks ABI 2 (expected 1)".to_owned(),
            ));
        }
        let stages = stages();
        let names = stages.iter().map(|stage| stage.kind.as_str());
        let nearest = nearest::nearest(kind, names).map(str::to_owned);
        let found = stages
            .into_iter()
            .find(|stage| stage.kind == kind)
            .map(Arc::new);
        found.ok_or_else(|| Unusable::NotInstalled {
            kind: kind.to_owned(),
            tried: vec![PathBuf::from(format!(
                "/stages/libstage_{}.so",
                kind.replace('-', "_")
            ))],
            nearest,
        })
    }

    fn installed(&self) -> Vec<Result<Arc<StageInfo>, Unusable>> {
        stages()
            .into_iter()
            .map(|stage| Ok(Arc::new(stage)))
            .collect()
    }

    fn validate(&self, kind: &str, config: &Value) -> Result<Vec<Finding>, String> {
        let mut findings = Vec::new();
        let urls = config["urls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for (index, url) in urls
            .enumerate()
            .filter(|(_, url)| kind == "websocket-source" && !url.starts_with("ws"))
        {
            findings.push(Finding {
                pointer: format!("/urls/{index}"),
                message: format!("`{url}` is no WebSocket URL (expected `ws://` or `wss://`)"),
            });
        }
        Ok(findings)
    }
}
