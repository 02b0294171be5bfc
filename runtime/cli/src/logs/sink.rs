//! Logs of stages and of the host, on their way into the log of the process.

use super::Logger;
use super::entry::{Entry, Level, Origin, Value};
use pipeline_host::{Field, FieldValue, LogRecord, LogSink};
use std::fmt::Write;
use std::time::{Duration, SystemTime};

impl LogSink for Logger {
    fn log(&self, record: &LogRecord<'_>) {
        Logger::log(self, entry(record));
    }
}

fn entry(record: &LogRecord<'_>) -> Entry {
    let since = Duration::from_nanos(u64::try_from(record.ts_ns).unwrap_or_default());
    let traced = record.trace_id != [0; 16];
    Entry {
        time: SystemTime::UNIX_EPOCH + since,
        level: record.level.into(),
        target: record.target.to_owned(),
        message: record.message.to_owned(),
        origin: record.stage.map(|(flow, stage, instance)| Origin {
            flow: flow.to_owned(),
            stage: stage.to_owned(),
            instance,
        }),
        fields: record.fields.iter().map(field).collect(),
        trace: traced.then(|| (hex(&record.trace_id), hex(&record.span_id))),
    }
}

fn field(field: &Field<'_>) -> (String, Value) {
    let value = match field.value {
        FieldValue::Str(text) => Value::Text(text.to_owned()),
        FieldValue::I64(number) => Value::Signed(number),
        FieldValue::U64(number) => Value::Unsigned(number),
        FieldValue::F64(number) => Value::Float(number),
        FieldValue::Bool(flag) => Value::Bool(flag),
    };
    (field.name.to_owned(), value)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl From<pipeline_host::Level> for Level {
    fn from(level: pipeline_host::Level) -> Self {
        match level {
            pipeline_host::Level::Error => Level::Error,
            pipeline_host::Level::Warn => Level::Warn,
            pipeline_host::Level::Info => Level::Info,
            pipeline_host::Level::Debug => Level::Debug,
            pipeline_host::Level::Trace => Level::Trace,
        }
    }
}

impl From<Level> for pipeline_host::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => pipeline_host::Level::Error,
            Level::Warn => pipeline_host::Level::Warn,
            Level::Info => pipeline_host::Level::Info,
            Level::Debug => pipeline_host::Level::Debug,
            Level::Trace => pipeline_host::Level::Trace,
        }
    }
}
