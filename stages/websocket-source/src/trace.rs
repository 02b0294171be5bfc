//! The span `receive`: from the frame's arrival until the message is delivered. A trace begins here, or goes on from the
//! server of another pipeline.

use pipeline_sdk::prelude::*;

use crate::shared::Shared;

/// Starts the spans of received messages.
pub(crate) struct Tracer {
    context: Context,
    roots: Roots,
}

impl Tracer {
    pub(crate) fn new(context: &Context) -> Self {
        Tracer {
            roots: context.roots(),
            context: context.clone(),
        }
    }

    /// The span of a message that came over `link`, if its trace is recorded or begins with it.
    pub(crate) fn receive(
        &mut self,
        record: &Record<'_>,
        received_ns: i64,
        topic: Option<&str>,
        (link, shared): (usize, &Shared),
    ) -> Option<Span> {
        let parent = record.belongs_to();
        let recorded = match parent {
            Some(parent) => parent.is_sampled(),
            None => topic.is_none() && self.roots.pick(received_ns),
        };
        recorded.then(|| {
            let span = self.context.span(SpanKind::Consumer, "receive", parent);
            let mut span = span
                .started_ns(received_ns)
                .with("messaging.system", "websocket")
                .with("messaging.operation.name", "receive")
                .with("messaging.operation.type", "receive")
                .with("url.full", shared.link(link).url.clone());
            if parent.is_some() {
                span = span.remote();
            }
            if let Some(topic) = topic {
                span.set("messaging.destination.name", topic.to_owned());
            }
            span
        })
    }
}
