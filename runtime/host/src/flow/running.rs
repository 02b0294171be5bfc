//! A flow with its supervisors.

use super::{FlowSpec, StageSpec, StartError, wiring};
use crate::edge::Edge;
use crate::supervise::{Command, Health, Hub, Post, Seat, StageState, Supervisor};
use parking_lot::Mutex;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long starting waits for one stage's `open` before the one above it is opened.
const OPEN_WAIT: Duration = Duration::from_secs(5);

/// A wired flow whose stages are supervised, from the top to the bottom.
pub(crate) struct Flow {
    pub(super) hub: Arc<Hub>,
    pub(super) members: Vec<Member>,
}

/// One stage of a running flow.
pub(crate) struct Member {
    pub(crate) spec: Mutex<StageSpec>,
    pub(crate) seat: Arc<Seat>,
    pub(crate) post: Post,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Flow {
    /// Wires a flow; nothing is opened yet.
    pub(super) fn new(spec: &FlowSpec, hub: Arc<Hub>) -> Result<Self, StartError> {
        let wiring = wiring::wire(spec, &hub)?;
        let member = |(spec, seat, post)| Member {
            spec: Mutex::new(spec),
            seat,
            post,
            thread: Mutex::new(None),
        };
        Ok(Flow {
            hub,
            members: wiring.posts.into_iter().map(member).collect(),
        })
    }

    /// Opens the stages from the bottom to the top. A stage that fails its first `open` ends that: something is wrong with
    /// its settings or its surroundings. One that takes long to answer is left to its supervisor.
    pub(super) fn open(&self) -> Result<(), StartError> {
        for member in self.members.iter().rev() {
            let spec = member.spec.lock().clone();
            let thread = Supervisor::spawn(member.seat.clone(), member.post.clone(), spec)
                .map_err(|error| StartError::Thread(error.to_string()))?;
            *member.thread.lock() = Some(thread);
            let until = Instant::now() + OPEN_WAIT;
            let opened = member.seat.wait(until, |board| board.first_open.clone());
            if let Some(Err(error)) = opened {
                return Err(StartError::Open {
                    stage: member.seat.name().to_owned(),
                    error,
                });
            }
        }
        Ok(())
    }

    /// Closes the stages from the top to the bottom; each has `timeout`. Answers with the names of those that are stuck.
    pub(super) fn close(&self, timeout: Duration) -> Vec<String> {
        let mut stuck: Vec<String> = Vec::new();
        for member in &self.members {
            member.command_close(timeout);
            // Once a stage is stuck the process will end: the others are given their time together, not one by one.
            if stuck.is_empty() && !member.wait_closed(timeout) {
                stuck.push(member.seat.name().to_owned());
            }
        }
        let late = |member: &&Member| {
            !stuck.contains(&member.seat.name().to_owned()) && !member.wait_closed(timeout)
        };
        let late: Vec<_> = self
            .members
            .iter()
            .filter(late)
            .map(|member| member.seat.name().to_owned())
            .collect();
        stuck.extend(late);
        stuck
    }

    /// Whether no stage was closed.
    pub(super) fn is_running(&self) -> bool {
        self.members.iter().all(|member| !member.is_closed())
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }
}

impl Member {
    /// Why the stage is not ready, if it is not.
    pub(super) fn not_ready(&self) -> Option<String> {
        let board = self.seat.board();
        let name = self.seat.name();
        let reason = board
            .reason()
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        match (board.is_open(), board.health) {
            (false, _) => Some(format!("stage `{name}` is {}{reason}", board.state)),
            (true, Health::Degraded) => Some(format!("stage `{name}` is degraded{reason}")),
            (true, Health::Ready) => None,
        }
    }

    fn is_spawned(&self) -> bool {
        self.thread.lock().is_some()
    }

    fn command_close(&self, timeout: Duration) {
        if self.is_spawned() {
            self.seat.command(Command::Close { timeout });
        }
    }

    /// Waits until the stage is closed; no: it is stuck.
    fn wait_closed(&self, timeout: Duration) -> bool {
        if !self.is_spawned() {
            return true;
        }
        let until = Instant::now() + timeout + Duration::from_secs(2);
        let closed = self.seat.wait(until, |board| match board.state {
            StageState::Closed => Some(true),
            StageState::Stuck => Some(false),
            _ => None,
        });
        closed == Some(true)
    }

    fn is_closed(&self) -> bool {
        !self.is_spawned() || self.seat.board().state == StageState::Closed
    }
}

impl Drop for Flow {
    /// Takes the wiring apart from the bottom to the top, so that what leads on is given up before what it came from. If a
    /// stage was not closed, or kept something that the host cannot take back, the edges stay for ever: the stage may still
    /// use them.
    fn drop(&mut self) {
        let closed = self.members.iter().all(Member::is_closed);
        for member in self.members.iter().rev() {
            if let (true, Post::Filter(filter)) = (closed, &member.post) {
                filter.abandon();
            }
            for edge in member.post.inputs() {
                retire(edge, closed);
            }
        }
    }
}

fn retire(edge: &Arc<Edge>, closed: bool) {
    if closed {
        edge.abandon();
    }
    if !edge.is_unused() {
        std::mem::forget(edge.clone());
    }
}
