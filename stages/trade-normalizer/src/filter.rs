//! The stage around the [`Normalizer`].

use pipeline_sdk::prelude::*;

use crate::config::Config;
use crate::normalizer::Normalizer;
use crate::time::Time;
use crate::venue::Frame;

struct TradeNormalizer {
    normalizer: Normalizer,
    dropped: Counter,
    context: Context,
}

impl Filter for TradeNormalizer {
    const NAME: &'static str = "trade-normalizer";
    type Config = Config;

    fn open(config: Config, context: Context) -> Result<Self> {
        Ok(TradeNormalizer {
            normalizer: Normalizer::new(config.venue.named()),
            dropped: context.counter(
                "pipeline_normalizer_dropped_messages",
                "",
                "Messages that held no trade: acknowledgements, heartbeats, order books",
                &[],
            ),
            context,
        })
    }

    fn process(&mut self, message: Message<'_>, out: &mut Emit<'_>) -> Result<(), Reject> {
        match self
            .normalizer
            .read(message.payload(), Time::from_nanos(message.timestamp_ns()))?
        {
            Frame::Trades => {
                self.normalizer.trades().for_each(|trade| out.emit(trade));
                self.note(message, "normalised");
            }
            Frame::Other => {
                self.dropped.add(1);
                self.note(message, "dropped");
            }
        }
        Ok(())
    }
}

impl TradeNormalizer {
    /// Tells the trace of a sampled message what became of it.
    fn note(&self, message: Message<'_>, what: &'static str) {
        if let Some(trace) = message.sampled() {
            self.context.span_event(trace, what, &[]);
        }
    }
}

export_stage!(filter TradeNormalizer);
