//! Health and status, told from what is [`Shared`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pipeline_sdk::prelude::*;
use serde::Serialize;
use tokio::time::Instant;

use crate::config::Protocol;
use crate::shared::{KeyGaps, LinkState, Shared};

/// Time between two status documents.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// The first connection may take so long before it is worth telling: a start is no trouble.
const FIRST_CONNECT: Duration = Duration::from_secs(1);
/// Being full for so long is worth telling.
pub(crate) const PARKED_LONG: Duration = Duration::from_secs(5);

/// The status document.
#[derive(Serialize)]
struct Status {
    connected: bool,
    servers: Vec<Server>,
    messages: u64,
    reconnects: u64,
    duplicates: u64,
    missing: u64,
    malformed: u64,
    gaps: BTreeMap<String, KeyGaps>,
}

#[derive(Serialize)]
struct Server {
    url: String,
    connected: bool,
    reconnects: u64,
    last_data_age_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Tells health as soon as it changes and status once a second, until the stage drains: a connection that it then ends is no
/// trouble.
pub(crate) async fn run(context: Context, shared: Arc<Shared>, protocol: Protocol) {
    let open = context.gauge(
        "pipeline_websocket_source_connections",
        "",
        "Open connections",
        &[],
    );
    let mut published: Option<Instant> = None;
    loop {
        match trouble(&shared, protocol) {
            Some(reason) => context.degraded(reason),
            None => context.ready(),
        }
        if published.is_none_or(|published| published.elapsed() >= STATUS_EVERY) {
            published = Some(Instant::now());
            let status = status(&shared);
            open.set(
                status
                    .servers
                    .iter()
                    .filter(|server| server.connected)
                    .count() as f64,
            );
            context.publish_status(&status);
        }
        tokio::select! {
            biased;
            () = context.draining() => return,
            () = shared.changed.notified() => {}
            () = tokio::time::sleep(STATUS_EVERY) => {}
        }
    }
}

/// What is wrong, if anything: a connection of a plain feed, or all connections to the servers of other pipelines. One lost
/// server of several is no reason to take this one out of service.
fn trouble(shared: &Shared, protocol: Protocol) -> Option<String> {
    let troubles: Vec<_> = shared.links().map(|link| link_trouble(&link)).collect();
    match protocol {
        Protocol::PipelineV1 if troubles.iter().any(Option::is_none) => None,
        _ => {
            let reasons: Vec<_> = troubles.into_iter().flatten().collect();
            (!reasons.is_empty()).then(|| reasons.join("; "))
        }
    }
}

fn link_trouble(link: &LinkState) -> Option<String> {
    let url = &link.url;
    match &link.error {
        Some(error) if !link.connected || link.stale => Some(format!("`{url}`: {error}")),
        None if !link.connected && link.begun.elapsed() < FIRST_CONNECT => None,
        _ if !link.connected => Some(format!("`{url}`: connecting")),
        _ if link
            .parked
            .is_some_and(|since| since.elapsed() >= PARKED_LONG) =>
        {
            Some(format!(
                "`{url}`: not reading, because the stages behind take no more"
            ))
        }
        _ => None,
    }
}

fn status(shared: &Shared) -> Status {
    let servers: Vec<Server> = shared.links().map(|link| server(&link)).collect();
    Status {
        connected: servers.iter().any(|server| server.connected),
        servers,
        messages: shared.messages.get(),
        reconnects: shared.reconnects.get(),
        duplicates: shared.duplicates.get(),
        missing: shared.missing.get(),
        malformed: shared.malformed.get(),
        gaps: shared.gaps(),
    }
}

fn server(link: &LinkState) -> Server {
    let age = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    Server {
        url: link.url.clone(),
        connected: link.connected,
        reconnects: link.connects.saturating_sub(1),
        last_data_age_ms: link.last_data.map(age),
        error: link.error.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(links: usize) -> Shared {
        let urls = (0..links).map(|index| format!("ws://h{index}/"));
        Shared::new(&Context::detached("feed"), urls)
    }

    #[tokio::test(start_paused = true)]
    async fn a_plain_feed_is_in_trouble_until_connected() {
        let shared = shared(1);
        assert_eq!(trouble(&shared, Protocol::Plain), None);
        tokio::time::advance(FIRST_CONNECT).await;
        assert_eq!(
            trouble(&shared, Protocol::Plain).unwrap(),
            "`ws://h0/`: connecting"
        );
        shared.link(0).error = Some("refused with 403 Forbidden".into());
        assert_eq!(
            trouble(&shared, Protocol::Plain).unwrap(),
            "`ws://h0/`: refused with 403 Forbidden"
        );
        shared.link(0).connected = true;
        assert_eq!(trouble(&shared, Protocol::Plain), None);
        shared.link(0).stale = true;
        assert!(trouble(&shared, Protocol::Plain).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn servers_of_other_pipelines_are_trouble_only_when_all_are_lost() {
        let shared = shared(2);
        tokio::time::advance(FIRST_CONNECT).await;
        assert_eq!(
            trouble(&shared, Protocol::PipelineV1).unwrap(),
            "`ws://h0/`: connecting; `ws://h1/`: connecting"
        );
        shared.link(1).connected = true;
        assert_eq!(trouble(&shared, Protocol::PipelineV1), None);
    }

    #[tokio::test(start_paused = true)]
    async fn being_full_is_told_when_it_lasts() {
        let shared = shared(1);
        shared.link(0).connected = true;
        shared.link(0).parked = Some(Instant::now());
        assert_eq!(trouble(&shared, Protocol::Plain), None);
        tokio::time::advance(PARKED_LONG).await;
        assert!(
            trouble(&shared, Protocol::Plain)
                .unwrap()
                .contains("take no more")
        );
    }
}
