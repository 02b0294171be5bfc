//! What the stage answers over HTTP: `POST /api/trades`, `GET /ws`, and the files of the site.

mod post;
mod query;
mod refusal;
mod server;
mod site;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use pipeline_names::OwnNames;
use pipeline_sdk::{Context, Secret};
use tokio::sync::{Semaphore, watch};

pub(crate) use server::Server;

use crate::auth::Origins;
use crate::client::Pace;
use crate::config::Config;
use crate::gate::Gate;
use crate::hub::Hub;
use crate::phase::Phase;
use refusal::Refusal;

/// Bodies that may be in memory at a time, as a multiple of the largest.
const BODIES: usize = 4;

/// What every handler needs.
pub(crate) struct App {
    pub(crate) hub: Arc<Hub>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) context: Context,
    token: Option<Secret>,
    names: OwnNames,
    origins: Origins,
    pace: Pace,
    max_body: usize,
    body_timeout: Duration,
    bodies: Semaphore,
    ping_every: Duration,
    ping_timeout: Duration,
    reconnect_spread: Duration,
}

impl App {
    pub(crate) fn new(
        config: &Config,
        hub: Arc<Hub>,
        gate: Arc<Gate>,
        phase: watch::Receiver<Phase>,
        context: Context,
    ) -> Self {
        let max_body = usize::try_from(config.max_body.as_u64()).unwrap_or(usize::MAX);
        Self {
            hub,
            gate,
            phase,
            context,
            token: config.token.clone(),
            names: OwnNames::new(&config.listen),
            origins: Origins::new(config.allowed_origins()),
            pace: Pace {
                slow: config.slow_client,
                max_lag: config.lag_limits(),
            },
            max_body,
            body_timeout: *config.request_timeout,
            bodies: Semaphore::new(max_body.saturating_mul(BODIES).min(Semaphore::MAX_PERMITS)),
            ping_every: *config.ping.every,
            ping_timeout: *config.ping.timeout,
            reconnect_spread: *config.reconnect_spread,
        }
    }

    fn is_serving(&self) -> Result<(), Refusal> {
        match *self.phase.borrow() {
            Phase::Serving => Ok(()),
            Phase::Draining | Phase::Closing => Err(Refusal::draining()),
        }
    }
}

/// Makes the routes.
pub(crate) fn router(app: Arc<App>, config: &Config) -> Router {
    let router = Router::new()
        .route("/api/trades", post(post::take))
        .route("/ws", get(upgrade::upgrade))
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .with_state(app);
    match &config.site {
        Some(folder) => router.fallback_service(site::service(folder, &config.peers, &config.page)),
        None => router.fallback(refusal::not_found),
    }
}
