//! What is sent next, and when.

use std::time::{Duration, SystemTime};

use pipeline_sdk::Result;

use crate::config::Config;
use crate::recording::Recording;
use crate::synthetic::Synthetic;

/// Synthetic trades a second, unless told otherwise.
const RATE: f64 = 100.0;
/// Markets of the synthetic trades, unless told otherwise.
const SYMBOLS: [&str; 3] = ["KRW-BTC", "KRW-ETH", "KRW-XRP"];

/// Where the messages come from.
#[derive(Debug)]
enum Origin {
    Synthetic(Synthetic),
    Recording(Box<Recording>),
}

/// Messages in the order in which they are due, up to `count`.
#[derive(Debug)]
pub(crate) struct Feed {
    origin: Origin,
    left: u64,
    next: Option<(Duration, Vec<u8>)>,
}

impl Feed {
    /// The feed that the settings ask for; its times count from `started`.
    pub(crate) fn open(config: &Config, started: SystemTime) -> Result<Self> {
        let origin = match &config.file {
            Some(file) => Origin::Recording(Box::new(Recording::open(
                file,
                config.speed,
                config.r#loop,
            )?)),
            None => {
                let symbols = config
                    .symbols
                    .clone()
                    .unwrap_or_else(|| SYMBOLS.map(str::to_owned).to_vec());
                let (format, rate) = (
                    config.format.unwrap_or_default(),
                    config.rate.unwrap_or(RATE),
                );
                Origin::Synthetic(Synthetic::new(&symbols, format, rate, config.seed, started))
            }
        };
        let mut feed = Feed {
            origin,
            left: config.count.unwrap_or(u64::MAX),
            next: None,
        };
        feed.advance(Vec::new())?;
        Ok(feed)
    }

    /// When the next message is due, counted from the start; `None` at the end.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.next.as_ref().map(|(due, _)| *due)
    }

    /// Hands the next message to `send` and goes on to the one after it.
    pub(crate) fn take(&mut self, send: impl FnOnce(&[u8])) -> Result<()> {
        let Some((_, mut text)) = self.next.take() else {
            return Ok(());
        };
        send(&text);
        text.clear();
        self.advance(text)
    }

    /// Lines of a recording that could not be read.
    pub(crate) fn skipped(&self) -> u64 {
        match &self.origin {
            Origin::Synthetic(_) => 0,
            Origin::Recording(recording) => recording.skipped,
        }
    }

    fn advance(&mut self, mut text: Vec<u8>) -> Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let due = match &mut self.origin {
            Origin::Synthetic(synthetic) => Some(synthetic.next(&mut text)),
            Origin::Recording(recording) => recording.next(&mut text)?,
        };
        self.next = due.map(|due| (due, text));
        Ok(())
    }
}
