//! One URL: poll, tell, wait, again.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Method;
use pipeline_sdk::prelude::*;
use stage_http_client::{Answer, Body, Client, RequestError};
use tokio::sync::mpsc;

use crate::document::{Content, Document, Polled};
use crate::schedule::Schedule;

const SECONDS: [f64; 9] = [0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

pub(crate) struct Poller {
    url: String,
    client: Client,
    interval: Duration,
    polls: Counter,
    failures: Counter,
    seconds: Histogram,
    /// Whether the last poll failed, so that only changes are logged.
    failing: bool,
}

impl Poller {
    pub(crate) fn new(url: String, client: Client, interval: Duration, context: &Context) -> Self {
        let polls = |result| {
            context.counter(
                "pipeline_http_polls",
                "",
                "Polls by result",
                &[("result", result)],
            )
        };
        Self {
            url,
            client,
            interval,
            polls: polls("answer"),
            failures: polls("failure"),
            seconds: context.histogram(
                "pipeline_http_poll_duration",
                "seconds",
                "From a poll to the end of its answer",
                &[],
                &SECONDS,
            ),
            failing: false,
        }
    }

    /// Polls until nobody listens.
    pub(crate) async fn run(&mut self, out: mpsc::Sender<Polled>) {
        let mut schedule = Schedule::new(self.interval);
        loop {
            schedule.tick().await;
            let polled = self.poll().await;
            if out.send(polled).await.is_err() {
                return;
            }
        }
    }

    pub(crate) async fn poll(&mut self) -> Polled {
        let at = now_ns();
        let start = Instant::now();
        let answer = self.client.send(Method::GET, &[], Bytes::new()).await;
        let took = start.elapsed();
        self.seconds.record(took.as_secs_f64());
        let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
        let body = body(answer);
        self.tell(body.as_ref().err());
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let document = Document {
            url: &self.url,
            status,
            at,
            took_ms,
            body: body.as_ref().ok().map(Content::of),
            error: body.as_ref().err().cloned(),
        };
        document.polled()
    }

    /// Counts a poll, and logs it if it is the first failure or the first answer after one.
    fn tell(&mut self, error: Option<&String>) {
        let url = self.client.endpoint();
        match error {
            Some(error) if !self.failing => tracing::warn!(%url, %error, "poll failed"),
            None if self.failing => tracing::info!(%url, "poll answered again"),
            _ => {}
        }
        self.failing = error.is_some();
        if self.failing {
            &self.failures
        } else {
            &self.polls
        }
        .add(1);
    }
}

fn body(answer: Result<Answer, RequestError>) -> Result<Bytes, String> {
    match answer.map_err(|error| error.to_string())?.body {
        Body::Whole(body) => Ok(body),
        Body::TooLarge { limit } => Err(format!("body is larger than {limit} bytes (`max_body`)")),
        Body::Cut(why) => Err(why),
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
