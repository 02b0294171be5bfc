//! A trace as text: a line a span, children below their parents, times from the begin of the first one on.

use super::jaeger::{Span, Trace};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// The spans whose parent is not there are roots: a trace may have lost some.
pub(super) fn text(trace: &Trace) -> String {
    let known: HashSet<&str> = trace.spans.iter().map(|span| span.id.as_str()).collect();
    let mut children: HashMap<&str, Vec<&Span>> = HashMap::new();
    for span in &trace.spans {
        let parent = span.parent().filter(|parent| known.contains(parent));
        children.entry(parent.unwrap_or("")).or_default().push(span);
    }
    for spans in children.values_mut() {
        spans.sort_by_key(|span| span.start_time);
    }
    let begin = trace.spans.iter().map(|span| span.start_time).min();
    let mut out = String::new();
    let mut left: Vec<(usize, &Span)> = Vec::new();
    let mut next = children.remove("").unwrap_or_default();
    let mut depth = 0;
    loop {
        left.extend(next.into_iter().rev().map(|span| (depth, span)));
        let Some((at, span)) = left.pop() else {
            return out;
        };
        write(&mut out, trace, span, (begin.unwrap_or(0), at));
        // Taken out: a circle of parents, which no honest trace has, ends.
        next = children.remove(span.id.as_str()).unwrap_or_default();
        depth = at + 1;
    }
}

fn write(out: &mut String, trace: &Trace, span: &Span, (begin, depth): (u64, usize)) {
    let ms = |us: u64| us as f64 / 1e3;
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{:indent$}{}  [{}/{}, {}]  +{:.3} ms, {:.3} ms",
        "",
        plain(&span.operation_name),
        plain(trace.service(span)),
        plain(span.tag("otel.scope.name").unwrap_or("?")),
        plain(span.tag("span.kind").unwrap_or("internal")),
        ms(span.start_time - begin),
        ms(span.duration),
        indent = 2 * depth,
    );
    for event in span.events() {
        let _ = write!(out, "  {}", plain(event));
    }
    if let Some(error) = span.error() {
        let _ = write!(out, "  failed: {}", plain(error));
    }
    out.push('\n');
}

/// Text from outside must not steer the terminal.
fn plain(text: &str) -> String {
    let plain = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(plain).collect()
}
