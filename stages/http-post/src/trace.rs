//! The span `POST`, one for each sampled message in a request and for each time that it is sent.

use http::StatusCode;
use pipeline_sdk::prelude::*;
use stage_http_client::Endpoint;

/// The spans of one request, by the place of their messages in the chunk.
#[derive(Default)]
pub(crate) struct Posts(Vec<(usize, Span)>);

impl Posts {
    /// Starts the spans of a chunk that is about to be sent.
    pub(crate) fn begin(context: &Context, endpoint: &Endpoint, chunk: &Chunk) -> Self {
        let sampled = chunk
            .iter()
            .enumerate()
            .filter_map(|(place, message)| Some((place, message.sampled()?)));
        Posts(
            sampled
                .map(|(place, parent)| (place, post(context, endpoint, chunk, parent)))
                .collect(),
        )
    }

    /// The trace of the message at `place`, if it is recorded.
    pub(crate) fn trace(&self, place: usize) -> Option<Trace> {
        let index = self.0.binary_search_by_key(&place, |(place, _)| *place);
        index.ok().map(|index| self.0[index].1.trace())
    }

    /// The trace that the request itself belongs to: that of its first message which is recorded.
    pub(crate) fn of_request(&self) -> Option<Trace> {
        self.0.first().map(|(_, span)| span.trace())
    }

    /// Notes the answer.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        for (_, span) in &mut self.0 {
            span.set("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                span.fail(status.as_u16().to_string(), status.to_string());
            }
        }
    }

    /// Notes that there was no answer.
    pub(crate) fn failed(&mut self, why: &str) {
        for (_, span) in &mut self.0 {
            span.fail("connection", why);
        }
    }

    /// Notes that the receiver had started anew and was first given again what it had last.
    pub(crate) fn given_again(&mut self) {
        for (_, span) in &mut self.0 {
            span.event("given_again", Vec::new());
        }
    }

    /// Notes that the receiver can never take the message at `place`.
    pub(crate) fn rejected(&mut self, place: usize, why: &str) {
        if let Some((_, span)) = self.0.iter_mut().find(|(known, _)| *known == place) {
            span.event("rejected", vec![("pipeline.reason", why.to_owned().into())]);
        }
    }
}

fn post(context: &Context, endpoint: &Endpoint, chunk: &Chunk, parent: Trace) -> Span {
    let mut span = context
        .span(SpanKind::Client, "POST", parent)
        .with("http.request.method", "POST")
        .with("url.full", endpoint.to_string())
        .with("server.address", endpoint.host().to_owned())
        .with("server.port", endpoint.port())
        .with("messaging.batch.message_count", chunk.len());
    if chunk.tries() > 0 {
        span.set("http.request.resend_count", chunk.tries());
    }
    span
}
