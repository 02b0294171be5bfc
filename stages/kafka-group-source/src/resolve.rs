//! Asks the cluster what it knows about partitions, to find where they begin.
//!
//! The questions wait for brokers, so they are asked on a thread of their own while the source goes on polling.

use crate::listener::Consumer;
use crate::start::Known;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long all questions of one round wait for their answers.
const ROUND: Duration = Duration::from_secs(4);

/// A partition whose start is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Told again with the answer, so that an answer that nobody waits for any more is known.
    pub(crate) id: u64,
    pub(crate) partition: i32,
    /// Where to go on in place of the group's committed offset.
    pub(crate) instead: Option<i64>,
}

/// Asks for all partitions; each has its own answer. Questions that there is no time for are answered by an error.
pub(crate) fn resolve(
    consumer: &Consumer,
    topic: &str,
    questions: &[Question],
) -> Vec<(Question, KafkaResult<Known>)> {
    let until = Instant::now() + ROUND;
    let committed = committed(consumer, topic, questions, ROUND);
    let known = |question: &Question| {
        let committed = match (question.instead, &committed) {
            (Some(instead), _) => Some(instead),
            (None, Ok(committed)) => committed
                .get(&question.partition)
                .cloned()
                .transpose()?
                .flatten(),
            (None, Err(error)) => return Err(error.clone()),
        };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(KafkaError::OffsetFetch(RDKafkaErrorCode::OperationTimedOut));
        }
        let (low, high) = consumer.fetch_watermarks(topic, question.partition, left)?;
        Ok(Known {
            committed,
            low,
            high,
        })
    };
    questions
        .iter()
        .map(|question| (*question, known(question)))
        .collect()
}

type Committed = BTreeMap<i32, KafkaResult<Option<i64>>>;

fn committed(
    consumer: &Consumer,
    topic: &str,
    questions: &[Question],
    within: Duration,
) -> KafkaResult<Committed> {
    let mut asked = TopicPartitionList::new();
    for question in questions
        .iter()
        .filter(|question| question.instead.is_none())
    {
        asked.add_partition(topic, question.partition);
    }
    if asked.count() == 0 {
        return Ok(Committed::new());
    }
    let answered = consumer.committed_offsets(asked, within)?;
    let offset = |offset| match offset {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    let answers = answered.elements();
    Ok(answers
        .iter()
        .map(|one| (one.partition(), one.error().map(|()| offset(one.offset()))))
        .collect())
}
