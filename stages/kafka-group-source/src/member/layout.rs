//! Asks the brokers how the topic lies on them, and who is in the group.

use super::Member;
use pipeline_sdk::prelude::*;
use rdkafka::consumer::Consumer as _;
use stage_kafka_client::Layout;
use std::sync::Arc;

impl Member {
    /// Keeps the layout that the status shows up to date.
    pub(crate) fn watch_layout(&self) -> Result<()> {
        // The consumer is not kept alive by it: whoever drops the member waits for the last one who holds it.
        let consumer = Arc::downgrade(&self.consumer);
        let (topic, group) = (self.settings.topic.clone(), self.settings.group.clone());
        self.layout.start(&self.context, move |patience| {
            let consumer = consumer.upgrade()?;
            let metadata = consumer.client().fetch_metadata(Some(&topic), patience);
            Some(metadata.map(|metadata| {
                Layout::of(&metadata, &topic)
                    .with_group(&group, consumer.fetch_group_list(Some(&group), patience))
            }))
        })
    }
}
