//! The exit codes of `pipeline`, in one table: `--help`, the manual page and the code all read it.

use std::process::ExitCode;

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing was lost.
    Clean,
    /// The command line or a pipeline file is wrong.
    Usage,
    /// A stage with `on_reject: stop` rejected a message.
    Rejected,
    /// What is needed is not there.
    Unavailable,
    /// A stage did not end in its time, or this program is wrong.
    Software,
    /// Output failed.
    Undelivered,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub(crate) const ALL: [Exit; 6] = [
        Exit::Clean,
        Exit::Usage,
        Exit::Rejected,
        Exit::Unavailable,
        Exit::Software,
        Exit::Undelivered,
    ];

    /// The code, as in `sysexits.h`.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Usage => 64,
            Exit::Rejected => 65,
            Exit::Unavailable => 69,
            Exit::Software => 70,
            Exit::Undelivered => 74,
        }
    }

    /// What it means to whoever runs the command.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Clean => "nothing was lost: all is delivered, or its source delivers it again",
            Exit::Usage => "wrong command line or pipeline file; every mistake was printed",
            Exit::Rejected => "a stage with `on_reject: stop` rejected a message",
            Exit::Unavailable => "cannot start, `restart: never` stage failed, or nobody to ask",
            Exit::Software => "a stage ignored `close` for its time, or an internal error",
            Exit::Undelivered => {
                "messages are lost that no source delivers again, or output failed"
            }
        }
    }

    /// The table as text.
    pub(crate) fn table() -> String {
        let rows = Exit::ALL.map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.concat())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
