//! The gauges of the connections.

use std::time::SystemTime;

use pipeline_sdk::prelude::*;
use tokio::time::Instant;

use crate::address;
use crate::shared::{LinkState, Shared};

/// The gauges of each connection.
pub(crate) struct Metrics {
    links: Vec<(Gauge, Gauge)>,
}

impl Metrics {
    pub(crate) fn new(context: &Context, shared: &Shared) -> Self {
        let gauges = |(index, server): (usize, String)| {
            let index = index.to_string();
            let labels = &[("connection", index.as_str()), ("server", server.as_str())];
            let connected = context.gauge(
                "pipeline_websocket_source_connected",
                "",
                "1 while the connection is open, else 0",
                labels,
            );
            let last_data = context.gauge(
                "pipeline_websocket_source_last_data_timestamp",
                "seconds",
                "When the last message came over the connection; when it was begun, if none came yet",
                labels,
            );
            (connected, last_data)
        };
        let servers: Vec<_> = shared
            .links()
            .map(|link| address::server(&link.url))
            .collect();
        Metrics {
            links: servers.into_iter().enumerate().map(gauges).collect(),
        }
    }

    /// Shows how the connections are now.
    pub(crate) fn show(&self, shared: &Shared) {
        for ((connected, last_data), link) in self.links.iter().zip(shared.links()) {
            connected.set(f64::from(u8::from(link.connected)));
            last_data.set(seconds(since(&link)));
        }
    }
}

fn since(link: &LinkState) -> Instant {
    link.last_data.unwrap_or(link.begun)
}

/// Seconds from the Unix epoch to then.
fn seconds(then: Instant) -> f64 {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    since_epoch.saturating_sub(then.elapsed()).as_secs_f64()
}
