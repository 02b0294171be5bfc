//! A YAML file as a tree in which every value and every key knows where it stands.
//!
//! Types are those that a reader of YAML 1.2 sees: `no` and `012` are text, a key stands once in its mapping. Size, depth and
//! aliases are bounded before anything is built.

use crate::config::problem::{Problem, Problems};
use crate::config::source::{SourceFile, Span};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::Spanned;
use std::fmt;

/// Largest file that is read.
pub(crate) const MAX_FILE_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 50_000;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where it is used (for an alias: the alias).
    pub(crate) span: Span,
    /// What it is.
    pub(crate) value: Value,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    /// Where it stands.
    pub(crate) span: Span,
    /// Its text.
    pub(crate) text: String,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing, or `~`, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer or a finite float.
    Number(Number),
    /// Text as it stands, or with variables embedded.
    Text(String),
    /// Text that is wholly the value of one variable or file: its type is what its place asks for.
    Substituted(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file.
    Map(Vec<(Key, Node)>),
}

impl Node {
    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// A key with its value, if this is a mapping that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Key, Node)> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(found, _)| found.text == key),
            _ => None,
        }
    }

    /// What a user calls this kind of value.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) | Value::Substituted(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Parses the one document of a file.
pub(crate) fn parse(file: &SourceFile, problems: &mut Problems) -> Option<Node> {
    if file.text.len() > MAX_FILE_BYTES {
        let message = format!(
            "file of {} bytes (expected at most {MAX_FILE_BYTES})",
            file.text.len()
        );
        problems.push(Problem::new(file.at(1, 1), message));
        return None;
    }
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&file.text, options()) {
        Ok(raw) => Some(place(raw)),
        Err(error) => {
            problems.push(syntax_problem(file, &error));
            None
        }
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: MAX_DEPTH,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    }
}

fn syntax_problem(file: &SourceFile, error: &serde_saphyr::Error) -> Problem {
    let place = error.location().filter(|place| place.line() > 0);
    let span = place.map_or(file.at(1, 1), |place| {
        file.at(place.line() as usize, place.column() as usize)
    });
    let text = error.render();
    let message = text.lines().next().unwrap_or_default();
    // The parser's own words end with the place, which stands in front already.
    let message = message.split(" at line ").next().unwrap_or(message);
    Problem::new(span, lower_first(message.trim_end_matches('.')))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<RawKey>, Spanned<Raw>)>),
}

/// A key as text, also when it looks like another type (`8080: x`).
struct RawKey(String);

fn place(raw: Spanned<Raw>) -> Node {
    let span = span(&raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(flag) => Value::Bool(flag),
        Raw::Number(number) => Value::Number(number),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(place).collect()),
        Raw::Map(entries) => Value::Map(entries.into_iter().map(place_entry).collect()),
    };
    Node { span, value }
}

fn place_entry((key, value): (Spanned<RawKey>, Spanned<Raw>)) -> (Key, Node) {
    let key = Key {
        span: span(&key.referenced),
        text: key.value.0,
    };
    (key, place(value))
}

fn span(location: &serde_saphyr::Location) -> Span {
    let span = location.span();
    let start = span.byte_offset().unwrap_or(span.offset()) as usize;
    let len = span.byte_len().unwrap_or(span.len()) as usize;
    Span {
        start,
        end: start + len,
    }
}

impl<'de> Deserialize<'de> for RawKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(RawKey)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Raw, E> {
        Number::from_f64(value)
            .map(Raw::Number)
            .ok_or_else(|| E::custom("number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
