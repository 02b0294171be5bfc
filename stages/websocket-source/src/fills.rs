//! The server that the messages end up in: whether it still has what it was given.
//!
//! Such a server keeps messages in memory only. It can start anew alone, while this stage lives on and has told it
//! everything; its `hello` then names another epoch. Nothing but `hello` is asked for, and the connection kept, so that the end
//! of the server is noticed at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use pipeline_sdk::prelude::*;
use rustls::ClientConfig;
use stage_envelope::{Frame, parse_frame};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as WebSocketMessage;

use crate::address::Address;
use crate::config::Config;
use crate::connect::{Socket, connect};
use crate::failure::Failure;
use crate::shared::Shared;
use crate::throttle::Throttle;

/// How long nothing is handed on to a server that was lost. It is back sooner if it comes back at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It was never reached.
    Unknown,
    /// It is there, in this epoch.
    There(String),
    /// It was there, in this epoch.
    Lost(String),
}

impl State {
    /// Notes that the server is gone; tells whether it was there.
    fn lose(&mut self) -> bool {
        let State::There(epoch) = self else {
            return false;
        };
        *self = State::Lost(std::mem::take(epoch));
        true
    }
}

/// Follows the server's state; without a server there is never any news.
pub(crate) struct Filled {
    states: watch::Receiver<State>,
    /// The epoch in which the server was given what was handed on so far.
    epoch: Option<String>,
    /// It stayed away too long: what comes is handed on until it is back.
    given_up: bool,
}

impl Filled {
    /// Waits until the server is lost, or has started anew.
    pub(crate) async fn lost(&mut self) {
        loop {
            let state = self.states.borrow_and_update().clone();
            match (state, &self.epoch) {
                (State::There(epoch), None) => self.epoch = Some(epoch),
                (State::Lost(epoch), None) => {
                    self.epoch = Some(epoch);
                    return;
                }
                (State::There(epoch), Some(before)) if epoch != *before => return,
                (State::There(_), Some(_)) => self.given_up = false,
                (State::Lost(_), Some(_)) if !self.given_up => return,
                _ => {}
            }
            if self.states.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until the server is back; answers whether it still has what it was given.
    pub(crate) async fn back(&mut self) -> bool {
        let is_there = |state: &State| matches!(state, State::There(_));
        let back = timeout(PATIENCE, self.states.wait_for(is_there)).await;
        let epoch = match back.map(|state| state.map(|state| state.clone())) {
            Ok(Ok(State::There(epoch))) => Some(epoch),
            _ => None,
        };
        self.given_up = epoch.is_none();
        let has_all = epoch.is_none() || epoch == self.epoch;
        self.epoch = epoch.or_else(|| self.epoch.take());
        has_all
    }
}

/// Keeps watching the server, until the stage drains.
pub(crate) struct Watcher {
    pub(crate) address: Address,
    pub(crate) config: Arc<Config>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) context: Context,
    pub(crate) shared: Arc<Shared>,
}

/// Starts to watch the server that is filled, if one is named.
pub(crate) fn watch(context: &Context, watcher: Option<Watcher>) -> Filled {
    let (sender, states) = watch::channel(State::Unknown);
    if let Some(watcher) = watcher {
        context.spawn(watcher.run(sender));
    }
    Filled {
        states,
        epoch: None,
        given_up: false,
    }
}

impl Watcher {
    async fn run(self, states: watch::Sender<State>) {
        let mut waits = Backoff::new(*self.config.reconnect.initial, *self.config.reconnect.max);
        let mut failed = Throttle::default();
        loop {
            let failure = tokio::select! {
                biased;
                () = self.context.draining() => return,
                failure = self.connection(&states) => failure,
            };
            let was_there = states.send_if_modified(State::lose);
            if was_there {
                waits.reset();
            }
            // Where the server asks for a longer wait it means clients that have elsewhere to go.
            let wait = waits.next_delay();
            if let Some(times) = failed.pass(1) {
                tracing::warn!(
                    times,
                    "`{}` (`fills`): {}; next try in {wait:?}",
                    self.address,
                    failure.why
                );
            }
            self.shared.note_filled(false, Some(failure.why));
            tokio::select! {
                biased;
                () = self.context.draining() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Makes one connection and keeps it until it ends.
    async fn connection(&self, states: &watch::Sender<State>) -> Failure {
        let parameters = [("hello_only", "true".to_owned())];
        let opened = connect(&self.config, self.tls.as_ref(), &self.address, &parameters).await;
        let (mut socket, _meter) = match opened {
            Ok(opened) => opened,
            Err(failure) => return failure,
        };
        match timeout(*self.config.connect_timeout, epoch(&mut socket)).await {
            Ok(Ok(epoch)) => states.send_replace(State::There(epoch)),
            Ok(Err(failure)) => return failure,
            Err(_) => return Failure::new("no `hello` within `connect_timeout`"),
        };
        self.shared.note_filled(true, None);
        loop {
            if let Err(failure) = next(&mut socket).await {
                return failure;
            }
        }
    }
}

/// Reads the epoch that the server is in.
async fn epoch(socket: &mut Socket) -> Result<String, Failure> {
    loop {
        if let WebSocketMessage::Text(text) = next(socket).await? {
            return match parse_frame(&text) {
                Ok(Frame::Hello(hello)) => Ok(hello.epoch),
                _ => Err(Failure::new("the first frame is no `hello`")),
            };
        }
    }
}

/// Reads one message; the library answers pings meanwhile.
async fn next(socket: &mut Socket) -> Result<WebSocketMessage, Failure> {
    match socket.next().await {
        Some(Ok(WebSocketMessage::Close(frame))) => Err(Failure::closed(frame.as_ref())),
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(Failure::from_websocket(&error)),
        None => Err(Failure::new("connection lost without a close frame")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn filled() -> (watch::Sender<State>, Filled) {
        let (sender, states) = watch::channel(State::Unknown);
        let filled = Filled {
            states,
            epoch: None,
            given_up: false,
        };
        (sender, filled)
    }

    fn there(epoch: &str) -> State {
        State::There(epoch.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_lost_only_after_it_was_there() {
        let (states, mut filled) = filled();
        assert_eq!(filled.lost().now_or_never(), None);
        states.send_replace(there("1"));
        states.send_modify(|state| assert!(state.lose()));
        assert_eq!(filled.lost().now_or_never(), Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn only_another_epoch_means_that_it_has_lost_all() {
        let (states, mut filled) = filled();
        states.send_replace(there("1"));
        assert_eq!(filled.lost().now_or_never(), None);
        for (epoch, has_all) in [("1", true), ("2", false), ("2", true), ("3", false)] {
            states.send_replace(there(epoch));
            assert_eq!(filled.back().await, has_all, "{epoch}");
        }
        // Lost and back between two looks.
        states.send_replace(there("4"));
        assert_eq!(filled.lost().now_or_never(), Some(()));
        assert!(!filled.back().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_away_is_waited_for_once() {
        let (states, mut filled) = filled();
        states.send_replace(there("1"));
        assert_eq!(filled.lost().now_or_never(), None);
        states.send_modify(|state| assert!(state.lose()));
        assert!(filled.back().await, "nothing is known to be lost");
        assert_eq!(filled.lost().now_or_never(), None);
        states.send_replace(there("1"));
        assert_eq!(filled.lost().now_or_never(), None);
        states.send_modify(|state| assert!(state.lose()));
        assert_eq!(filled.lost().now_or_never(), Some(()));
        states.send_replace(there("2"));
        assert!(!filled.back().await);
    }
}
