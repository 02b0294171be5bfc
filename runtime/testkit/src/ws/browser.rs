//! A page that stays open: it reads all that it is sent, and resumes whenever it is cut off.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::{Seen, V1Client};
use crate::eventually;

/// Pause before the next try to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// A `pipeline.v1` client that reads in the background until it is dropped.
pub struct Browser {
    account: Arc<Mutex<Account>>,
    reading: JoinHandle<()>,
}

#[derive(Default)]
struct Account {
    seen: Seen,
    trades: HashSet<String>,
    connections: usize,
}

impl Browser {
    /// Connects to the first of these addresses; each time that it is cut off, it takes the next one.
    pub async fn open(urls: &[String]) -> Self {
        let client = V1Client::connect(&urls[0]).await;
        let account = Arc::new(Mutex::new(Account {
            connections: 1,
            ..Account::default()
        }));
        let reading = tokio::spawn(read(client, urls.to_vec(), account.clone()));
        Self { account, reading }
    }

    /// What was shown so far.
    pub fn seen(&self) -> Seen {
        lock(&self.account).seen.clone()
    }

    /// Number of different trades that were shown.
    pub fn trades(&self) -> usize {
        lock(&self.account).trades.len()
    }

    /// Number of connections so far.
    pub fn connections(&self) -> usize {
        lock(&self.account).connections
    }

    /// Waits until it was shown at least `more` messages from now on.
    pub async fn goes_on(&self, more: i64, within: Duration) {
        let until = self.seen().count() + more;
        self.waits(within, |seen| seen.count() >= until).await;
    }

    /// Waits until it was shown all up to these ends.
    pub async fn reaches(&self, topic: &str, ends: &[i64], within: Duration) {
        self.waits(within, |seen| seen.reached(topic, ends)).await;
    }

    async fn waits(&self, within: Duration, enough: impl Fn(&Seen) -> bool) {
        eventually(within, "what the page waits for", async || {
            let account = lock(&self.account);
            if enough(&account.seen) {
                return Ok(());
            }
            let state = if self.reading.is_finished() {
                "reads no more"
            } else {
                "waits"
            };
            Err(format!(
                "it {state} on connection {}, {:?}",
                account.connections, account.seen
            ))
        })
        .await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(mut client: V1Client, urls: Vec<String>, account: Arc<Mutex<Account>>) {
    let mut next = urls.iter().cycle().skip(1);
    loop {
        while let Some(frame) = client.next().await {
            lock(&account).observe(&frame);
        }
        while let Some(url) = next.next()
            && client.resume(url).await.is_err()
        {
            tokio::time::sleep(PAUSE).await;
        }
        lock(&account).connections += 1;
    }
}

impl Account {
    fn observe(&mut self, frame: &Value) {
        self.seen.observe(frame);
        if let Some(id) = frame.pointer("/data/trade_id").and_then(Value::as_str) {
            self.trades.insert(id.to_owned());
        }
    }
}

fn lock(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    account
        .lock()
        .expect("an account that no panic left half done")
}
