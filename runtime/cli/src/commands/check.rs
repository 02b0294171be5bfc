//! `pipeline check`: every mistake of every file at once.

use crate::args::FilesArgs;
use crate::catalogue::Catalogue;
use crate::config::Loader;
use crate::config::environment::ProcessEnvironment;
use crate::config::model::Pipeline;
use crate::config::problem::FileReport;
use crate::config::render::{Style, render};
use crate::exit::Exit;
use crate::output::{counted, say, tell};
use std::io::IsTerminal;

/// Checks files and says so.
pub(crate) fn check(args: &FilesArgs, catalogue: &dyn Catalogue) -> Exit {
    let loader = Loader {
        catalogue,
        environment: &ProcessEnvironment,
        metrics: None,
    };
    match loader.load(&args.files) {
        Ok(pipelines) => say(&pipelines.iter().map(summary).collect::<String>()),
        Err(reports) => complain(&reports),
    }
}

/// Prints mistakes to standard error.
pub(crate) fn complain(reports: &[FileReport]) -> Exit {
    let style = match std::io::stderr().is_terminal() {
        true => Style::Fancy,
        false => Style::Plain,
    };
    tell(&render(reports, style));
    Exit::Usage
}

fn summary(pipeline: &Pipeline) -> String {
    let stages: usize = pipeline.flows.iter().map(|flow| flow.stages.len()).sum();
    let (flows, stages) = (
        counted(pipeline.flows.len(), "flow"),
        counted(stages, "stage"),
    );
    format!("{}: {flows}, {stages}, no mistakes\n", pipeline.file.name)
}
