//! `pipeline graph`: flows as a picture. Edges are solid, rejects dashed, and a POST to a listener of the files is an edge too.

use crate::args::{GraphArgs, GraphFormat};
use crate::catalogue::{Catalogue, Role};
use crate::commands::check::complain;
use crate::config::Loader;
use crate::config::address;
use crate::config::environment::ProcessEnvironment;
use crate::config::model::{Flow, OnReject, Pipeline, Stage};
use crate::exit::Exit;
use crate::output::say;
use std::fmt::Write;

/// Draws files.
pub(crate) fn graph(args: &GraphArgs, catalogue: &dyn Catalogue) -> Exit {
    let loader = Loader {
        catalogue,
        environment: &ProcessEnvironment,
        metrics: None,
    };
    match loader.load(&args.files) {
        Ok(pipelines) => say(&draw(&pipelines, args.format)),
        Err(reports) => complain(&reports),
    }
}

fn draw(pipelines: &[Pipeline], format: GraphFormat) -> String {
    let flows: Vec<&Flow> = pipelines
        .iter()
        .flat_map(|pipeline| &pipeline.flows)
        .collect();
    let edges = edges(&flows);
    match format {
        GraphFormat::Mermaid => mermaid(&flows, &edges),
        GraphFormat::Dot => dot(&flows, &edges),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Feeds,
    Rejects,
    Posts,
}

/// Two stages, each as flow and place in it.
type Edge = ((usize, usize), (usize, usize), Line);

fn edges(flows: &[&Flow]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (f, flow) in flows.iter().enumerate() {
        let place = |name: &str| {
            flow.stages
                .iter()
                .position(|stage| stage.name.value == name)
        };
        for (s, stage) in flow.stages.iter().enumerate() {
            let feeds = stage.from.iter().filter_map(|from| place(&from.value));
            edges.extend(feeds.map(|from| ((f, from), (f, s), Line::Feeds)));
            if let OnReject::To(to) = &stage.on_reject.value {
                edges.extend(place(to).map(|to| ((f, s), (f, to), Line::Rejects)));
            }
            edges.extend(listeners(flows, stage).map(|listener| ((f, s), listener, Line::Posts)));
        }
    }
    edges
}

/// The stages that listen where `stage` posts to.
fn listeners<'a>(
    flows: &'a [&Flow],
    stage: &'a Stage,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let targets: Vec<(String, u16)> = stage
        .posts
        .iter()
        .filter_map(|post| {
            let url = url::Url::parse(&post.value).ok()?;
            Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
        })
        .collect();
    let all = flows
        .iter()
        .enumerate()
        .flat_map(|(f, flow)| (0..flow.stages.len()).map(move |s| (f, s)));
    all.filter(move |&(f, s)| {
        let listens = flows[f].stages[s]
            .listens
            .iter()
            .filter_map(|listen| address::parse(&listen.value).ok());
        listens.into_iter().any(|address| {
            targets
                .iter()
                .any(|(host, port)| address.is_reached_by(host, *port))
        })
    })
}

fn id((flow, stage): (usize, usize)) -> String {
    format!("f{flow}s{stage}")
}

fn flow_label(flow: &Flow) -> String {
    let copies = match flow.instances.value {
        1 => String::new(),
        copies => format!(" ×{copies}"),
    };
    format!("{}{copies}", flow.name)
}

fn stage_label(stage: &Stage) -> String {
    if stage.name.value == stage.kind.value {
        return stage.name.value.clone();
    }
    format!("{} ({})", stage.name.value, stage.kind.value)
}

fn mermaid(flows: &[&Flow], edges: &[Edge]) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for (f, flow) in flows.iter().enumerate() {
        let _ = writeln!(out, "  subgraph f{f}[\"{}\"]", flow_label(flow));
        for (s, stage) in flow.stages.iter().enumerate() {
            let (open, close) = match stage.info.as_ref().map(|info| info.role) {
                Some(Role::Source) => ("([", "])"),
                Some(Role::Filter) => ("{{", "}}"),
                _ => ("[", "]"),
            };
            let _ = writeln!(
                out,
                "    {}{open}\"{}\"{close}",
                id((f, s)),
                stage_label(stage)
            );
        }
        out.push_str("  end\n");
    }
    for (from, to, line) in edges {
        let arrow = match line {
            Line::Feeds => "-->",
            Line::Rejects => "-. rejects .->",
            Line::Posts => "== POST ==>",
        };
        let _ = writeln!(out, "  {} {arrow} {}", id(*from), id(*to));
    }
    out
}

fn dot(flows: &[&Flow], edges: &[Edge]) -> String {
    let mut out = "digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (f, flow) in flows.iter().enumerate() {
        let _ = writeln!(
            out,
            "  subgraph cluster_{f} {{\n    label=\"{}\";",
            flow_label(flow)
        );
        for (s, stage) in flow.stages.iter().enumerate() {
            let shape = match stage.info.as_ref().map(|info| info.role) {
                Some(Role::Source) => "ellipse",
                Some(Role::Filter) => "hexagon",
                _ => "box",
            };
            let _ = writeln!(
                out,
                "    {} [label=\"{}\", shape={shape}];",
                id((f, s)),
                stage_label(stage)
            );
        }
        out.push_str("  }\n");
    }
    for (from, to, line) in edges {
        let style = match line {
            Line::Feeds => "",
            Line::Rejects => " [style=dashed, label=\"rejects\"]",
            Line::Posts => " [style=bold, label=\"POST\"]",
        };
        let _ = writeln!(out, "  {} -> {}{style};", id(*from), id(*to));
    }
    out + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{CONSUMER, only};

    #[test]
    fn a_consumer_vm_is_drawn_with_its_post_and_its_dead_letters() {
        insta::assert_snapshot!(draw(&[only(CONSUMER)], GraphFormat::Mermaid));
        insta::assert_snapshot!(draw(&[only(CONSUMER)], GraphFormat::Dot));
    }
}
