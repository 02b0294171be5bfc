//! Pipeline files: from text to [`model::Pipeline`], or to every mistake of every file at once.
//!
//! Text becomes a tree with places ([`node`]), variables are expanded in its scalars ([`expand`]), settings take the types of
//! their schema ([`fit`]) and are checked ([`schema`]), stages are wired ([`wiring`]). Each step goes on after a mistake.

pub(crate) mod address;
pub(crate) mod environment;
mod expand;
pub(crate) mod fields;
mod file;
mod fit;
pub(crate) mod formats;
mod guess;
#[cfg(test)]
mod hostile;
pub(crate) mod model;
pub(crate) mod nearest;
mod node;
mod picture;
mod pointer;
mod ports;
pub(crate) mod problem;
pub(crate) mod render;
#[cfg(test)]
mod round_trip;
mod schema;
mod secrets;
pub(crate) mod source;
mod stage;
#[cfg(test)]
pub(crate) mod tests;
mod typed;
mod wiring;

use crate::catalogue::Catalogue;
use address::Address;
use environment::Environment;
use model::Pipeline;
use problem::{FileReport, Problem, Problems};
use secrets::Secrets;
use source::SourceFile;
use std::sync::Arc;

/// What reading needs from outside.
pub(crate) struct Loader<'a> {
    /// The installed stages.
    pub(crate) catalogue: &'a dyn Catalogue,
    /// Variables and secret files.
    pub(crate) environment: &'a dyn Environment,
    /// Address of the metrics server, which no stage may use.
    pub(crate) metrics: Option<Address>,
}

/// One file while it is read.
pub(crate) struct Reading<'a> {
    file: Arc<SourceFile>,
    catalogue: &'a dyn Catalogue,
    secrets: Secrets,
    problems: Problems,
}

impl Reading<'_> {
    fn tell(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// One file after reading.
pub(crate) struct Loaded {
    file: Arc<SourceFile>,
    pipeline: Option<Pipeline>,
    problems: Problems,
    secrets: Secrets,
}

impl Loader<'_> {
    /// Reads and checks files, all of them whatever is wrong.
    pub(crate) fn load(&self, paths: &[String]) -> Result<Vec<Pipeline>, Vec<FileReport>> {
        let mut files: Vec<_> = paths.iter().map(|path| self.read(path)).collect();
        self.finish(&mut files)
    }

    fn finish(&self, files: &mut Vec<Loaded>) -> Result<Vec<Pipeline>, Vec<FileReport>> {
        check_flow_names(files);
        ports::check(
            files,
            self.metrics
                .as_ref()
                .map(|address| ("`--metrics`", address)),
        );
        if files.iter().all(|loaded| loaded.problems.is_empty()) {
            return Ok(files
                .drain(..)
                .filter_map(|loaded| loaded.pipeline)
                .collect());
        }
        Err(files.drain(..).map(Loaded::report).collect())
    }

    fn read(&self, path: &str) -> Loaded {
        match read_text(path) {
            Ok(text) => self.parse(SourceFile::new(path, text)),
            Err(why) => {
                let file = SourceFile::new(path, "");
                let mut problems = Problems::default();
                problems.push(Problem::new(
                    file.at(1, 1),
                    format!("cannot read the file: {why}"),
                ));
                Loaded {
                    file: Arc::new(file),
                    pipeline: None,
                    problems,
                    secrets: Secrets::default(),
                }
            }
        }
    }

    fn parse(&self, file: SourceFile) -> Loaded {
        let file = Arc::new(file);
        let mut reading = Reading {
            file: file.clone(),
            catalogue: self.catalogue,
            secrets: Secrets::default(),
            problems: Problems::default(),
        };
        let root = node::parse(&file, &mut reading.problems);
        if root.is_none() {
            self.hide_guessed(&file, &mut reading.secrets);
        }
        let pipeline = root.map(|mut root| {
            let Reading {
                secrets, problems, ..
            } = &mut reading;
            expand::expand(&mut root, self.environment, secrets, problems);
            file::read(&root, &mut reading)
        });
        Loaded {
            file,
            pipeline,
            problems: reading.problems,
            secrets: reading.secrets,
        }
    }
}

impl Loader<'_> {
    /// Hides what stands behind the name of any installed stage's secret setting.
    fn hide_guessed(&self, file: &SourceFile, secrets: &mut Secrets) {
        let mut names = std::collections::BTreeSet::new();
        for info in self.catalogue.installed().iter().flatten() {
            guess::secret_names(&info.schema, &mut names);
        }
        guess::hide_by_name(file, &names, secrets);
    }
}

impl Loaded {
    fn report(self) -> FileReport {
        FileReport {
            file: self.file,
            problems: self.problems,
            secrets: self.secrets,
        }
    }
}

fn read_text(path: &str) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("it is a folder (expected a pipeline file)".to_owned());
    }
    if metadata.len() > node::MAX_FILE_BYTES as u64 {
        return Err(format!(
            "{} bytes (expected at most {})",
            metadata.len(),
            node::MAX_FILE_BYTES
        ));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

/// A flow's name is unique in the process: it stands in metrics, status and logs.
fn check_flow_names(files: &mut [Loaded]) {
    let mut seen: Vec<(String, String)> = Vec::new();
    for loaded in files.iter_mut() {
        for flow in loaded.pipeline.iter().flat_map(|pipeline| &pipeline.flows) {
            match seen.iter().find(|(name, _)| *name == flow.name) {
                Some((name, place)) => {
                    let words = format!(
                        "name `{name}` is taken by the flow at {place} (expected a name of its own)"
                    );
                    loaded.problems.push(Problem::new(flow.span, words));
                }
                None => {
                    let place = loaded.file.place(flow.span.start);
                    seen.push((
                        flow.name.clone(),
                        format!("{}:{}", loaded.file.name, place.line),
                    ));
                }
            }
        }
    }
}
