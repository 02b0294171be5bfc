//! Two listeners on one port, across flows, instances and files.

use crate::config::Loaded;
use crate::config::address::{self, Address};
use crate::config::problem::Problem;
use crate::config::source::Span;

/// A listener that will exist.
struct Listener {
    address: Address,
    /// File, place and words of whoever opens it.
    file: usize,
    span: Span,
    subject: String,
    key: &'static str,
}

/// Tells about listeners that would collide, and chains in several instances that listen. `also` is an address that the
/// process itself uses, with its name.
pub(crate) fn check(files: &mut [Loaded], also: Option<(&str, &Address)>) {
    let mut seen: Vec<Listener> = Vec::new();
    for listener in collect(files) {
        if let Some((name, _)) = also.filter(|(_, address)| address.collides(&listener.address)) {
            tell(
                files,
                &listener,
                &format!("port of `{}` is used by {name} as well", listener.address),
            );
        }
        match seen
            .iter()
            .find(|other| other.address.collides(&listener.address))
        {
            Some(other) => {
                let place = files[other.file].file.place(other.span.start);
                let there = format!("{}:{}", files[other.file].file.name, place.line);
                let words = format!(
                    "`{}` is taken by {} at {there} (expected a free port)",
                    listener.address,
                    other.key_words()
                );
                tell(files, &listener, &words);
            }
            None => seen.push(listener),
        }
    }
    check_instances(files);
}

impl Listener {
    fn key_words(&self) -> String {
        format!("`{}` of {}", self.key, self.subject)
    }
}

fn tell(files: &mut [Loaded], listener: &Listener, words: &str) {
    let problem = Problem::new(listener.span, words);
    files[listener.file].problems.push(Problem {
        subject: Some(listener.subject.clone()),
        ..problem
    });
}

fn collect(files: &[Loaded]) -> Vec<Listener> {
    let mut all = Vec::new();
    for (file, loaded) in files.iter().enumerate() {
        for flow in loaded.pipeline.iter().flat_map(|pipeline| &pipeline.flows) {
            let subject = format!("flow `{}`", flow.name);
            for status in flow.status.iter() {
                let ports =
                    (0..flow.instances.value).filter_map(|instance| status.value.offset(instance));
                all.extend(ports.map(|address| Listener {
                    address,
                    file,
                    span: status.span,
                    subject: subject.clone(),
                    key: "status",
                }));
            }
            for stage in &flow.stages {
                let subject = format!("stage `{}`", stage.name.value);
                all.extend(stage.listens.iter().filter_map(|listen| {
                    let address = address::parse(&listen.value).ok()?;
                    Some(Listener {
                        address,
                        file,
                        span: listen.span,
                        subject: subject.clone(),
                        key: "listen",
                    })
                }));
            }
        }
    }
    all
}

fn check_instances(files: &mut [Loaded]) {
    for loaded in files.iter_mut() {
        for flow in loaded
            .pipeline
            .iter()
            .flat_map(|pipeline| &pipeline.flows)
            .filter(|flow| flow.instances.value > 1)
        {
            let fixed = |listen: &&crate::config::fields::Located<String>| {
                address::parse(&listen.value).is_ok_and(|address| address.port != 0)
            };
            let listens = flow
                .stages
                .iter()
                .find_map(|stage| Some((stage, stage.listens.iter().find(fixed)?)));
            if let Some((stage, listen)) = listens {
                let words = format!(
                    "{} instances of a chain in which `{}` listens on `{}` (expected one instance)",
                    flow.instances.value, stage.name.value, listen.value
                );
                loaded
                    .problems
                    .push(Problem::new(flow.instances.span, words).of_flow(&flow.name));
            }
        }
    }
}
