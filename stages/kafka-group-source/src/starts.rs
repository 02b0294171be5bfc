//! Finds where partitions begin, on a thread that may wait for brokers while the source goes on polling.
//!
//! Invariant: a partition that was asked for is answered or asked again until it is forgotten; an answer that was overtaken by
//! [`Starts::forget`] is dropped.

use crate::listener::Consumer;
use crate::resolve::{Question, resolve};
use crate::start::Known;
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use rdkafka::error::KafkaResult;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

pub(crate) struct Starts {
    topic: String,
    wake: Arc<Notify>,
    context: Context,
    open: BTreeMap<i32, Question>,
    asked: u64,
    /// Filled by the thread that asks; `None` while no thread does.
    answers: Option<Arc<Mutex<Option<Answers>>>>,
    backoff: Backoff,
    not_before: Option<Instant>,
}

type Answers = Vec<(Question, KafkaResult<Known>)>;

/// What came of asking.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) known: Vec<(i32, Known)>,
    /// Why some partitions are asked again.
    pub(crate) trouble: Option<String>,
}

impl Starts {
    pub(crate) fn new(context: &Context, topic: &str, wake: Arc<Notify>) -> Self {
        Starts {
            topic: topic.to_owned(),
            wake,
            context: context.clone(),
            open: BTreeMap::new(),
            asked: 0,
            answers: None,
            backoff: context.backoff(),
            not_before: None,
        }
    }

    /// Asks for a partition; `instead` is where to go on in place of the group's committed offset.
    pub(crate) fn ask(&mut self, partition: i32, instead: Option<i64>) {
        self.asked += 1;
        self.open.insert(
            partition,
            Question {
                id: self.asked,
                partition,
                instead,
            },
        );
        self.not_before = None;
    }

    /// Nobody wants to know any more.
    pub(crate) fn forget(&mut self, partition: i32) {
        self.open.remove(&partition);
    }

    /// Starts asking if something is open and it is time.
    pub(crate) fn go_on(&mut self, consumer: &Arc<Consumer>, now: Instant) -> Result<()> {
        if self.open.is_empty()
            || self.answers.is_some()
            || self.not_before.is_some_and(|at| now < at)
        {
            return Ok(());
        }
        let answers = Arc::new(Mutex::new(None));
        self.answers = Some(answers.clone());
        let (consumer, topic, wake) = (consumer.clone(), self.topic.clone(), self.wake.clone());
        let questions: Vec<Question> = self.open.values().copied().collect();
        self.context.thread("kafka-start", move || {
            let found = resolve(&consumer, &topic, &questions);
            // Before the answers are seen: who sees them may drop the consumer, which must happen on the source's thread.
            drop(consumer);
            *answers.lock() = Some(found);
            wake.notify_one();
        })?;
        Ok(())
    }

    /// What was found, once all that was asked for is answered one way or the other.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Found> {
        let answers = self.answers.as_ref()?.lock().take()?;
        self.answers = None;
        let mut found = Found::default();
        for (question, answer) in answers {
            if self.open.get(&question.partition) != Some(&question) {
                continue;
            }
            match answer {
                Ok(known) => {
                    self.open.remove(&question.partition);
                    found.known.push((question.partition, known));
                }
                Err(error) => {
                    found.trouble = Some(format!(
                        "the start of partition {} of `{}` is not known: {error}",
                        question.partition, self.topic
                    ));
                }
            }
        }
        match found.trouble {
            Some(_) => self.not_before = Some(now + self.backoff.next_delay()),
            None => self.backoff.reset(),
        }
        Some(found)
    }
}
