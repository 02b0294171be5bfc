//! A stage's settings as rows of a table, read from its JSON Schema.

use crate::config::formats;
use serde_json::Value as Json;

/// Nested mappings that are unfolded.
const MAX_DEPTH: usize = 4;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Dotted path, as `tls.ca_file`.
    pub(crate) key: String,
    /// What it takes.
    pub(crate) kind: String,
    /// Its default as JSON, `required`, or nothing.
    pub(crate) default: String,
    /// What it means.
    pub(crate) doc: String,
}

/// The settings of a schema, mappings unfolded.
pub(crate) fn settings(root: &Json) -> Vec<Setting> {
    let mut rows = Vec::new();
    collect(root, root, "", 0, &mut rows);
    rows
}

fn collect(schema: &Json, root: &Json, prefix: &str, depth: usize, rows: &mut Vec<Setting>) {
    let Some(properties) = schema["properties"]
        .as_object()
        .filter(|_| depth < MAX_DEPTH)
    else {
        return;
    };
    let is_required = |key: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|keys| keys.iter().any(|required| required == key))
    };
    let (required, optional): (Vec<_>, Vec<_>) =
        properties.iter().partition(|(key, _)| is_required(key));
    for (key, property) in required.into_iter().chain(optional) {
        let target = resolve(property, root);
        let path = format!("{prefix}{key}");
        rows.push(Setting {
            kind: kind(target, root),
            default: default(property, target, is_required(key)),
            doc: doc(property, target),
            key: path.clone(),
        });
        collect(target, root, &format!("{path}."), depth + 1, rows);
    }
}

/// The schema behind `$ref` and `anyOf [X, null]`.
fn resolve<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    let mut schema = schema;
    for _ in 0..8 {
        let target = match (schema["$ref"].as_str(), some_of(schema)) {
            (Some(path), _) => path.strip_prefix('#').and_then(|path| root.pointer(path)),
            (None, Some(only)) => Some(only),
            (None, None) => None,
        };
        match target {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// The one alternative that is not null.
fn some_of(schema: &Json) -> Option<&Json> {
    let mut options = schema["anyOf"]
        .as_array()?
        .iter()
        .filter(|option| option["type"] != "null");
    options.next().filter(|_| options.next().is_none())
}

fn kind(schema: &Json, root: &Json) -> String {
    if schema["writeOnly"] == Json::Bool(true) {
        return "secret text".to_owned();
    }
    let names = alternatives(schema);
    if !names.is_empty() {
        return names.join(", ");
    }
    if let Some(format) = schema["format"].as_str().and_then(formats::find) {
        return format.noun.to_owned();
    }
    let name = schema["type"].as_str().or_else(|| {
        schema["type"]
            .as_array()?
            .iter()
            .find_map(|name| name.as_str().filter(|name| *name != "null"))
    });
    match name {
        Some("string") => "text".to_owned(),
        Some("array") => format!("list of {}", kind(resolve(&schema["items"], root), root)),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!(
                "mapping to {}",
                kind(resolve(&schema["additionalProperties"], root), root)
            )
        }
        Some("object") => "mapping".to_owned(),
        Some(other) => other.to_owned(),
        None => several(schema, root),
    }
}

fn several(schema: &Json, root: &Json) -> String {
    let options = ["anyOf", "oneOf"]
        .into_iter()
        .filter_map(|word| schema[word].as_array())
        .flatten();
    let mut kinds: Vec<_> = options
        .map(|option| kind(resolve(option, root), root))
        .filter(|kind| kind != "null")
        .collect();
    kinds.dedup();
    match kinds.is_empty() {
        true => "any value".to_owned(),
        false => kinds.join(" or "),
    }
}

/// The words of an enumeration, in the two shapes that schemas have for it.
fn alternatives(schema: &Json) -> Vec<String> {
    let of_enum = schema["enum"].as_array().into_iter().flatten();
    let of_consts = schema["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|option| option.get("const").or(option["enum"].get(0)));
    of_enum
        .chain(of_consts)
        .filter_map(Json::as_str)
        .map(|word| format!("`{word}`"))
        .collect()
}

fn default(property: &Json, target: &Json, required: bool) -> String {
    if required {
        return "required".to_owned();
    }
    match property.get("default").or_else(|| target.get("default")) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) if text.is_empty() => "empty".to_owned(),
        Some(Json::String(text)) => format!("`{text}`"),
        Some(Json::Object(_)) => String::new(),
        Some(other) => format!("`{other}`"),
    }
}

fn doc(property: &Json, target: &Json) -> String {
    let text = property["description"]
        .as_str()
        .or_else(|| target["description"].as_str())
        .unwrap_or_default();
    text.split("\n\n")
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
