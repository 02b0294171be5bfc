//! The end of a running process.

use super::app::Phase;
use super::process::{End, Process, spawn_blocking};
use super::systemd;
use crate::exit::Exit;
use std::time::Instant;
use tokio::task::JoinHandle;

/// How a process ended.
pub(crate) struct Ending {
    /// Its exit code.
    pub(crate) exit: Exit,
    /// Whether stages may still run: then the process must go without asking their libraries to tidy up.
    pub(crate) is_abrupt: bool,
}

impl Ending {
    /// Every stage has ended.
    pub(crate) fn orderly(exit: Exit) -> Self {
        Ending {
            exit,
            is_abrupt: false,
        }
    }

    /// Stages may still run.
    fn abrupt(exit: Exit) -> Self {
        Ending {
            exit,
            is_abrupt: true,
        }
    }
}

impl Process {
    /// Drains and closes everything, unless it was cut.
    pub(crate) async fn stop(&mut self, end: End) -> Ending {
        let timeout = self.settings.args.drain_timeout;
        let reason = match end {
            End::Cut => return self.cut(),
            End::Broken(exit) => exit,
            End::Finished => Exit::Clean,
            End::Signal(name) => {
                let longest = humantime::format_duration(timeout);
                self.logger
                    .info(format!("{name}: draining for at most {longest}"));
                Exit::Clean
            }
        };
        self.app.enter(Phase::Draining);
        systemd::stopping();
        let (fleet, until) = (self.fleet.clone(), Instant::now() + timeout);
        let stopped = spawn_blocking(move || fleet.stop(until));
        match self.unless_cut(stopped).await {
            Some(Exit::Software) => Ending::abrupt(Exit::Software),
            Some(_) if reason != Exit::Clean => Ending::orderly(reason),
            Some(exit) => Ending::orderly(exit),
            None => self.cut(),
        }
    }

    /// Waits for the stop; nothing when another signal cuts it.
    async fn unless_cut(&mut self, mut stopped: JoinHandle<Exit>) -> Option<Exit> {
        loop {
            tokio::select! {
                done = &mut stopped => return Some(done.unwrap_or(Exit::Software)),
                _ = self.signals.stop() => return None,
                () = self.watchdog.due() => systemd::alive(&["draining".to_owned()]),
            }
        }
    }

    /// Ends now: what is not settled is counted, not waited for.
    fn cut(&self) -> Ending {
        self.logger.warn("second signal: ending at once");
        Ending::abrupt(self.fleet.left())
    }
}
