//! What the stage measures on its own, beside what the host measures of every stage.

use std::cell::Cell;
use std::time::Duration;

use http::StatusCode;
use pipeline_sdk::prelude::*;

const SECONDS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];
const MESSAGES: [f64; 10] = [
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0, 4000.0,
];

pub(crate) struct Metrics {
    classes: [Counter; 5],
    errors: Counter,
    seconds: Histogram,
    messages: Histogram,
    retries: Counter,
    pub(crate) resent: Counter,
    in_flight: Gauge,
    flying: Cell<u32>,
}

/// A request on its way. Dropping it, in whatever way it ends, takes it out of the gauge.
pub(crate) struct InFlight<'a>(&'a Metrics);

impl Metrics {
    pub(crate) fn new(context: &Context) -> Self {
        let requests = |class: &str| {
            let help = "Requests by class of the answer's status; `error`: no answer";
            context.counter("pipeline_http_requests", "", help, &[("class", class)])
        };
        Self {
            classes: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(requests),
            errors: requests("error"),
            seconds: context.histogram(
                "pipeline_http_request_duration",
                "seconds",
                "From a request to the end of its answer",
                &[],
                &SECONDS,
            ),
            messages: context.histogram(
                "pipeline_http_request_messages",
                "",
                "Messages in a request",
                &[],
                &MESSAGES,
            ),
            retries: context.counter(
                "pipeline_http_retries",
                "",
                "Requests whose messages have to be sent again",
                &[],
            ),
            resent: context.counter(
                "pipeline_http_resent_messages",
                "",
                "Messages sent again to a receiver that started anew",
                &[],
            ),
            in_flight: context.gauge(
                "pipeline_http_in_flight_requests",
                "",
                "Requests that wait for their answer",
                &[],
            ),
            flying: Cell::new(0),
        }
    }

    pub(crate) fn start(&self, messages: usize) -> InFlight<'_> {
        self.messages.record(messages as f64);
        self.fly(self.flying.get() + 1);
        InFlight(self)
    }

    /// Counts a request that ended, with its status if there was an answer, and its trace if it is recorded.
    pub(crate) fn ended(&self, status: Option<StatusCode>, took: Duration, trace: Option<Trace>) {
        let class =
            status.and_then(|status| self.classes.get(usize::from(status.as_u16() / 100) - 1));
        class.unwrap_or(&self.errors).add(1);
        match trace {
            Some(trace) => self.seconds.record_traced(took.as_secs_f64(), trace),
            None => self.seconds.record(took.as_secs_f64()),
        }
    }

    pub(crate) fn retry(&self) {
        self.retries.add(1);
    }

    fn fly(&self, flying: u32) {
        self.flying.set(flying);
        self.in_flight.set(f64::from(flying));
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fly(self.0.flying.get() - 1);
    }
}
