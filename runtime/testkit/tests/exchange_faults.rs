//! Whatever an exchange does to its feed, the source connects anew and what comes afterwards arrives.

use std::time::Duration;

use http::StatusCode;
use pipeline_testkit::{Answer, Connection, Exchange, HttpReceiver, Pipeline, Running, eventually};

const WITHIN: Duration = Duration::from_secs(60);

/// A pipeline from an exchange to an HTTP receiver, impatient enough for a test.
struct Feed {
    exchange: Exchange,
    receiver: HttpReceiver,
    pipeline: Running,
}

impl Feed {
    async fn start() -> Self {
        let exchange = Exchange::listen().await;
        let receiver = HttpReceiver::scripted([Answer::status(200)]).await;
        let pipeline = Pipeline::run_text(&format!(
            "stages:
               - use: websocket-source
                 with:
                   urls: ['{}']
                   reconnect: {{ initial: 10ms, max: 100ms }}
                   ping: {{ every: 300ms }}
                   idle_timeout: 5s
                   stale_after: 8s
                   max_message_bytes: 64KiB
               - use: http-post
                 with: {{ url: '{}', encoding: json }}",
            exchange.url(),
            receiver.url()
        ));
        Self {
            exchange,
            receiver,
            pipeline: pipeline.spawn(),
        }
    }

    async fn connected() -> (Self, Connection) {
        let feed = Self::start().await;
        let connection = feed.exchange.accept().await;
        (feed, connection)
    }

    async fn arrives(&self, text: &str) {
        eventually(WITHIN, text, async || {
            let received = self.receiver.received();
            let found = received
                .iter()
                .any(|request| request.body == text.as_bytes());
            found
                .then_some(())
                .ok_or_else(|| format!("{} other messages", received.len()))
        })
        .await;
    }

    /// `/readyz` names the source and this reason.
    async fn is_degraded(&self, why: &str) {
        eventually(WITHIN, why, async || match self.pipeline.readyz().await? {
            (StatusCode::SERVICE_UNAVAILABLE, text)
                if text.contains("websocket-source") && text.contains(why) =>
            {
                Ok(())
            }
            (status, text) => Err(format!("{status}: {text}")),
        })
        .await;
    }

    /// The source is back on a new connection, in the process that it was in.
    async fn goes_on(&mut self) {
        let mut connection = self.exchange.accept().await;
        connection.send(r#"{"after":"the fault"}"#).await;
        self.arrives(r#"{"after":"the fault"}"#).await;
        self.pipeline.sigterm();
        assert_eq!(self.pipeline.exit_code(WITHIN).await, 0);
    }
}

#[tokio::test]
async fn text_and_binary_and_fragments_arrive() {
    let (mut feed, mut connection) = Feed::connected().await;
    connection.send(r#"{"kind":"text"}"#).await;
    feed.arrives(r#"{"kind":"text"}"#).await;
    connection
        .send_binary(br#"{"kind":"binary"}"#.as_slice())
        .await;
    feed.arrives(r#"{"kind":"binary"}"#).await;
    connection
        .send_fragments(&[r#"{"kind":"#, r#""frag"#, r#"ments"}"#])
        .await;
    feed.arrives(r#"{"kind":"fragments"}"#).await;
    connection.reset();
    feed.goes_on().await;
}

#[tokio::test]
async fn a_close_code_is_no_end() {
    let (mut feed, connection) = Feed::connected().await;
    connection.close(1008, "too many subscriptions").await;
    feed.goes_on().await;
    assert!(
        feed.pipeline.stderr().contains("1008"),
        "the close code is logged"
    );
}

#[tokio::test]
async fn a_half_open_socket_is_given_up() {
    let (mut feed, held_and_never_read) = Feed::connected().await;
    feed.goes_on().await;
    drop(held_and_never_read);
}

#[tokio::test]
async fn a_feed_that_only_answers_pings_is_stale() {
    let (mut feed, connection) = Feed::connected().await;
    let _silent = connection.stay_silent();
    feed.goes_on().await;
}

#[tokio::test]
async fn frames_against_the_protocol_end_only_the_connection() {
    let (mut feed, mut connection) = Feed::connected().await;
    connection.send_text_bytes(&[0xff, 0xfe]).await;
    let mut connection = feed.exchange.accept().await;
    connection.send_compressed(b"{}").await;
    let mut connection = feed.exchange.accept().await;
    connection.send_fragments(&["1", &"2".repeat(70_000)]).await;
    feed.goes_on().await;
    let bodies = feed.receiver.received();
    assert_eq!(
        bodies.len(),
        1,
        "nothing of the broken frames was handed on"
    );
}

#[tokio::test]
async fn refused_upgrades_are_tried_again() {
    let mut feed = Feed::start().await;
    let mut arrival = feed.exchange.arrival().await;
    for (status, header) in [
        ("429 Too Many Requests", ("retry-after", "1")),
        ("302 Found", ("location", "http://127.0.0.1:1/")),
        ("503 Service Unavailable", ("retry-after", "0")),
    ] {
        arrival.refuse(status, &[header]).await;
        // The next try is held unanswered, so what is told is still the refusal.
        arrival = feed.exchange.arrival().await;
        feed.is_degraded(status).await;
    }
    arrival.reset();
    feed.goes_on().await;
    let log = feed.pipeline.stderr();
    assert!(log.contains("429 Too Many Requests"), "it is logged");
}

#[tokio::test]
async fn an_exchange_that_is_down_makes_the_pipeline_degraded() {
    let mut feed = Feed::start().await;
    feed.exchange.accept().await.reset();
    feed.exchange.down();
    feed.is_degraded("refused").await;
    feed.exchange.up().await;
    feed.goes_on().await;
}
