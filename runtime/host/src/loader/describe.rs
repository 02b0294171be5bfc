//! What a plugin says about its stages.

use pipeline_abi::{PL_OK, PlPlugin, PlStr};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest description that is read, bytes.
const DESCRIPTION_MAX: usize = 16 << 20;

/// What a stage does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Makes them.
    Source,
    /// Changes or drops them, on its neighbour's thread.
    Filter,
    /// Delivers them.
    Sink,
}

/// One kind of stage that a plugin has.
#[derive(Clone, Debug, PartialEq)]
pub struct StageKind {
    /// The word of `use:`.
    pub kind: String,
    /// What it does with messages.
    pub role: Role,
    /// What it is, for people.
    pub doc: String,
    /// Fewest inputs.
    pub min_inputs: u32,
    /// Most inputs.
    pub max_inputs: u32,
    /// Whether a source delivers again what was not done.
    pub replayable: bool,
    /// JSON Schema of its settings.
    pub schema: Value,
}

/// A whole description.
pub(super) struct Description {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) stages: Vec<StageKind>,
}

#[derive(Deserialize)]
struct RawDescription {
    name: String,
    version: String,
    stages: Vec<RawStage>,
}

#[derive(Deserialize)]
struct RawStage {
    kind: String,
    role: Role,
    doc: String,
    inputs: RawInputs,
    #[serde(default)]
    replayable: bool,
    config_schema: Value,
}

#[derive(Deserialize)]
struct RawInputs {
    min: u32,
    /// Null: as many as there are.
    max: Option<u32>,
}

/// Asks a plugin and checks its answer.
pub(super) fn describe(plugin: &PlPlugin) -> Result<Description, String> {
    let mut text = PlStr::EMPTY;
    // SAFETY: a checked function; `text` is ours.
    let status = unsafe { (plugin.describe)(&raw mut text) };
    if status != PL_OK {
        return Err(format!("`describe` failed with status {status}"));
    }
    if text.ptr.is_null() || text.len == 0 || text.len > DESCRIPTION_MAX {
        return Err(format!(
            "a description of {} bytes, expected 1 to {DESCRIPTION_MAX}",
            text.len
        ));
    }
    // SAFETY: text that lives as long as the plugin.
    parse(unsafe { text.bytes() })
}

fn parse(json: &[u8]) -> Result<Description, String> {
    let raw: RawDescription = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if raw.stages.is_empty() {
        return Err("it has no stages".to_owned());
    }
    let mut stages: Vec<StageKind> = Vec::new();
    for stage in raw.stages {
        let stage = check(stage)?;
        if stages.iter().any(|other| other.kind == stage.kind) {
            return Err(format!("stage `{}` comes twice", stage.kind));
        }
        stages.push(stage);
    }
    Ok(Description {
        name: raw.name,
        version: raw.version,
        stages,
    })
}

fn check(raw: RawStage) -> Result<StageKind, String> {
    let RawStage {
        kind,
        role,
        doc,
        inputs,
        replayable,
        config_schema: schema,
    } = raw;
    if !is_kind_name(&kind) {
        return Err(format!(
            "`{kind}` is not a stage kind (expected lowercase words joined by `-`)"
        ));
    }
    if !schema.is_object() {
        return Err(format!("stage `{kind}`: `config_schema` is not an object"));
    }
    let max_inputs = inputs.max.unwrap_or(u32::MAX);
    if inputs.min > max_inputs {
        return Err(format!(
            "stage `{kind}`: at least {} inputs and at most {max_inputs}",
            inputs.min
        ));
    }
    if role == Role::Source && max_inputs > 0 {
        return Err(format!("stage `{kind}`: a source with inputs"));
    }
    if role != Role::Source && max_inputs == 0 {
        return Err(format!(
            "stage `{kind}`: a stage that is no source, without inputs"
        ));
    }
    Ok(StageKind {
        kind,
        role,
        doc,
        min_inputs: inputs.min,
        max_inputs,
        replayable,
        schema,
    })
}

/// Lowercase words of letters and digits, joined by `-`.
pub(super) fn is_kind_name(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stage() -> Value {
        json!({"kind": "kafka-sink", "role": "sink", "doc": "", "inputs": {"min": 1, "max": null},
            "replayable": false, "config_schema": {}})
    }

    fn parse_stages(stages: Value) -> Result<Description, String> {
        parse(
            json!({"name": "n", "version": "1", "stages": stages})
                .to_string()
                .as_bytes(),
        )
    }

    #[test]
    fn complete_description_is_read() {
        let description = parse_stages(json!([stage()])).unwrap();
        assert_eq!(description.stages[0].max_inputs, u32::MAX);
        assert_eq!(description.stages[0].role, Role::Sink);
    }

    #[test]
    fn each_defect_is_named() {
        let broken = |field: &str, value: Value| {
            let mut stage = stage();
            stage[field] = value;
            parse_stages(json!([stage])).err().unwrap()
        };
        assert!(broken("kind", json!("Kafka Sink")).contains("`Kafka Sink` is not a stage kind"));
        assert!(broken("role", json!("tap")).contains("unknown variant `tap`"));
        assert!(broken("config_schema", json!(true)).contains("`config_schema` is not an object"));
        assert!(
            broken("inputs", json!({"min": 2, "max": 1}))
                .contains("at least 2 inputs and at most 1")
        );
        assert!(broken("role", json!("source")).contains("a source with inputs"));
        assert!(
            parse_stages(json!([stage(), stage()]))
                .err()
                .unwrap()
                .contains("comes twice")
        );
        assert!(parse_stages(json!([])).err().unwrap().contains("no stages"));
        assert!(parse(b"{").err().unwrap().contains("EOF"));
    }
}
