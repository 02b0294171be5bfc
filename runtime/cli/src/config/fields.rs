//! Reads the keys of a mapping, telling what is unknown, missing, or of the wrong type.

use crate::config::formats;
use crate::config::nearest::{expected, nearest};
use crate::config::node::{Key, Node, Value};
use crate::config::problem::{Problem, Problems};
use crate::config::source::Span;
use serde_json::Number;
use std::time::Duration;

/// A value that remembers its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Located<T> {
    /// What it is.
    pub(crate) value: T,
    /// Where it stands.
    pub(crate) span: Span,
}

impl<T> Located<T> {
    /// A value at a place.
    pub(crate) fn new(value: T, span: Span) -> Self {
        Located { value, span }
    }
}

/// A mapping that is being read, and where to tell what is wrong with it.
pub(crate) struct Fields<'n, 'p> {
    entries: &'n [(Key, Node)],
    subject: Option<String>,
    /// Where this mapping stands: ``, or `buffer.`.
    path: String,
    problems: &'p mut Problems,
}

impl<'n, 'p> Fields<'n, 'p> {
    /// Reads `node` as a mapping that may have the keys `known`; nothing counts as an empty mapping.
    pub(crate) fn of(
        node: &'n Node,
        what: &str,
        known: &[&str],
        subject: Option<String>,
        problems: &'p mut Problems,
    ) -> Self {
        let entries: &[_] = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            _ => {
                let words = format!("{what} is {} (expected a mapping)", node.kind());
                problems.push(Problem {
                    subject: subject.clone(),
                    ..Problem::new(node.span, words)
                });
                &[]
            }
        };
        let mut fields = Fields {
            entries,
            subject,
            path: String::new(),
            problems,
        };
        for (key, _) in entries
            .iter()
            .filter(|(key, _)| !known.contains(&key.text.as_str()))
        {
            let words = format!(
                "unknown key `{}` ({})",
                shorten(&key.text),
                expected(&key.text, known.iter().copied())
            );
            fields.tell(
                Problem::new(key.span, words).near(nearest(&key.text, known.iter().copied())),
            );
        }
        fields
    }

    /// Reads a mapping inside this one.
    pub(crate) fn within<T>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
        read: impl FnOnce(&mut Fields<'n, '_>) -> T,
    ) -> T {
        let (path, subject) = (format!("{}{what}.", self.path), self.subject.clone());
        let inner = Fields::of(node, &format!("`{what}`"), known, subject, self.problems);
        read(&mut Fields { path, ..inner })
    }

    /// Adds a problem about this mapping.
    pub(crate) fn tell(&mut self, problem: Problem) {
        let subject = problem.subject.clone().or_else(|| self.subject.clone());
        self.problems.push(Problem { subject, ..problem });
    }

    /// The value of a key as it is.
    pub(crate) fn node(&self, key: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|(found, _)| found.text == key)
            .map(|(_, node)| node)
    }

    /// The place of a key.
    pub(crate) fn key_span(&self, key: &str) -> Option<Span> {
        self.entries
            .iter()
            .find(|(found, _)| found.text == key)
            .map(|(found, _)| found.span)
    }

    /// Text that is not empty.
    pub(crate) fn text(&mut self, key: &str) -> Option<Located<String>> {
        let node = self.node(key)?;
        match &node.value {
            Value::Text(text) | Value::Substituted(text) if !text.is_empty() => {
                Some(Located::new(text.clone(), node.span))
            }
            _ => self.wrong(key, node, "text"),
        }
    }

    /// Text that may be given as nothing.
    pub(crate) fn optional_text(&mut self, key: &str) -> Option<Located<String>> {
        match &self.node(key)?.value {
            Value::Null => None,
            Value::Substituted(text) if text.is_empty() => None,
            _ => self.text(key),
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn integer(&mut self, key: &str, least: u32) -> Option<u32> {
        let node = self.node(key)?;
        let number = match &node.value {
            Value::Number(number) => number.as_u64(),
            Value::Substituted(text) => text
                .parse::<Number>()
                .ok()
                .and_then(|number| number.as_u64()),
            _ => None,
        };
        match number
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number >= least)
        {
            Some(number) => Some(number),
            None => self.wrong(key, node, &format!("a whole number of at least {least}")),
        }
    }

    /// A number within bounds.
    pub(crate) fn number(
        &mut self,
        key: &str,
        bounds: std::ops::RangeInclusive<f64>,
    ) -> Option<f64> {
        let node = self.node(key)?;
        let number = match &node.value {
            Value::Number(number) => number.as_f64(),
            Value::Substituted(text) => text.parse().ok(),
            _ => None,
        };
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => Some(number),
            None => self.wrong(
                key,
                node,
                &format!("a number from {} to {}", bounds.start(), bounds.end()),
            ),
        }
    }

    /// A time span such as `100ms`.
    pub(crate) fn duration(&mut self, key: &str) -> Option<Duration> {
        let node = self.node(key)?;
        let parsed = plain_text(node).and_then(formats::parse_duration);
        match parsed.filter(|duration| !duration.is_zero()) {
            Some(duration) => Some(duration),
            None => self.wrong(key, node, "a time such as `100ms` or `30s`"),
        }
    }

    /// A size such as `16MiB`, or a number of bytes.
    pub(crate) fn bytes(&mut self, key: &str) -> Option<u64> {
        let node = self.node(key)?;
        let size = match &node.value {
            Value::Number(number) => number.as_u64(),
            _ => plain_text(node).and_then(formats::parse_size),
        };
        match size.filter(|size| *size > 0) {
            Some(size) => Some(size),
            None => self.wrong(key, node, "a size such as `16MiB`"),
        }
    }

    /// One name or a list of names.
    pub(crate) fn names(&mut self, key: &str) -> Option<Vec<Located<String>>> {
        let node = self.node(key)?;
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut names = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(name) if !name.is_empty() => {
                    names.push(Located::new(name.clone(), item.span))
                }
                Value::Substituted(list) => {
                    names.extend(split(list).map(|name| Located::new(name.to_owned(), item.span)))
                }
                _ => self
                    .wrong(key, item, "a stage's name, or a list of names")
                    .unwrap_or_default(),
            }
        }
        Some(names)
    }

    /// Tells that a value is not what its key needs.
    pub(crate) fn wrong<T>(&mut self, key: &str, node: &Node, wanted: &str) -> Option<T> {
        let words = format!(
            "`{}{key}` is {} (expected {wanted})",
            self.path,
            describe(node)
        );
        self.tell(Problem::new(node.span, words));
        None
    }
}

/// The parts of a list that was given as one text.
pub(crate) fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// A value as it is called in a message.
pub(crate) fn describe(node: &Node) -> String {
    match &node.value {
        Value::Text(text) | Value::Substituted(text) if text.is_empty() => "empty".to_owned(),
        Value::Text(text) | Value::Substituted(text) => format!("`{}`", shorten(text)),
        Value::Number(number) => format!("`{number}`"),
        Value::Bool(flag) => format!("`{flag}`"),
        _ => node.kind().to_owned(),
    }
}

/// The beginning of a long text.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn plain_text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) | Value::Substituted(text) => Some(text),
        _ => None,
    }
}
