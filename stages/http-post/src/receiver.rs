//! One request to the receiver, and what its answer means.

use std::time::{Instant, SystemTime};

use http::header::{ETAG, IF_MATCH};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use pipeline_sdk::prelude::*;
use stage_envelope::REPLAY_HEADER;
use stage_http_client::{Answer, Body, Client, Header};

use crate::answer::{Rejected, excerpt, rejected};
use crate::config::{Config, Encoding};
use crate::encode::{Encoded, encode};
use crate::given::{Given, Keep, Partitions, Request, run};
use crate::metrics::Metrics;
use crate::retry_after::retry_after;
use crate::trace::Posts;
use crate::verdict::Verdict;

/// Header of the W3C trace context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const REPLAY: HeaderName = HeaderName::from_static(REPLAY_HEADER);

/// Where messages go. Requests of several partitions may be in flight at the same time.
pub(crate) struct Receiver {
    client: Client,
    encoding: Encoding,
    /// What an excerpt of an answer must not show.
    secrets: Vec<String>,
    keep: Option<Keep>,
    partitions: Partitions,
    metrics: Metrics,
    context: Context,
}

impl Receiver {
    pub(crate) fn new(config: &Config, context: &Context) -> Result<Self> {
        let secrets = config
            .headers
            .values()
            .chain(&config.token)
            .map(|secret| secret.expose().to_owned());
        Ok(Self {
            client: config.client(context)?,
            encoding: config.encoding,
            secrets: secrets.filter(|secret| !secret.is_empty()).collect(),
            keep: config.keep(),
            partitions: Partitions::default(),
            metrics: Metrics::new(context),
            context: context.clone(),
        })
    }

    /// Sends a chunk in one request. Rejects what can never be delivered; `Ok` means that the rest was.
    pub(crate) async fn deliver(&self, chunk: &Chunk) -> Result<(), WriteError> {
        let mut posts = Posts::begin(&self.context, self.client.endpoint(), chunk);
        let encoded = encode(self.encoding, chunk.iter(), &posts);
        let rejected = match self.keep.zip(run(chunk)) {
            None => {
                self.post(&encoded, &mut Given::default(), &mut posts)
                    .await?
            }
            Some((keep, (partition, first, last, is_replay))) => {
                let mut given = self.partitions.take(chunk.topic(), partition);
                given.before(first, is_replay);
                let posted = self.post(&encoded, &mut given, &mut posts).await;
                if posted.is_ok() {
                    let messages = encoded.places.len();
                    let body = encoded.body;
                    given.keep(Request { body, messages }, last, keep);
                }
                self.partitions.put(chunk.topic(), partition, given);
                posted?
            }
        };
        for (place, why) in rejected {
            posts.rejected(place, &why);
            chunk.reject(place, &why);
        }
        Ok(())
    }

    /// Sends a body; returns which messages of the chunk can never be delivered.
    pub(crate) async fn post(
        &self,
        encoded: &Encoded,
        given: &mut Given,
        posts: &mut Posts,
    ) -> Result<Rejected, WriteError> {
        let mut unfit = encoded.unfit.clone();
        if encoded.places.is_empty() {
            return Ok(unfit);
        }
        let request = Request {
            body: encoded.body.clone(),
            messages: encoded.places.len(),
        };
        let mut answer = self.send_traced(&request, given, posts).await?;
        if answer.status == StatusCode::PRECONDITION_FAILED && given.tag.is_some() {
            self.give_again(given, &answer).await?;
            posts.given_again();
            answer = self.send_traced(&request, given, posts).await?;
        }
        posts.answered(answer.status);
        let refused = self.judge(&answer, request.messages)?;
        given.tag = answer.headers.get(ETAG).cloned();
        let refused = refused.into_iter();
        unfit.extend(refused.map(|(index, why)| (encoded.places[index], why)));
        Ok(unfit)
    }

    /// Sends a request whose spans are told when there is no answer.
    async fn send_traced(
        &self,
        request: &Request,
        given: &Given,
        posts: &mut Posts,
    ) -> Result<Answer, WriteError> {
        let tag = given.tag.as_ref();
        let sent = self.send(request, tag, false, posts.of_request()).await;
        if let Err(WriteError::Retry { error, .. }) = &sent {
            posts.failed(&error.to_string());
        }
        sent
    }

    /// Gives a receiver that started anew, as `answer` says, what the one before was given last.
    async fn give_again(&self, given: &mut Given, answer: &Answer) -> Result<(), WriteError> {
        let tag = answer.headers.get(ETAG);
        let Some(keep) = self.keep else { return Ok(()) };
        for request in given.again(keep) {
            let answer = self.send(&request, tag, true, None).await?;
            match Verdict::from(answer.status) {
                // What it does not take now it did not take before.
                Verdict::Delivered | Verdict::Messages => {
                    self.metrics.resent.add(request.messages as u64);
                }
                Verdict::Retry(_) => {
                    return Err(self.retry(&status_text(answer.status), Some(&answer)));
                }
            }
            tracing::info!(url = %self.client.endpoint(), messages = request.messages, "the receiver started anew: given again what it had last");
        }
        given.tag = tag.cloned();
        Ok(())
    }

    /// Sends one request to the receiver that `tag` names, or to whichever is there.
    async fn send(
        &self,
        request: &Request,
        tag: Option<&HeaderValue>,
        is_replay: bool,
        trace: Option<Trace>,
    ) -> Result<Answer, WriteError> {
        let trace_text = |trace: Trace| HeaderValue::from_str(trace.text().as_str()).ok();
        let headers: Vec<Header> = [
            tag.map(|tag| (IF_MATCH, tag.clone())),
            is_replay.then(|| (REPLAY, HeaderValue::from_static("true"))),
            trace.and_then(trace_text).map(|text| (TRACEPARENT, text)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let in_flight = self.metrics.start(request.messages);
        let start = Instant::now();
        let body = request.body.clone();
        let answer = self.client.send(Method::POST, &headers, body).await;
        drop(in_flight);
        self.metrics.ended(
            answer.as_ref().ok().map(|answer| answer.status),
            start.elapsed(),
            trace,
        );
        answer.map_err(|error| self.retry(&error.to_string(), None))
    }

    fn judge(&self, answer: &Answer, sent: usize) -> Result<Rejected, WriteError> {
        let status = answer.status;
        match Verdict::from(status) {
            Verdict::Delivered => self.delivered(answer, sent),
            Verdict::Messages => self.refused(answer, sent),
            Verdict::Retry("") => Err(self.retry(&status_text(status), Some(answer))),
            Verdict::Retry(why) => {
                Err(self.retry(&format!("{}: {why}", status_text(status)), Some(answer)))
            }
        }
    }

    fn delivered(&self, answer: &Answer, sent: usize) -> Result<Rejected, WriteError> {
        if self.encoding != Encoding::Envelope {
            return Ok(Rejected::new());
        }
        match &answer.body {
            Body::Whole(body) => Ok(rejected(body, sent).unwrap_or_default()),
            // Which messages it rejected is not known. The receiver knows positions: sending them again is harmless.
            Body::Cut(why) => {
                Err(self.retry(&format!("{}: {why}", status_text(answer.status)), None))
            }
            Body::TooLarge { limit } => {
                tracing::warn!(url = %self.client.endpoint(), limit, "answer is too large to look for rejected messages in");
                Ok(Rejected::new())
            }
        }
    }

    /// A status about messages: either the answer says which, or smaller requests find out.
    fn refused(&self, answer: &Answer, sent: usize) -> Result<Rejected, WriteError> {
        let body = if let Body::Whole(body) = &answer.body {
            body.as_ref()
        } else {
            b""
        };
        if self.encoding == Encoding::Envelope
            && let Some(all) = rejected(body, sent).filter(|rejected| rejected.len() == sent)
        {
            return Ok(all);
        }
        let status = status_text(answer.status);
        let why = excerpt(body, &self.secrets);
        Err(WriteError::Invalid(if why.is_empty() {
            status
        } else {
            format!("{status}: {why}")
        }))
    }

    /// Names the receiver and why it did not take the messages. Neither has secrets in it.
    fn retry(&self, why: &str, answer: Option<&Answer>) -> WriteError {
        self.metrics.retry();
        WriteError::Retry {
            error: format!("POST {}: {why}", self.client.endpoint()).into(),
            after: answer.and_then(|answer| retry_after(&answer.headers, SystemTime::now())),
        }
    }
}

fn status_text(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

#[cfg(test)]
mod tests;
