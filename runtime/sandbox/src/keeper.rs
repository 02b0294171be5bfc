//! Keeps a machine running: starts it again with growing waits, until it is told to stop.

use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::machine::Machine;
use crate::process::{Launcher, Process};
use crate::say;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A machine that ran for so long was well: the waits begin anew.
const WELL: Duration = Duration::from_secs(10);
/// How long a machine may take to drain; its own limit is shorter.
const DRAIN: Duration = Duration::from_secs(10);

/// What a machine is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Order {
    Run,
    Drain,
    Kill,
}

/// The one who keeps a machine running.
pub(crate) struct Keeper {
    pub(crate) machine: Machine,
    order: watch::Sender<Order>,
    pid: watch::Receiver<Option<u32>>,
}

impl Keeper {
    /// Starts a machine and keeps it running.
    pub(crate) fn start(launcher: Launcher, machine: Machine, index: usize) -> Self {
        let (order, orders) = watch::channel(Order::Run);
        let (pids, pid) = watch::channel(None);
        let keep = Keep {
            launcher,
            machine: machine.clone(),
            index,
            orders,
            pids,
        };
        tokio::spawn(keep.run());
        Self {
            machine,
            order,
            pid,
        }
    }

    /// The process id of the machine, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Asks the machine to drain.
    pub(crate) fn drain(&self) {
        // A keeper that has ended takes no more orders.
        let _ = self.order.send(Order::Drain);
    }

    /// Kills the machine.
    pub(crate) fn kill(&self) {
        let _ = self.order.send(Order::Kill);
    }

    /// Waits until the machine has ended for good.
    pub(crate) async fn ended(&self) {
        self.order.closed().await;
    }
}

struct Keep {
    launcher: Launcher,
    machine: Machine,
    index: usize,
    orders: watch::Receiver<Order>,
    pids: watch::Sender<Option<u32>>,
}

impl Keep {
    async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            let start = Instant::now();
            let ended = self.run_once().await;
            self.pids.send_replace(None);
            if *self.orders.borrow() > Order::Run {
                return self.say(&format!("stopped ({ended})"));
            }
            if start.elapsed() > WELL {
                wait = FIRST_WAIT;
            }
            self.say(&format!(
                "ended ({ended}), starts again in {}",
                humantime::format_duration(wait)
            ));
            tokio::select! {
                () = sleep(wait) => {}
                _ = self.orders.changed() => return,
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Runs the machine's process to its end; returns how it ended.
    async fn run_once(&mut self) -> String {
        let mut process = match Process::start(&self.launcher, &self.machine, self.index) {
            Ok(process) => process,
            Err(error) => return format!("cannot start: {error}"),
        };
        self.pids.send_replace(process.pid());
        self.say(&format!(
            "started, pid {}",
            process.pid().unwrap_or_default()
        ));
        let ended = tokio::select! {
            ended = process.ended() => ended,
            _ = self.orders.changed() => self.stop(&mut process).await,
        };
        ended.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    async fn stop(&mut self, process: &mut Process) -> std::io::Result<std::process::ExitStatus> {
        if *self.orders.borrow() == Order::Drain {
            process.signal(Signal::TERM);
            let killed = self.orders.wait_for(|order| *order == Order::Kill);
            let drained = async {
                tokio::select! {
                    ended = process.ended() => Some(ended),
                    _ = killed => None,
                }
            };
            match timeout(DRAIN, drained).await {
                Ok(Some(ended)) => return ended,
                Ok(None) => {}
                Err(_) => self.say("did not stop in time and is killed"),
            }
        }
        process.signal(Signal::KILL);
        process.ended().await
    }

    fn say(&self, line: &str) {
        say::of_machine(self.index, &self.machine.name, &format!("* {line}"));
    }
}
