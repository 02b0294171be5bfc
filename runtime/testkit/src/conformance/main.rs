//! Checks that a plugin keeps the ABI: loads a shared object, drives it as a host would, and tells what it found.
//!
//! Invariant: everything that the plugin does to its host (calls, batches, ports) passes through recorders which note what
//! breaks a rule of the headers, so that each check fails for what happened during it. One process checks one plugin, since
//! threads and file descriptors are counted for the whole process.

mod batch;
mod checks;
mod host;
mod instance;
mod made;
mod plugin;
mod port;
mod process;
mod report;
mod subject;
mod violations;

use clap::Parser;
use plugin::Plugin;
use std::path::PathBuf;
use std::process::ExitCode;

/// Checks that a stage plugin keeps the ABI.
#[derive(Debug, Parser)]
struct Arguments {
    /// The shared object.
    plugin: PathBuf,
    /// Settings that the stage can be opened with, a JSON object.
    #[arg(long, default_value = "{}")]
    with: String,
    /// The kind to check, if the plugin has several.
    #[arg(long)]
    kind: Option<String>,
    /// The stage works without peers: a source sends, a sink settles what it is given.
    #[arg(long)]
    delivers: bool,
    /// The plugin's language keeps threads of its own after `close`, a bounded number.
    #[arg(long)]
    runtime_threads: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = report::Report::new(&arguments.plugin);
    let plugin = match Plugin::load(&arguments.plugin) {
        Ok(plugin) => plugin,
        Err(why) => {
            report.add("exports the entry", checks::Verdict::Failed(why));
            return report.finish();
        }
    };
    report.add("exports the entry", checks::Verdict::Passed);
    match subject::Subject::new(plugin, &arguments) {
        Ok(subject) => checks::run(&subject, &mut report),
        Err(why) => report.add("describes its stages", checks::Verdict::Failed(why)),
    }
    report.finish()
}
