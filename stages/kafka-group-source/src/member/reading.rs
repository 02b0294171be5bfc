//! Takes what the partitions have, in turn, each within its share of the window.

use super::Member;
use crate::assignment::Share;
use crate::partition::Outgoing;
use pipeline_sdk::prelude::*;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

impl Member {
    /// The next batch, of the partitions in turn.
    ///
    /// # Errors
    /// What keeps the member from going on.
    pub(crate) fn next(&mut self, output: &Output) -> Result<Option<Outgoing>> {
        let share = self.share();
        let after = self
            .partitions
            .range(self.turn + 1..)
            .map(|(number, _)| *number);
        let order: Vec<i32> = after
            .chain(
                self.partitions
                    .range(..=self.turn)
                    .map(|(number, _)| *number),
            )
            .collect();
        for number in order {
            let Some(partition) = self.partitions.get_mut(&number) else {
                continue;
            };
            let outgoing = partition.next(&self.settings.topic, share, output, &mut self.tracer);
            if let Some(error) = partition.take_trouble() {
                self.partition_trouble(number, &error)?;
            }
            if outgoing.is_some() {
                self.turn = number;
                return Ok(outgoing);
            }
        }
        Ok(None)
    }

    /// What each partition may have in flight: its part of the window of the edge behind.
    fn share(&self) -> Share {
        let window = self.context.window();
        let count = self.partitions.len().max(1);
        Share {
            messages: (window.messages as usize / count).max(1),
            bytes: window.bytes / count as u64,
        }
    }

    /// An error that came in place of a record.
    fn partition_trouble(&mut self, number: i32, error: &KafkaError) -> Result<()> {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            self.begin_anew(number);
            return Ok(());
        }
        tracing::warn!(partition = number, %error, "the partition cannot be read now");
        self.trouble(error)
    }
}
