//! Health and status, told from what is [`Shared`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pipeline_sdk::prelude::*;
use serde::Serialize;
use tokio::time::Instant;

use crate::config::{Config, Protocol};
use crate::metrics::Metrics;
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
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Server>,
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
pub(crate) async fn run(context: Context, shared: Arc<Shared>, config: Arc<Config>) {
    let metrics = Metrics::new(&context, &shared);
    let mut published: Option<Instant> = None;
    loop {
        match trouble(&shared, &config) {
            Some(reason) => context.degraded(reason),
            None => context.ready(),
        }
        if published.is_none_or(|published| published.elapsed() >= STATUS_EVERY) {
            published = Some(Instant::now());
            metrics.show(&shared);
            context.publish_status(&status(&shared));
        }
        tokio::select! {
            biased;
            () = context.draining() => return,
            () = shared.changed.notified() => {}
            () = tokio::time::sleep(STATUS_EVERY) => {}
        }
    }
}

/// What is wrong with this stage, if anything.
///
/// A plain feed is needed: without it, it is in trouble. Of several servers of other pipelines one is enough. The servers that
/// a relay listens to (`local_only`) are its equals: that all of them are lost is their trouble, and taking this one out of
/// service too would take out the last that lives. It is told in the status document.
fn trouble(shared: &Shared, config: &Config) -> Option<String> {
    let mut lost: Vec<String> = shared.links().filter_map(|link| lost(&link)).collect();
    let is_fed = match config.protocol {
        Protocol::Plain => lost.is_empty(),
        Protocol::PipelineV1 => config.local_only || lost.len() < shared.links().count(),
    };
    if is_fed {
        lost.clear();
    }
    let stuck = shared.links().filter_map(|link| stuck(&link));
    let reasons: Vec<String> = lost.into_iter().chain(stuck).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Why nothing comes over a connection.
fn lost(link: &LinkState) -> Option<String> {
    let url = &link.url;
    match &link.error {
        Some(error) if !link.connected || link.stale => Some(format!("`{url}`: {error}")),
        None if !link.connected && link.begun.elapsed() < FIRST_CONNECT => None,
        _ if !link.connected => Some(format!("`{url}`: connecting")),
        _ => None,
    }
}

/// Says that what comes over a connection goes nowhere.
fn stuck(link: &LinkState) -> Option<String> {
    let is_stuck = link
        .parked
        .is_some_and(|since| since.elapsed() >= PARKED_LONG);
    let url = &link.url;
    is_stuck.then(|| format!("`{url}`: not reading, because the stages behind take no more"))
}

fn status(shared: &Shared) -> Status {
    let servers: Vec<Server> = shared.links().map(|link| server(&link)).collect();
    Status {
        connected: servers.iter().any(|server| server.connected),
        servers,
        fills: shared.filled().map(|filled| server(&filled)),
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
    use serde_json::json;

    fn shared(links: usize) -> Shared {
        let urls = (0..links).map(|index| format!("ws://h{index}/"));
        Shared::new(&Context::detached("feed"), urls)
    }

    fn config(more: serde_json::Value) -> Config {
        let mut config = json!({"urls": []});
        let fields = more.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(fields);
        serde_json::from_value(config).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_plain_feed_is_in_trouble_until_connected() {
        let (shared, config) = (shared(1), config(json!({})));
        assert_eq!(trouble(&shared, &config), None);
        tokio::time::advance(FIRST_CONNECT).await;
        assert_eq!(trouble(&shared, &config).unwrap(), "`ws://h0/`: connecting");
        shared.link(0).error = Some("refused with 403 Forbidden".into());
        assert_eq!(
            trouble(&shared, &config).unwrap(),
            "`ws://h0/`: refused with 403 Forbidden"
        );
        shared.link(0).connected = true;
        assert_eq!(trouble(&shared, &config), None);
        shared.link(0).stale = true;
        assert!(trouble(&shared, &config).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn servers_of_other_pipelines_are_trouble_only_when_all_are_lost() {
        let (shared, config) = (shared(2), config(json!({"protocol": "pipeline.v1"})));
        tokio::time::advance(FIRST_CONNECT).await;
        assert_eq!(
            trouble(&shared, &config).unwrap(),
            "`ws://h0/`: connecting; `ws://h1/`: connecting"
        );
        shared.link(1).connected = true;
        assert_eq!(trouble(&shared, &config), None);
    }

    #[tokio::test(start_paused = true)]
    async fn lost_equals_are_in_the_status_and_no_trouble() {
        let config = config(json!({"protocol": "pipeline.v1", "local_only": true}));
        let shared = shared(2);
        tokio::time::advance(FIRST_CONNECT).await;
        shared.link(0).error = Some("connection lost".into());
        assert_eq!(trouble(&shared, &config), None);
        let status = serde_json::to_value(status(&shared)).unwrap();
        assert_eq!(status["connected"], false);
        assert_eq!(status["servers"][0]["error"], "connection lost");
        // That this one takes no more is its own trouble.
        shared.link(1).connected = true;
        shared.link(1).parked = Some(Instant::now());
        tokio::time::advance(PARKED_LONG).await;
        let reason = trouble(&shared, &config).unwrap();
        assert!(reason.starts_with("`ws://h1/`: not reading"), "{reason}");
    }

    #[tokio::test(start_paused = true)]
    async fn being_full_is_told_when_it_lasts() {
        let (shared, config) = (shared(1), config(json!({})));
        shared.link(0).connected = true;
        shared.link(0).parked = Some(Instant::now());
        assert_eq!(trouble(&shared, &config), None);
        tokio::time::advance(PARKED_LONG).await;
        assert!(trouble(&shared, &config).unwrap().contains("take no more"));
    }
}
