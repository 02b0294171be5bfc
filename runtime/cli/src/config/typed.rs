//! What a schema says about one value: every schema that speaks about it, and the type that substituted text takes there.

use crate::config::fields::split;
use serde_json::{Number, Value as Json};

/// Every schema that speaks about the same value as these: references and alternatives are followed.
pub(super) fn candidates<'a>(schemas: &[&'a Json], root: &'a Json) -> Vec<&'a Json> {
    let mut all: Vec<&Json> = Vec::new();
    let mut open = schemas.to_vec();
    while let Some(schema) = open.pop() {
        if all.iter().any(|seen| std::ptr::eq(*seen, schema)) {
            continue;
        }
        all.push(schema);
        open.extend(
            schema["$ref"]
                .as_str()
                .and_then(|path| root.pointer(path.strip_prefix('#')?)),
        );
        let alternatives = ["anyOf", "oneOf", "allOf"]
            .into_iter()
            .filter_map(|word| schema[word].as_array());
        open.extend(alternatives.flatten());
    }
    all
}

/// The schema of a key's value.
pub(super) fn property<'a>(schema: &'a Json, key: &str) -> Option<&'a Json> {
    schema["properties"]
        .get(key)
        .or_else(|| schema.get("additionalProperties"))
        .filter(|schema| schema.is_object())
}

/// The type that a substituted text takes: a list is split on commas.
pub(super) fn typed(text: &str, candidates: &[&Json], root: &Json) -> Json {
    let list = wants(candidates, "array");
    if list && (!wants(candidates, "string") || text.contains(',') || text.is_empty()) {
        let schemas: Vec<_> = candidates
            .iter()
            .filter_map(|schema| schema.get("items"))
            .collect();
        let items = self::candidates(&schemas, root);
        return split(text).map(|item| scalar(item, &items)).collect();
    }
    scalar(text, candidates)
}

/// One that fits nothing stays text, so that the schema tells what is wrong.
fn scalar(text: &str, candidates: &[&Json]) -> Json {
    if wants(candidates, "boolean") && matches!(text, "true" | "false") {
        return Json::Bool(text == "true");
    }
    let wants_number = wants(candidates, "number") || wants(candidates, "integer");
    if let (true, Ok(number)) = (wants_number, text.parse::<Number>()) {
        return Json::Number(number);
    }
    if text.is_empty() && wants(candidates, "null") {
        return Json::Null;
    }
    Json::String(text.to_owned())
}

fn wants(candidates: &[&Json], name: &str) -> bool {
    candidates.iter().any(|schema| allows(schema, name))
}

fn allows(schema: &Json, name: &str) -> bool {
    match &schema["type"] {
        Json::String(only) => only == name,
        Json::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    }
}
