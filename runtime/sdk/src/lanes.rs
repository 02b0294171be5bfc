//! Lanes: one for each partition, so that a sink can retry in one without holding up the others, and order holds in each.
//!
//! Invariant: the messages of a lane are delivered in the order in which they came, and each is settled exactly once, when the
//! delivery that held it has ended for good.

use crate::chunk::{Chunk, Piece};
use crate::{Backoff, Batch, Context, Error, Input, Result};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// How much of what waits in a lane goes into one delivery. One message always does.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Most messages.
    pub max_messages: usize,
    /// Most payload and key bytes.
    pub max_bytes: u64,
}

/// Why a delivery did not succeed, and so what happens next.
#[derive(Debug)]
pub enum WriteError {
    /// The other side cannot take it now: the same messages are tried again, after a wait.
    Retry {
        /// What is wrong; shown as the reason for being degraded.
        error: Error,
        /// How long the other side asked to wait; else the stage's `retry` says.
        after: Option<Duration>,
    },
    /// One of the messages can never be delivered: they are delivered in halves, until it stands alone and is rejected.
    Invalid(String),
    /// The stage cannot go on.
    Fail(Error),
}

impl WriteError {
    /// Try again, after a wait as the stage's `retry` says.
    pub fn retry(error: impl Into<Error>) -> Self {
        WriteError::Retry {
            error: error.into(),
            after: None,
        }
    }
}

type Key = (String, i32);
type Queue = Rc<RefCell<VecDeque<Piece>>>;

impl Input {
    /// Delivers all that comes, in one lane for each topic and partition, until the stage is drained.
    ///
    /// `deliver` is given what waits in a lane, within `limits`, and is not called again for that lane before it has ended. On
    /// `Ok` all of the chunk is done (but for what it rejected itself), on an error see [`WriteError`]. While a lane retries the
    /// stage is degraded.
    ///
    /// # Errors
    /// The error of [`WriteError::Fail`].
    pub async fn lanes(
        &mut self,
        limits: LaneLimits,
        deliver: impl AsyncFn(&Chunk) -> Result<(), WriteError>,
    ) -> Result<()> {
        let context = self.context().clone();
        let troubles = Troubles {
            context: &context,
            reasons: RefCell::default(),
        };
        let mut queues: HashMap<Key, Queue> = HashMap::new();
        let mut running = FuturesUnordered::new();
        let mut drained = false;
        while !drained || !running.is_empty() {
            tokio::select! {
                received = self.recv(), if !drained => match received {
                    None => drained = true,
                    Some(batch) => for (key, piece) in pieces(&batch) {
                        if let Some(queue) = queues.get(&key) {
                            queue.borrow_mut().push_back(piece);
                        } else {
                            let queue = Queue::new(RefCell::new(VecDeque::from([piece])));
                            queues.insert(key.clone(), queue.clone());
                            let lane = Lane { key, queue, limits, backoff: context.backoff(), troubles: &troubles };
                            running.push(lane.run(&deliver));
                        }
                    },
                },
                // A lane that has ended is seen here before anything can be added to its empty queue.
                Some(ended) = running.next(), if !running.is_empty() => {
                    queues.remove(&ended?);
                }
            }
        }
        Ok(())
    }
}

/// Cuts a batch where the partition changes; usually it holds one.
fn pieces(batch: &Batch) -> Vec<(Key, Piece)> {
    let partition = |index: usize| {
        batch
            .get(index)
            .position()
            .map_or(-1, |position| position.partition)
    };
    let mut pieces = Vec::with_capacity(1);
    let mut start = 0;
    for end in 1..=batch.len() {
        if end == batch.len() || partition(end) != partition(start) {
            let key = (batch.topic().to_owned(), partition(start));
            pieces.push((key, Piece::new(batch.clone(), start as u32..end as u32)));
            start = end;
        }
    }
    pieces
}

struct Lane<'a> {
    key: Key,
    queue: Queue,
    limits: LaneLimits,
    backoff: Backoff,
    troubles: &'a Troubles<'a>,
}

impl Lane<'_> {
    /// Delivers until nothing waits; answers which lane it was.
    async fn run(
        mut self,
        deliver: &impl AsyncFn(&Chunk) -> Result<(), WriteError>,
    ) -> Result<Key> {
        loop {
            let waiting = Chunk::take(&mut self.queue.borrow_mut(), self.limits);
            match waiting {
                Some(chunk) => self.settle(chunk, deliver).await?,
                None => return Ok(self.key),
            }
        }
    }

    async fn settle(
        &mut self,
        chunk: Chunk,
        deliver: &impl AsyncFn(&Chunk) -> Result<(), WriteError>,
    ) -> Result<()> {
        // What is still to be delivered, the first part last.
        let mut parts = vec![chunk];
        while let Some(chunk) = parts.pop() {
            match deliver(&chunk).await {
                Ok(()) => {
                    chunk.done();
                    self.backoff.reset();
                    self.troubles.end(&self.key);
                }
                Err(WriteError::Invalid(why)) => match chunk.halve() {
                    Ok((first, second)) => parts.extend([second, first]),
                    Err(single) => single.reject(0, &why),
                },
                Err(WriteError::Retry { error, after }) => {
                    self.troubles
                        .begin(&self.key, &crate::error::chain(&*error));
                    let wait = after.unwrap_or_else(|| self.backoff.next_delay());
                    tokio::time::sleep(wait).await;
                    parts.push(chunk.again());
                }
                Err(WriteError::Fail(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Which lanes retry now, and why: the stage is degraded while there is one.
struct Troubles<'a> {
    context: &'a Context,
    reasons: RefCell<BTreeMap<Key, String>>,
}

impl Troubles<'_> {
    fn begin(&self, key: &Key, reason: &str) {
        self.reasons
            .borrow_mut()
            .insert(key.clone(), reason.to_owned());
        self.tell();
    }

    fn end(&self, key: &Key) {
        if self.reasons.borrow_mut().remove(key).is_some() {
            self.tell();
        }
    }

    fn tell(&self) {
        match self.reasons.borrow().first_key_value() {
            Some((key, reason)) => self
                .context
                .degraded(format_args!("{}{reason}", LaneName(key))),
            None => self.context.ready(),
        }
    }
}

/// `topic/partition: `, or nothing for messages without a position.
struct LaneName<'a>(&'a Key);

impl fmt::Display for LaneName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            (_, -1) => Ok(()),
            (topic, partition) => write!(f, "{topic}/{partition}: "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Settled};
    use crate::{Context, Record};
    use std::cell::Cell;

    const LIMITS: LaneLimits = LaneLimits {
        max_messages: 100,
        max_bytes: 1 << 20,
    };

    fn done(batch: u32, range: std::ops::Range<u32>) -> Settled {
        Settled {
            batch,
            range,
            rejected: None,
        }
    }

    fn rejected(batch: u32, at: u32, why: &str) -> Settled {
        Settled {
            batch,
            range: at..at + 1,
            rejected: Some(why.to_owned()),
        }
    }

    fn payloads(chunk: &Chunk) -> Vec<String> {
        chunk
            .iter()
            .map(|message| String::from_utf8_lossy(message.payload()).into_owned())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_retries_holds_up_no_other_and_keeps_its_order() {
        let context = Context::detached("test");
        let (feed, mut input) = testing::input(&context);
        feed.push_topic("t", &[Record::new(b"a0").position(0, 0)]);
        feed.push_topic("t", &[Record::new(b"b0").position(1, 0)]);
        feed.push_topic("t", &[Record::new(b"a1").position(0, 1)]);
        testing::drain(&context);

        let (tries, delivered) = (Cell::new(0), RefCell::new(Vec::new()));
        let deliver = async |chunk: &Chunk| {
            if chunk.partition() == Some(0) && tries.replace(tries.get() + 1) < 3 {
                return Err(WriteError::retry("connection refused"));
            }
            if payloads(chunk)[0] == "a0" {
                assert_eq!(
                    testing::trouble(&context).as_deref(),
                    Some("t/0: connection refused")
                );
            }
            delivered.borrow_mut().extend(payloads(chunk));
            Ok(())
        };
        input.lanes(LIMITS, deliver).await.unwrap();

        assert_eq!(*delivered.borrow(), ["b0", "a0", "a1"]);
        assert_eq!(testing::trouble(&context), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_invalid_message_is_rejected() {
        let context = Context::detached("test");
        let (feed, mut input) = testing::input(&context);
        feed.push(&[b"0", b"1", b"x", b"3", b"4"].map(|payload| Record::new(payload)));
        testing::drain(&context);

        let deliver =
            async |chunk: &Chunk| match payloads(chunk).iter().any(|payload| payload == "x") {
                true => Err(WriteError::Invalid("not a trade".to_owned())),
                false => Ok(()),
            };
        input.lanes(LIMITS, deliver).await.unwrap();

        assert_eq!(
            feed.settled(),
            [done(0, 0..2), rejected(0, 2, "not a trade"), done(0, 3..5)]
        );
    }

    #[tokio::test]
    async fn what_a_delivery_rejects_is_not_done() {
        let context = Context::detached("test");
        let (feed, mut input) = testing::input(&context);
        feed.push(&[b"0", b"1"].map(|payload| Record::new(payload)));
        feed.push(&[b"2", b"3"].map(|payload| Record::new(payload)));
        testing::drain(&context);

        // Both batches come as one chunk or as two.
        let deliver = async |chunk: &Chunk| {
            if let Some(index) = payloads(chunk).iter().position(|payload| payload == "2") {
                chunk.reject(index, "too old");
            }
            Ok(())
        };
        input.lanes(LIMITS, deliver).await.unwrap();

        let mut settled = feed.settled();
        settled.sort_by_key(|settled| (settled.batch, settled.range.start));
        assert_eq!(
            settled,
            [done(0, 0..2), rejected(1, 0, "too old"), done(1, 1..2)]
        );
    }

    #[tokio::test]
    async fn a_failed_delivery_fails_the_stage() {
        let context = Context::detached("test");
        let (feed, mut input) = testing::input(&context);
        feed.push(&[Record::new(b"0")]);
        let ended = input
            .lanes(LIMITS, async |_| {
                Err(WriteError::Fail("disk is gone".into()))
            })
            .await;
        assert_eq!(ended.unwrap_err().to_string(), "disk is gone");
        assert_eq!(feed.settled(), []);
    }
}
