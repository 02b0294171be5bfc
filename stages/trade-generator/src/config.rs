//! Settings.

use std::path::PathBuf;

use pipeline_sdk::prelude::*;

/// Makes trades without an exchange: synthetic ones at a rate, the same for the same `seed`, or a recorded feed at its own
/// pace. On demand it leaves messages out or sends them twice, to see what the stages behind make of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Synthetic trades a second (default 100). When the stages behind are slower, what is due waits and then comes at once.
    #[schemars(range(min = 0.001, max = 10_000_000.0))]
    pub(crate) rate: Option<f64>,
    /// Markets of the synthetic trades (default `KRW-BTC`, `KRW-ETH`, `KRW-XRP`).
    #[schemars(length(min = 1, max = 10_000))]
    pub(crate) symbols: Option<Vec<String>>,
    /// How a synthetic trade is written (default `upbit`).
    pub(crate) format: Option<Format>,
    /// Same seed, same trades, gaps and duplicates; only the times differ.
    #[serde(default = "default_seed")]
    pub(crate) seed: u64,
    /// End after so many messages. Without it the synthetic feed never ends.
    #[schemars(range(min = 1))]
    pub(crate) count: Option<u64>,
    /// Play this recording instead: lines of `{"at": SECONDS, "frame": "TEXT"}`, in order.
    #[schemars(extend("format" = "path"))]
    pub(crate) file: Option<PathBuf>,
    /// How many times faster than recorded.
    #[serde(default = "default_speed")]
    #[schemars(range(min = 0.001, max = 1_000_000.0))]
    pub(crate) speed: f64,
    /// Play the recording again and again.
    #[serde(default)]
    pub(crate) r#loop: bool,
    /// Share of the messages that are left out, 0 to 1. The ids of the trades count on, so that the gap can be seen.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) gaps: f64,
    /// Share of the messages that are sent twice, 0 to 1.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) duplicates: f64,
}

/// How a synthetic trade is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// As Upbit sends it, long keys.
    #[default]
    Upbit,
    /// As Upbit sends it with `format: SIMPLE`, short keys.
    UpbitSimple,
    /// As `trade-normalizer` writes it.
    Normalized,
}

fn default_seed() -> u64 {
    1
}

fn default_speed() -> f64 {
    1.0
}

impl Config {
    /// What the schema cannot say.
    pub(crate) fn problems(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        if self.file.is_some() {
            let synthetic = [
                ("/rate", self.rate.is_some()),
                ("/symbols", self.symbols.is_some()),
                ("/format", self.format.is_some()),
            ];
            for (pointer, _) in synthetic.into_iter().filter(|(_, given)| *given) {
                problems.push(Invalid::new(
                    pointer,
                    "expected nothing here, because `file` is played",
                ));
            }
        } else if self.r#loop {
            problems.push(Invalid::new(
                "/loop",
                "expected `file`, which is what is played again",
            ));
        }
        for (index, symbol) in self.symbols.iter().flatten().enumerate() {
            if symbol.is_empty()
                || !symbol
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
            {
                problems.push(Invalid::new(
                    format!("/symbols/{index}"),
                    "expected a market such as `KRW-BTC`",
                ));
            }
        }
        problems
    }
}
