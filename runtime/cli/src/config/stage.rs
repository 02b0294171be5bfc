//! Reads one stage: the keys that every stage has, and its own settings against its plugin's schema.

use crate::catalogue::{StageInfo, Unusable};
use crate::config::Reading;
use crate::config::fields::{Fields, Located};
use crate::config::file::is_name;
use crate::config::fit::{self, Fitted};
use crate::config::model::{Buffer, OnReject, Restart, Retry};
use crate::config::node::{Node, Value};
use crate::config::pointer;
use crate::config::problem::Problem;
use crate::config::schema::{Schema, Violation};
use crate::config::source::Span;
use std::sync::Arc;

pub(crate) use crate::config::model::Stage;

const STAGE_KEYS: &[&str] = &[
    "use",
    "with",
    "name",
    "from",
    "buffer",
    "retry",
    "on_reject",
    "restart",
];

/// Reads a stage; `None` when it has no usable `use`.
pub(crate) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Stage> {
    let label = ["name", "use"]
        .into_iter()
        .find_map(|key| match &node.get(key)?.value {
            Value::Text(text) | Value::Substituted(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        });
    let subject = label.map(|label| format!("stage `{label}`"));
    let mut fields = Fields::of(node, "stage", STAGE_KEYS, subject, &mut reading.problems);
    if fields.node("use").is_none() && matches!(node.value, Value::Map(_)) {
        fields.tell(Problem::new(
            node.span,
            "missing key `use` (expected the name of a stage)",
        ));
    }
    let kind = fields.text("use");
    let name = fields.text("name").or(kind.clone());
    if let Some(name) = name.as_ref().filter(|name| !is_name(&name.value)) {
        let words = format!(
            "`{}` is no name (expected letters, digits, `-`, `_`, `.`)",
            name.value
        );
        fields.tell(Problem::new(name.span, words));
    }
    let from = fields.names("from");
    let buffer = read_buffer(&mut fields, node.span);
    let retry = read_retry(&mut fields);
    let on_reject = read_on_reject(&mut fields, node.span);
    let restart = read_restart(&mut fields);
    let info = kind
        .as_ref()
        .zip(name.as_ref())
        .and_then(|(kind, name)| find(kind, &name.value, reading));
    if let (None, Some(with)) = (&info, node.get("with")) {
        // Nobody knows which of its settings are secret.
        reading.secrets.hide_places(with, &reading.file);
    }
    let (kind, name) = (kind?, name?);
    let fitted = info
        .as_ref()
        .map(|info| read_settings(node, info, &kind, &name.value, reading))
        .unwrap_or_default();
    Some(Stage {
        name,
        kind,
        info,
        config: fitted.json,
        listens: fitted.listens,
        posts: fitted.posts,
        from_is_explicit: from.is_some(),
        from: from.unwrap_or_default(),
        takes_rejects: false,
        buffer,
        retry,
        on_reject,
        restart,
    })
}

fn find(kind: &Located<String>, name: &str, reading: &mut Reading<'_>) -> Option<Arc<StageInfo>> {
    let problem = match reading.catalogue.stage(&kind.value) {
        Ok(info) => return Some(info),
        Err(Unusable::NotInstalled { tried, nearest, .. }) => {
            let tried: Vec<_> = tried
                .iter()
                .map(|path| format!("`{}`", path.display()))
                .collect();
            let words = format!(
                "no plugin provides `{}` (looked for {})",
                kind.value,
                tried.join(", ")
            );
            Problem::new(kind.span, words).near(nearest.as_deref())
        }
        Err(Unusable::Broken(why)) => Problem::new(
            kind.span,
            format!("plugin of `{}` cannot be used: {why}", kind.value),
        ),
    };
    reading.tell(problem.of_stage(name));
    None
}

fn read_settings(
    node: &Node,
    info: &StageInfo,
    kind: &Located<String>,
    name: &str,
    reading: &mut Reading<'_>,
) -> Fitted {
    let absent = Node {
        span: kind.span,
        value: Value::Null,
    };
    let with = node.get("with").unwrap_or(&absent);
    let key_span = node.entry("with").map_or(kind.span, |(key, _)| key.span);
    let fitted = fit::fit(
        with,
        &info.schema,
        kind.span,
        &reading.file,
        &mut reading.secrets,
    );
    let schema = match Schema::new(&info.schema) {
        Ok(schema) => schema,
        Err(why) => {
            let words = format!("plugin of `{}` has no valid schema: {why}", info.kind);
            reading.tell(Problem::new(kind.span, words).of_stage(name));
            return fitted;
        }
    };
    let violations = schema.check(&fitted.json, &|pointer| fitted.is_secret(pointer));
    for violation in &violations {
        let problem = Problem::new(
            span_of(with, key_span, violation),
            violation.message.as_str(),
        );
        reading.tell(problem.near(violation.nearest.as_deref()).of_stage(name));
    }
    if violations.is_empty() {
        ask_plugin(with, key_span, info, &fitted, name, reading);
    }
    fitted
}

fn ask_plugin(
    with: &Node,
    key_span: Span,
    info: &StageInfo,
    fitted: &Fitted,
    name: &str,
    reading: &mut Reading<'_>,
) {
    match reading.catalogue.validate(&info.kind, &fitted.json) {
        Ok(findings) => {
            for finding in findings {
                let (_, span) = locate(with, key_span, &finding.pointer);
                reading.tell(Problem::new(span, finding.message).of_stage(name));
            }
        }
        Err(why) => reading.tell(
            Problem::new(key_span, format!("plugin cannot check its settings: {why}"))
                .of_stage(name),
        ),
    }
}

fn span_of(with: &Node, key_span: Span, violation: &Violation) -> Span {
    if let Some(key) = &violation.unknown_key {
        let pointer = pointer::child(&violation.pointer, key);
        return locate(with, key_span, &pointer).0;
    }
    let (key, value) = locate(with, key_span, &violation.pointer);
    if violation.missing_key { key } else { value }
}

/// The places of the key and of the value that a JSON pointer names; where it leads nowhere, of what holds it.
fn locate(with: &Node, key_span: Span, pointer: &str) -> (Span, Span) {
    let mut key_span = key_span;
    let mut node = with;
    for part in pointer::parts(pointer) {
        match &node.value {
            Value::Map(_) => match node.entry(&part) {
                Some((key, value)) => (key_span, node) = (key.span, value),
                None => break,
            },
            Value::List(items) => match part
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get(index))
            {
                Some(item) => (key_span, node) = (item.span, item),
                None => break,
            },
            _ => break,
        }
    }
    let empty = node.span.start == node.span.end;
    (key_span, if empty { key_span } else { node.span })
}

fn read_buffer(fields: &mut Fields<'_, '_>, fallback: Span) -> Located<Buffer> {
    let default = Buffer::default();
    let Some(node) = fields.node("buffer") else {
        return Located::new(default, fallback);
    };
    let buffer = fields.within(node, "buffer", &["messages", "bytes"], |fields| Buffer {
        messages: fields.integer("messages", 1).unwrap_or(default.messages),
        bytes: fields.bytes("bytes").unwrap_or(default.bytes),
    });
    Located::new(buffer, node.span)
}

fn read_retry(fields: &mut Fields<'_, '_>) -> Retry {
    let default = Retry::default();
    let Some(node) = fields.node("retry") else {
        return default;
    };
    let retry = fields.within(node, "retry", &["initial", "max"], |fields| {
        let initial = fields.duration("initial");
        let max = fields.duration("max");
        Retry {
            initial: initial.unwrap_or_else(|| default.initial.min(max.unwrap_or(default.max))),
            max: max.unwrap_or_else(|| default.max.max(initial.unwrap_or(default.initial))),
        }
    });
    if retry.initial > retry.max {
        fields.tell(Problem::new(
            node.span,
            "`retry.initial` is longer than `retry.max` (expected at most as long)",
        ));
    }
    retry
}

fn read_on_reject(fields: &mut Fields<'_, '_>, fallback: Span) -> Located<OnReject> {
    const WANTED: &str = "`drop`, `stop` or `{to: STAGE}`";
    let Some(node) = fields.node("on_reject") else {
        return Located::new(OnReject::Drop, fallback);
    };
    let word = match &node.value {
        Value::Text(text) | Value::Substituted(text) => text.as_str(),
        Value::Map(_) => {
            let to = fields.within(node, "on_reject", &["to"], |fields| fields.text("to"));
            if to.is_none() && node.get("to").is_none() {
                fields.wrong::<()>("on_reject", node, WANTED);
            }
            return to.map_or(Located::new(OnReject::Drop, node.span), |to| {
                Located::new(OnReject::To(to.value), to.span)
            });
        }
        _ => "",
    };
    let value = match word {
        "drop" => OnReject::Drop,
        "stop" => OnReject::Stop,
        _ => fields.wrong("on_reject", node, WANTED).unwrap_or_default(),
    };
    Located::new(value, node.span)
}

fn read_restart(fields: &mut Fields<'_, '_>) -> Restart {
    let Some(node) = fields.node("restart") else {
        return Restart::default();
    };
    match &node.value {
        Value::Text(text) | Value::Substituted(text) if text == "always" => Restart::Always,
        Value::Text(text) | Value::Substituted(text) if text == "never" => Restart::Never,
        _ => fields
            .wrong("restart", node, "`always` or `never`")
            .unwrap_or_default(),
    }
}
