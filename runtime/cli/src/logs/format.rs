//! A log entry as a line: for people, or as JSON.

use super::entry::{Entry, Level, Value};
use serde_json::{Map, Value as Json};
use std::fmt::Write;

/// For people; `colour` for a terminal.
pub(crate) fn human(entry: &Entry, colour: bool) -> String {
    let mut line = humantime::format_rfc3339_millis(entry.time).to_string();
    let (on, off) = match colour {
        true => (level_colour(entry.level), "\x1b[0m"),
        false => ("", ""),
    };
    let _ = write!(line, " {on}{:5}{off} ", entry.level.name().to_uppercase());
    match &entry.origin {
        Some(origin) => {
            let _ = write!(
                line,
                "{}/{} {}: ",
                origin.flow, origin.instance, origin.stage
            );
        }
        None => {
            let _ = write!(line, "{}: ", entry.target);
        }
    }
    push_escaped(&mut line, &entry.message);
    for (name, value) in &entry.fields {
        let _ = write!(line, " {name}=");
        push_escaped(&mut line, &value.to_string());
    }
    if let Some((trace, span)) = &entry.trace {
        let _ = write!(line, " trace_id={trace} span_id={span}");
    }
    line.push('\n');
    line
}

/// One JSON object a line.
pub(crate) fn json(entry: &Entry) -> String {
    let mut map = Map::new();
    map.insert(
        "time".into(),
        humantime::format_rfc3339_micros(entry.time)
            .to_string()
            .into(),
    );
    map.insert("level".into(), entry.level.name().into());
    map.insert("message".into(), entry.message.as_str().into());
    map.insert("target".into(), entry.target.as_str().into());
    if let Some(origin) = &entry.origin {
        map.insert("flow".into(), origin.flow.as_str().into());
        map.insert("stage".into(), origin.stage.as_str().into());
        map.insert("instance".into(), origin.instance.into());
    }
    if let Some((trace, span)) = &entry.trace {
        map.insert("trace_id".into(), trace.as_str().into());
        map.insert("span_id".into(), span.as_str().into());
    }
    if !entry.fields.is_empty() {
        let fields = entry
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), json_value(value)));
        map.insert("fields".into(), Json::Object(fields.collect()));
    }
    Json::Object(map).to_string() + "\n"
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Signed(number) => (*number).into(),
        Value::Unsigned(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Bool(flag) => (*flag).into(),
    }
}

/// Text from outside must not forge lines or steer the terminal.
fn push_escaped(line: &mut String, text: &str) {
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
}

fn level_colour(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug | Level::Trace => "\x1b[2m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::entry::Origin;
    use std::time::{Duration, SystemTime};

    fn entry() -> Entry {
        Entry {
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            origin: Some(Origin {
                flow: "consumer".into(),
                stage: "http-post".into(),
                instance: 2,
            }),
            ..Entry::own(Level::Warn, "posted\nfake line\x1b[2J").with("status", 503)
        }
    }

    #[test]
    fn a_line_for_people_holds_no_control_characters() {
        let line = human(&entry(), false);
        assert_eq!(
            line,
            "2023-11-14T22:13:20.123Z WARN  consumer/2 http-post: posted\\nfake line\\u{1b}[2J status=503\n"
        );
    }

    #[test]
    fn a_line_names_the_trace_that_it_belongs_to() {
        let traced = Entry {
            trace: Some(("4bf9".into(), "00f0".into())),
            ..entry()
        };
        assert!(human(&traced, false).ends_with(" status=503 trace_id=4bf9 span_id=00f0\n"));
        let parsed: Json = serde_json::from_str(&json(&traced)).unwrap();
        assert_eq!(
            (&parsed["trace_id"], &parsed["span_id"]),
            (&"4bf9".into(), &"00f0".into())
        );
    }

    #[test]
    fn a_json_line_is_one_object() {
        let parsed: Json = serde_json::from_str(&json(&entry())).unwrap();
        assert_eq!(parsed["stage"], "http-post");
        assert_eq!(parsed["instance"], 2);
        assert_eq!(parsed["fields"]["status"], 503);
    }
}
