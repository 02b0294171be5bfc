//! Who may use the cluster, and who may break it: a readers-writer lock across processes.
//!
//! The locks are file locks, which the kernel gives up when a process ends. A writer that waits keeps later readers
//! waiting (they queue at the turnstile), so a fault test gets its turn in a suite that never pauses.
//!
//! Of a process's tests, as many read at a time as there are processors: a test that has brokers, pipelines and their
//! messages at work keeps one busy, and more would only make each other wait. Tests without a cluster are not bound.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Deref;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::broker::Broker;
use super::cluster::KafkaCluster;
use super::layout::{Layout, NODES};

const IN_SYNC_TIMEOUT: Duration = Duration::from_secs(90);

/// All brokers are well for as long as this lives.
#[must_use = "the lease is given back at once"]
pub struct Shared<'a> {
    cluster: &'a KafkaCluster,
    _lock: File,
    _seat: Seat,
}

/// The cluster is this test's alone for as long as this lives: it may do to brokers what it likes.
///
/// Dropping it starts and thaws what the test left dead or frozen and waits until every copy is in sync.
#[must_use = "the lease is given back at once"]
pub struct Exclusive<'a> {
    cluster: &'a KafkaCluster,
    _lock: File,
}

impl Deref for Shared<'_> {
    type Target = KafkaCluster;

    fn deref(&self) -> &KafkaCluster {
        self.cluster
    }
}

impl Deref for Exclusive<'_> {
    type Target = KafkaCluster;

    fn deref(&self) -> &KafkaCluster {
        self.cluster
    }
}

impl KafkaCluster {
    /// Waits until no test has the cluster for itself and this process's other tests leave a seat. A test takes one
    /// lease at most.
    pub fn shared(&self) -> Shared<'_> {
        let seat = Seat::take();
        Shared {
            cluster: self,
            _lock: self.lease(File::lock_shared),
            _seat: seat,
        }
    }

    /// Waits until no other test uses the cluster.
    pub fn exclusive(&self) -> Exclusive<'_> {
        let lock = self.lease(File::lock);
        Exclusive {
            cluster: self,
            _lock: lock,
        }
    }

    fn lease(&self, lock: fn(&File) -> io::Result<()>) -> File {
        let lease = self.acquire(lock);
        lease.unwrap_or_else(|error| panic!("no lease on the cluster: {error}"))
    }

    fn acquire(&self, lock: fn(&File) -> io::Result<()>) -> io::Result<File> {
        let turnstile = open(self.layout(), "turnstile.lock")?;
        turnstile.lock()?;
        let lease = open(self.layout(), "lease.lock")?;
        lock(&lease)?;
        // A fault test that was killed could heal nothing. Whoever else has the lease now came by this turnstile too.
        if heal(self.layout())? {
            self.block_until_in_sync(IN_SYNC_TIMEOUT)
                .map_err(io::Error::other)?;
        }
        Ok(lease)
    }
}

/// One of as many tests as may use the cluster at a time; given back when dropped.
struct Seat;

static FREE: LazyLock<Mutex<usize>> =
    LazyLock::new(|| Mutex::new(thread::available_parallelism().map_or(1, usize::from)));
static GIVEN_BACK: Condvar = Condvar::new();

impl Seat {
    fn take() -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = GIVEN_BACK
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        GIVEN_BACK.notify_one();
    }
}

/// Starts and thaws all brokers; answers whether one had to be started.
fn heal(layout: &Layout) -> io::Result<bool> {
    let mut started = false;
    for node in NODES {
        let broker = Broker { layout, node };
        broker.signal(Signal::CONT)?;
        if broker.process().is_none() {
            broker.start()?;
            started = true;
        }
    }
    Ok(started)
}

fn open(layout: &Layout, name: &str) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(layout.home().join(name))
}

impl Exclusive<'_> {
    /// Kills broker `node` as `kill -9` does; returns when the process is gone.
    pub fn kill(&self, node: u8) {
        self.broker(node).kill().expect("broker killed");
    }

    /// Starts a dead broker on its own data and returns when every copy is in sync again.
    pub async fn start(&self, node: u8) {
        self.broker(node).start().expect("broker started");
        self.in_sync().await;
    }

    /// Stops broker `node` in order: it hands its leaderships over first.
    pub fn stop(&self, node: u8) {
        self.broker(node).stop().expect("broker stopped");
    }

    /// Stops the broker's process where it stands (SIGSTOP): connections stay, nothing answers.
    pub fn freeze(&self, node: u8) {
        self.broker(node)
            .signal(Signal::STOP)
            .expect("broker frozen");
    }

    /// Lets a frozen broker go on.
    pub fn thaw(&self, node: u8) {
        self.broker(node)
            .signal(Signal::CONT)
            .expect("broker thawed");
    }

    /// Restarts all brokers in order, each only when the one before is in sync.
    pub async fn restart_rolling(&self) {
        for node in NODES {
            self.stop(node);
            self.start(node).await;
        }
    }

    /// Waits until all brokers serve and every copy of every partition is in sync.
    pub async fn in_sync(&self) {
        self.wait_in_sync(IN_SYNC_TIMEOUT).await;
    }

    fn broker(&self, node: u8) -> Broker<'_> {
        assert!(
            NODES.contains(&node),
            "broker {node} does not exist (expected one of {NODES:?})"
        );
        Broker {
            layout: self.layout(),
            node,
        }
    }
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        let healed = heal(self.layout()).map_err(|error| error.to_string());
        let result = healed.and_then(|_| self.block_until_in_sync(IN_SYNC_TIMEOUT));
        if let Err(why) = result {
            let message = format!("the cluster does not recover from this test: {why}");
            if std::thread::panicking() {
                eprintln!("{message}")
            } else {
                panic!("{message}")
            }
        }
    }
}
