//! The spans of the server: `POST` (a request, once for each sampled message in it), `broadcast` (into the ring, and the
//! clients are told) and `deliver` (from the write to one client until that client has it).

mod deliveries;

pub(crate) use deliveries::Deliveries;

use std::sync::atomic::{AtomicBool, Ordering};

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode};
use pipeline_sdk::prelude::*;
use stage_envelope::Envelope;

use crate::auth::Peer;
use crate::hub::now_ns;

/// The trace of a message, if it is recorded.
pub(crate) fn recorded(message: &Envelope<'_>) -> Option<Trace> {
    let trace = Trace::parse(message.traceparent.as_deref()?)?;
    trace.is_sampled().then_some(trace)
}

/// Starts `broadcast` and makes it the parent of whatever comes behind the ring.
pub(crate) fn broadcast(context: &Context, message: &mut Envelope<'_>, parent: Trace) -> Span {
    let mut span = context.span(SpanKind::Producer, "broadcast", parent);
    if let Some(position) = &message.position {
        span.set(
            "messaging.destination.name",
            position.topic.clone().into_owned(),
        );
        span.set(
            "messaging.destination.partition.id",
            position.partition.to_string(),
        );
        span.set("messaging.kafka.offset", position.offset);
    }
    if message.replay {
        span.set("pipeline.replay", true);
        span.event("replayed", Vec::new());
    }
    message.traceparent = Some(span.trace().to_string().into());
    span
}

/// The server's side of one POST: a span for each sampled message in it.
pub(crate) struct Request {
    context: Context,
    peer: Peer,
    host: Option<HeaderValue>,
    started_ns: i64,
    open: Vec<Span>,
}

impl Request {
    /// A request that begins now.
    pub(crate) fn begin(context: &Context, peer: Peer, headers: &HeaderMap) -> Self {
        Self {
            context: context.clone(),
            peer,
            host: headers.get(HOST).cloned(),
            started_ns: now_ns(),
            open: Vec::new(),
        }
    }

    /// Starts the spans of a message of the request, if its trace is recorded. What is given is its `broadcast`.
    pub(crate) fn message(&mut self, message: &mut Envelope<'_>) -> Option<Span> {
        let parent = recorded(message)?;
        let mut post = self
            .context
            .span(SpanKind::Server, "POST", parent)
            .remote()
            .started_ns(self.started_ns)
            .with("http.request.method", "POST")
            .with("http.route", "/api/trades")
            .with("url.path", "/api/trades")
            .with("client.address", self.peer.address.to_string());
        if let Some(server) = self.server() {
            post.set("server.address", server.host().to_owned());
            if let Some(port) = server.port_u16() {
                post.set("server.port", port);
            }
        }
        let broadcast = broadcast(&self.context, message, post.trace());
        self.open.push(post);
        Some(broadcast)
    }

    /// Whom the client wants to talk to.
    fn server(&self) -> Option<Authority> {
        self.host.as_ref()?.to_str().ok()?.parse().ok()
    }

    /// Notes the answer and ends the spans.
    pub(crate) fn answered(self, status: StatusCode) {
        for mut span in self.open {
            span.set("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.fail(status.as_u16().to_string(), status.to_string());
            }
        }
    }
}

/// A sampled message in the ring, which one client's delivery is traced of.
#[derive(Debug)]
pub(crate) struct Unclaimed {
    trace: Trace,
    claimed: AtomicBool,
}

impl Unclaimed {
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            trace,
            claimed: AtomicBool::new(false),
        }
    }

    /// Gives the trace to the first who asks.
    pub(crate) fn claim(&self) -> Option<Trace> {
        let first = !self.claimed.swap(true, Ordering::Relaxed);
        first.then_some(self.trace)
    }
}
