//! What can be known to be wrong before anything is started.

use std::io;
use std::path::{Path, PathBuf};

use crate::machine::Machine;
use crate::ports::{self, Taken};
use crate::process::Launcher;
use crate::say;

/// Why the sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The `pipeline` command is not there.
    #[error("expected the command `{}` (build it: `cargo build --workspace`)", .0.display())]
    NoPipeline(PathBuf),
    /// The pipeline files are not there.
    #[error("expected the file `{}` (run the sandbox in the root of the repository, or say `--pipelines`)", .0.display())]
    NoFile(PathBuf),
    /// A process could not be started.
    #[error("cannot start `{}`", .0.display())]
    Start(PathBuf, #[source] io::Error),
    /// A file has mistakes, which the command told.
    #[error("`{}` has mistakes", .0.display())]
    Mistakes(PathBuf),
    /// Something listens where a machine is to listen.
    #[error("{}", join(.0))]
    Taken(Vec<Taken>),
}

/// Finds the commands beside this one.
pub(crate) fn launcher() -> Result<Launcher, Refused> {
    let start = |error| Refused::Start("/proc/self/exe".into(), error);
    let sandbox = std::env::current_exe().map_err(start)?;
    let pipeline = sandbox.with_file_name("pipeline");
    if !pipeline.is_file() {
        return Err(Refused::NoPipeline(pipeline));
    }
    Ok(Launcher { sandbox, pipeline })
}

/// Looks at files and addresses, and lets `pipeline check` look into the files.
pub(crate) async fn check(launcher: &Launcher, machines: &[Machine]) -> Result<(), Refused> {
    if let Some(machine) = machines
        .iter()
        .find(|machine| !Path::is_file(&machine.file))
    {
        return Err(Refused::NoFile(machine.file.clone()));
    }
    let taken = ports::taken(machines);
    if !taken.is_empty() {
        return Err(Refused::Taken(taken));
    }
    for machine in machines {
        let checked = launcher
            .command(machine)
            .arg("check")
            .arg(&machine.file)
            .output()
            .await;
        let checked = checked.map_err(|error| Refused::Start(launcher.pipeline.clone(), error))?;
        if !checked.status.success() {
            say::say(String::from_utf8_lossy(&checked.stderr).trim_end());
            return Err(Refused::Mistakes(machine.file.clone()));
        }
    }
    Ok(())
}

fn join(taken: &[Taken]) -> String {
    let lines: Vec<String> = taken.iter().map(Taken::to_string).collect();
    lines.join("\n       ")
}
