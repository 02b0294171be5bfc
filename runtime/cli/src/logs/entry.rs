//! One log line before it is written.

use std::time::SystemTime;

/// How serious it is; the order is that of detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Something was lost or cannot go on.
    Error = 1,
    /// Something waits or was repaired.
    Warn = 2,
    /// What an operator wants to see once.
    Info = 3,
    /// For whoever looks for a mistake.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

impl Level {
    /// From most serious to most detailed.
    pub(crate) const ALL: [Level; 5] = [
        Level::Error,
        Level::Warn,
        Level::Info,
        Level::Debug,
        Level::Trace,
    ];

    /// Its lowercase name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Text.
    Text(String),
    /// A signed integer.
    Signed(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A float.
    Float(f64),
    /// A boolean.
    Bool(bool),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Signed(number) => number.fmt(f),
            Value::Unsigned(number) => number.fmt(f),
            Value::Float(number) => number.fmt(f),
            Value::Bool(flag) => flag.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::Unsigned(number)
    }
}

/// The stage instance that a line comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// Flow.
    pub(crate) flow: String,
    /// Stage.
    pub(crate) stage: String,
    /// Instance.
    pub(crate) instance: u32,
}

/// One log line.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When.
    pub(crate) time: SystemTime,
    /// How serious.
    pub(crate) level: Level,
    /// Module path, or the part of this program.
    pub(crate) target: String,
    /// What happened.
    pub(crate) message: String,
    /// Where, when it comes from a stage.
    pub(crate) origin: Option<Origin>,
    /// Details.
    pub(crate) fields: Vec<(String, Value)>,
    /// Trace and span in hexadecimal, when it belongs to one.
    pub(crate) trace: Option<(String, String)>,
}

impl Entry {
    /// A line of this program itself, now, about what is worked on now.
    pub(crate) fn own(level: Level, message: impl Into<String>) -> Self {
        Entry {
            time: SystemTime::now(),
            level,
            target: "pipeline".to_owned(),
            message: message.into(),
            origin: None,
            fields: Vec::new(),
            trace: crate::telemetry::current(),
        }
    }

    /// Adds a detail.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}
