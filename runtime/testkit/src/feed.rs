//! An exchange that trades at a pace: trades of ascending ids to the one client that connects.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Connection, Exchange, eventually, upbit_trade};

/// Trades go out in groups, as often as this.
const TICK: Duration = Duration::from_millis(10);

/// A feed that trades until it is told to stop; its client must stay connected.
pub struct Feed {
    url: String,
    sent: Arc<AtomicU64>,
    enough: watch::Sender<u64>,
    trading: JoinHandle<()>,
}

impl Feed {
    /// Listens, and trades `rate` times a second from the first connection on.
    pub async fn listen(rate: u64) -> Self {
        let exchange = Exchange::listen().await;
        let (url, sent) = (exchange.url(), Arc::new(AtomicU64::new(0)));
        let (enough, told) = watch::channel(u64::MAX);
        let trading = tokio::spawn({
            let sent = sent.clone();
            async move { trade(exchange.accept().await, rate, &sent, told).await }
        });
        Self {
            url,
            sent,
            enough,
            trading,
        }
    }

    /// What a client connects to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Number of trades so far; their ids are 0 to one less.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Trades on until there are `at_least` so many, then stops and returns how many there are. The connection stays.
    pub async fn stop_at(&self, at_least: u64, within: Duration) -> u64 {
        let last = at_least.max(self.sent() + 1);
        self.enough.send_replace(last);
        eventually(within, "the last trade", async || match self.sent() {
            _ if self.trading.is_finished() => Err("the client is gone".to_owned()),
            sent if sent < last => Err(format!("{sent} of {last} trades")),
            sent => Ok(sent),
        })
        .await
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.trading.abort();
    }
}

async fn trade(mut client: Connection, rate: u64, sent: &AtomicU64, enough: watch::Receiver<u64>) {
    // A client that does not read for a while gets what it missed: the pace is kept on average.
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut due = 0.0;
    while sent.load(Ordering::Relaxed) < *enough.borrow() {
        ticks.tick().await;
        due += rate as f64 * TICK.as_secs_f64();
        while due >= 1.0 && sent.load(Ordering::Relaxed) < *enough.borrow() {
            client.send(upbit_trade(sent.load(Ordering::Relaxed))).await;
            sent.fetch_add(1, Ordering::Relaxed);
            due -= 1.0;
        }
    }
    let _connected = client.stay_silent();
    std::future::pending::<()>().await;
}
