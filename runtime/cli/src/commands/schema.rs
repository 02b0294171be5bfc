//! `pipeline schema`: a JSON Schema of whole pipeline files, so that editors complete and check them.

use crate::catalogue::{Catalogue, StageInfo};
use crate::exit::Exit;
use crate::output::say;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

/// Prints the schema.
pub(crate) fn schema(catalogue: &dyn Catalogue) -> Exit {
    let stages = sound(catalogue);
    let text =
        serde_json::to_string_pretty(&whole(stages.iter().map(AsRef::as_ref))).unwrap_or_default();
    say(&(text + "\n"))
}

/// The stages whose schema is one: a broken one would make the whole useless.
fn sound(catalogue: &dyn Catalogue) -> Vec<Arc<StageInfo>> {
    let installed = catalogue.installed().into_iter().flatten();
    installed
        .filter(|info| jsonschema::validator_for(&info.schema).is_ok())
        .collect()
}

fn whole<'a>(stages: impl Iterator<Item = &'a StageInfo>) -> Json {
    let mut definitions = Map::new();
    let (mut names, mut rules) = (Vec::new(), Vec::new());
    for info in stages {
        names.push(Json::from(info.kind.as_str()));
        rules.push(json!({
            "if": {"properties": {"use": {"const": info.kind}}, "required": ["use"]},
            "then": {"properties": {"with": {"$ref": format!("#/$defs/with.{}", info.kind)}}}
        }));
        definitions.insert(
            format!("with.{}", info.kind),
            embed(&info.schema, &info.kind),
        );
    }
    definitions.insert("stage".to_owned(), stage(names, rules));
    definitions.insert(
        "stages".to_owned(),
        json!({"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/stage"}}),
    );
    definitions.insert(
        "variable".to_owned(),
        json!({"type": "string", "pattern": "\\$\\{"}),
    );
    definitions.insert("flow".to_owned(), flow());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pipeline file",
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{"required": ["flows"]}, {"required": ["stages"]}],
        "properties": {
            "flows": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/flow"}, "description": "Named chains of stages."},
            "stages": {"$ref": "#/$defs/stages", "description": "The only chain of the file."},
            "telemetry": telemetry()
        },
        "$defs": definitions
    })
}

fn telemetry() -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "description": "Traces; the OTEL_* variables override.",
        "properties": {
            "endpoint": {"type": ["string", "null"], "description": "URL of an OTLP/HTTP receiver."},
            "ratio": or_variable(json!({"type": "number", "minimum": 0, "maximum": 1, "description": "Share of messages that are traced."})),
            "at_least_per_second": or_variable(json!({"type": "number", "minimum": 0, "description": "Messages traced each second whatever the ratio."}))
        }
    })
}

fn flow() -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["stages"],
        "properties": {
            "instances": or_variable(json!({"type": "integer", "minimum": 1, "default": 1, "description": "Copies of the chain."})),
            "status": {"type": ["string", "null"], "description": "Address of the first copy's status server; copy i answers on port + i."},
            "stages": {"$ref": "#/$defs/stages"}
        }
    })
}

fn stage(names: Vec<Json>, rules: Vec<Json>) -> Json {
    let name = json!({"type": "string", "minLength": 1});
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["use"],
        "properties": {
            "use": {"enum": names, "description": "The plugin."},
            "with": {"description": "The plugin's own settings."},
            "name": {"type": "string", "description": "Name in this flow; the plugin's name if not given."},
            "from": {"anyOf": [name, {"type": "array", "items": name}], "description": "Stages that feed it; the stage above if not given."},
            "buffer": {
                "type": "object", "additionalProperties": false, "description": "The edge into this stage.",
                "properties": {"messages": or_variable(json!({"type": "integer", "minimum": 1, "default": 4096})), "bytes": {"type": ["string", "integer"], "default": "16MiB"}}
            },
            "retry": {
                "type": "object", "additionalProperties": false, "description": "How a sink waits between tries.",
                "properties": {"initial": {"type": "string", "default": "100ms"}, "max": {"type": "string", "default": "30s"}}
            },
            "on_reject": {
                "description": "What becomes of a message that can never be delivered.", "default": "drop",
                "anyOf": [{"enum": ["drop", "stop"]}, {"type": "object", "additionalProperties": false, "required": ["to"], "properties": {"to": name}}]
            },
            "restart": {"enum": ["always", "never"], "default": "always", "description": "What becomes of a stage that failed."}
        },
        "allOf": rules
    })
}

fn or_variable(schema: Json) -> Json {
    json!({"anyOf": [schema, {"$ref": "#/$defs/variable"}]})
}

/// A stage's schema below `$defs`: its references are moved along, and every value may be a variable.
fn embed(schema: &Json, kind: &str) -> Json {
    match schema {
        Json::Object(map) => {
            let moved = map
                .iter()
                .filter(|(key, _)| *key != "$schema")
                .map(|(key, value)| {
                    let value = match (key.as_str(), value) {
                        ("$ref", Json::String(path)) => {
                            Json::String(path.replacen('#', &format!("#/$defs/with.{kind}"), 1))
                        }
                        ("default" | "enum" | "const" | "examples", value) => value.clone(),
                        ("properties", Json::Object(properties)) => properties
                            .iter()
                            .map(|(key, value)| (key.clone(), variable_or(embed(value, kind))))
                            .collect(),
                        _ => embed(value, kind),
                    };
                    (key.clone(), value)
                });
            Json::Object(moved.collect())
        }
        Json::Array(items) => items.iter().map(|item| embed(item, kind)).collect(),
        other => other.clone(),
    }
}

/// Text is text with or without a variable; everything else may be given as one.
fn variable_or(schema: Json) -> Json {
    let constrained = ["pattern", "format", "enum", "minLength"]
        .iter()
        .any(|word| schema.get(word).is_some());
    if schema["type"] == "string" && !constrained {
        return schema;
    }
    match schema.get("description").cloned() {
        Some(doc) => json!({"description": doc, "anyOf": [schema, {"$ref": "#/$defs/variable"}]}),
        None => or_variable(schema),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::fake::FakeCatalogue;

    fn accepts(file: &Json) -> bool {
        let stages = sound(&FakeCatalogue);
        let schema = whole(stages.iter().map(AsRef::as_ref));
        jsonschema::validator_for(&schema).unwrap().is_valid(file)
    }

    #[test]
    fn a_file_is_checked_with_the_settings_of_its_stages() {
        let file = |with: Json| json!({"stages": [{"use": "kafka-group-source", "with": with}, {"use": "ws-broadcast"}]});
        assert!(accepts(&file(
            json!({"brokers": ["a"], "topic": "t", "tls": {"verify": true}})
        )));
        assert!(accepts(&file(
            json!({"brokers": "${BROKERS}", "topic": "t", "rewind": "${N:-1}", "tls": {"verify": "${V}"}})
        )));
        assert!(!accepts(&file(
            json!({"brokers": ["a"], "topic": "t", "rewind": "many"})
        )));
        assert!(!accepts(&file(json!({"brokers": ["a"], "topik": "t"}))));
    }

    #[test]
    fn unknown_stages_and_keys_are_refused() {
        assert!(!accepts(&json!({"stages": [{"use": "kafak-sink"}]})));
        assert!(!accepts(
            &json!({"stages": [{"use": "ws-broadcast"}], "flow": {}})
        ));
        assert!(!accepts(&json!({})));
    }
}
