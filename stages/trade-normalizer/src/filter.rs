//! The stage around the [`Normalizer`].

use pipeline_sdk::prelude::*;

use crate::config::Config;
use crate::normalizer::Normalizer;
use crate::time::Time;
use crate::venue::Frame;

struct TradeNormalizer {
    normalizer: Normalizer,
    dropped: Counter,
}

impl Filter for TradeNormalizer {
    const NAME: &'static str = "trade-normalizer";
    type Config = Config;

    fn open(config: Config, context: Context) -> Result<Self> {
        Ok(TradeNormalizer {
            normalizer: Normalizer::new(config.venue.named()),
            dropped: context.counter(
                "pipeline_normalizer_dropped",
                "Messages that held no trade: acknowledgements, heartbeats, order books",
                &[],
            ),
        })
    }

    fn process(&mut self, message: Message<'_>, out: &mut Emit<'_>) -> Result<(), Reject> {
        match self
            .normalizer
            .read(message.payload(), Time::from_nanos(message.timestamp_ns()))?
        {
            Frame::Trades => self.normalizer.trades().for_each(|trade| out.emit(trade)),
            Frame::Other => self.dropped.add(1),
        }
        Ok(())
    }
}

export_stage!(filter TradeNormalizer);
