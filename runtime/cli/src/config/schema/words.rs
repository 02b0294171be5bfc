//! The words in which values and rules are told.

use crate::config::fields::shorten;
use crate::config::formats;
use crate::config::nearest::nearest;
use crate::config::pointer::parts;
use jsonschema::JsonType;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Json;

/// A value and what it is: `` `batch.linger` is `fast` ``.
pub(super) fn subject(pointer: &str, value: &Json, secret: bool) -> String {
    let found = match value {
        _ if secret => "`***`".to_owned(),
        Json::Null => "nothing".to_owned(),
        Json::String(text) if text.is_empty() => "empty".to_owned(),
        Json::String(text) => format!("`{}`", shorten(text)),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a mapping".to_owned(),
        other => format!("`{other}`"),
    };
    format!("`{}` is {found}", path(pointer))
}

/// Where a key is unknown or missing, for all but the outermost mapping.
pub(super) fn within(pointer: &str) -> String {
    if pointer.is_empty() {
        return String::new();
    }
    format!(" in `{}`", path(pointer))
}

/// `/batch/urls/0` as people write it: `batch.urls[0]`.
fn path(pointer: &str) -> String {
    let mut path = String::new();
    for part in parts(pointer) {
        if part.parse::<usize>().is_ok() {
            path.push_str(&format!("[{part}]"));
        } else {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(&part);
        }
    }
    if path.is_empty() {
        "with".to_owned()
    } else {
        path
    }
}

/// What a rule wants, if it is one that has words of its own.
pub(super) fn wanted(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::Type { kind } => types(kind),
        Kind::Enum { options } => {
            let names: Vec<_> = options
                .as_array()?
                .iter()
                .map(|option| format!("`{}`", plain(option)))
                .collect();
            names.join(", ")
        }
        Kind::Constant { expected_value } => format!("`{}`", plain(expected_value)),
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MinLength { limit: 1 } => "text that is not empty".to_owned(),
        Kind::MinLength { limit } => format!("at least {limit} characters"),
        Kind::MaxLength { limit } => format!("at most {limit} characters"),
        Kind::MinItems { limit } => format!("at least {limit} in the list"),
        Kind::MaxItems { limit } => format!("at most {limit} in the list"),
        Kind::UniqueItems => "nothing twice".to_owned(),
        Kind::Pattern { pattern } => format!("text like `{pattern}`"),
        Kind::Format { format } => match formats::find(format) {
            Some(format) => format.expected.to_owned(),
            None => format!("a valid {format}"),
        },
        _ => return None,
    })
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(only) => type_name(*only).to_owned(),
        TypeKind::Multiple(several) => {
            let names: Vec<_> = several
                .iter()
                .filter(|one| *one != JsonType::Null)
                .map(type_name)
                .collect();
            names.join(" or ")
        }
    }
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::String => "text",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::Boolean => "true or false",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
        JsonType::Null => "nothing",
    }
}

/// The nearest word of an enumeration.
pub(super) fn near_option(kind: &Kind, value: &Json) -> Option<String> {
    let Kind::Enum { options } = kind else {
        return None;
    };
    let names = options.as_array()?.iter().filter_map(Json::as_str);
    nearest(value.as_str()?, names).map(str::to_owned)
}

fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
