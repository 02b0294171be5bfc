//! Ties a process to the sandbox: the sandbox starts itself again as `pipeline-sandbox leashed …`, which asks the kernel to be
//! killed when its parent ends, and then becomes the real program. Nothing is left behind even after `kill -9`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

const WORD: &str = "leashed";

/// What a leashed process was asked to become.
pub(crate) struct Leashed {
    parent: Option<Pid>,
    program: OsString,
    args: Vec<OsString>,
}

/// A command that runs `program` on the leash of this process.
pub(crate) fn command(sandbox: &Path, program: &Path) -> Command {
    let mut command = Command::new(sandbox);
    command
        .arg(WORD)
        .arg(std::process::id().to_string())
        .arg(program);
    command
}

/// What this process was asked to become, if it is one that the sandbox started.
pub(crate) fn requested() -> Option<Leashed> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != WORD {
        return None;
    }
    let parent = args.next()?.to_str()?.parse().ok().and_then(Pid::from_raw);
    Some(Leashed {
        parent,
        program: args.next()?,
        args: args.collect(),
    })
}

/// Becomes the program. Returns only if that failed.
pub(crate) fn run(leashed: Leashed) -> ExitCode {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        eprintln!("cannot follow the sandbox when it ends: {error}");
        return ExitCode::FAILURE;
    }
    // The parent may have ended before the kernel knew.
    if getppid() != leashed.parent {
        return ExitCode::FAILURE;
    }
    let error = Command::new(&leashed.program).args(leashed.args).exec();
    eprintln!("cannot start `{}`: {error}", leashed.program.display());
    ExitCode::FAILURE
}
