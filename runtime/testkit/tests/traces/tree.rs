//! The spans of one trace as a tree.

use std::collections::HashMap;
use std::fmt::Write;

use pipeline_testkit::otlp::Span;

/// The way of a trade, from the root down.
pub(crate) fn way(topic: &str) -> [String; 7] {
    [
        "receive".to_owned(),
        format!("send {topic}"),
        format!("process {topic}"),
        "POST".to_owned(),
        "POST".to_owned(),
        "broadcast".to_owned(),
        "deliver".to_owned(),
    ]
}

/// The spans by trace.
pub(crate) fn traces(spans: &[Span]) -> Vec<Vec<Span>> {
    let mut traces: HashMap<&str, Vec<Span>> = HashMap::new();
    for span in spans {
        traces.entry(&span.trace).or_default().push(span.clone());
    }
    traces.into_values().collect()
}

/// The spans that are called `names`, each the parent of the next, the first one a root.
pub(crate) fn chain<'a>(trace: &'a [Span], names: &[String]) -> Result<Vec<&'a Span>, String> {
    below("", trace, names).ok_or_else(|| format!("not {names:?} but\n{}", text(trace)))
}

/// As [`chain`], the first one a child of `parent`. What is read again has its spans beside those of the first time.
fn below<'a>(parent: &str, trace: &'a [Span], names: &[String]) -> Option<Vec<&'a Span>> {
    let Some((name, rest)) = names.split_first() else {
        return Some(Vec::new());
    };
    trace
        .iter()
        .filter(|span| span.parent == parent && span.name == *name)
        .find_map(|span| {
            let rest = below(&span.id, trace, rest)?;
            Some(std::iter::once(span).chain(rest).collect())
        })
}

/// The whole ways of at least `count` traces.
pub(crate) fn chains(
    spans: &[Span],
    names: &[String],
    count: usize,
) -> Result<Vec<Vec<Span>>, String> {
    let mut whole = Vec::new();
    let mut missing = String::new();
    for trace in traces(spans) {
        match chain(&trace, names) {
            Ok(found) => whole.push(found.into_iter().cloned().collect()),
            Err(why) => missing = why,
        }
    }
    if whole.len() < count {
        return Err(format!("{} of {count} traces: {missing}", whole.len()));
    }
    Ok(whole)
}

/// A trace as text: a line a span, children below their parents, times from the root's begin on.
pub(crate) fn text(trace: &[Span]) -> String {
    let begin = trace.iter().map(|span| span.start).min().unwrap_or(0);
    let known = |id: &str| trace.iter().any(|span| span.id == id);
    let mut out = String::new();
    for root in trace.iter().filter(|span| !known(&span.parent)) {
        write(&mut out, trace, root, begin, 0);
    }
    out
}

fn write(out: &mut String, trace: &[Span], span: &Span, begin: u64, depth: usize) {
    let ms = |ns: u64| ns as f64 / 1e6;
    let Span {
        name,
        service,
        stage,
        kind,
        ..
    } = span;
    let events: Vec<&str> = span.events.iter().map(|(name, _)| name.as_str()).collect();
    let _ = writeln!(
        out,
        "{:indent$}{name}  [{service}/{stage}, {kind:?}]  +{:.3} ms, {:.3} ms  {}{}",
        "",
        ms(span.start - begin),
        ms(span.end - span.start),
        events.join(" "),
        span.error.as_deref().unwrap_or_default(),
        indent = 2 * depth,
    );
    for child in trace.iter().filter(|child| child.parent == span.id) {
        write(out, trace, child, begin, depth + 1);
    }
}
