//! The span `open`: from the call of a stage's `open` until the stage says that it is open, or fails.
//!
//! It goes to whoever subscribed to `tracing` in this process. The first one of a stage belongs to what started the flow.

use super::Seat;
use tracing::Span;

/// The stage is being opened, or was told to be.
pub(super) struct Opening {
    /// What the next one belongs to.
    parent: Span,
    open: Span,
}

impl Opening {
    /// Nothing is opened yet; the first time belongs to what is worked on now.
    pub(super) fn asked_for() -> Self {
        Opening {
            parent: Span::current(),
            open: Span::none(),
        }
    }

    /// The stage is opened now.
    pub(super) fn begin(&mut self, seat: &Seat) {
        let (flow, stage, instance) = seat.identity();
        let parent = std::mem::replace(&mut self.parent, Span::none());
        self.open = tracing::info_span!(
            parent: &parent,
            "open",
            otel.name = format!("open {stage}"),
            pipeline.flow = flow,
            pipeline.stage = stage,
            pipeline.instance = instance,
        );
    }

    /// The stage is open.
    pub(super) fn end(&mut self) {
        self.open = Span::none();
    }

    /// The stage has failed, perhaps before it was open.
    pub(super) fn fail(&mut self, error: &str) {
        if !self.open.is_none() {
            tracing::error!(parent: &self.open, error = %error);
        }
        self.end();
    }
}
