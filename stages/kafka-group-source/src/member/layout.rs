//! Asks the brokers how the topic lies on them, and who is in the group.

use super::Member;
use crate::listener::Consumer;
use rdkafka::consumer::Consumer as _;
use stage_kafka_client::Layout;

impl Member {
    /// Keeps the layout that the status shows up to date.
    pub(crate) fn watch_layout(&self) {
        let (topic, group) = (self.settings.topic.clone(), self.settings.group.clone());
        let ask = move |consumer: &Consumer, patience| {
            let metadata = consumer.client().fetch_metadata(Some(&topic), patience)?;
            let group_list = consumer.fetch_group_list(Some(&group), patience);
            Ok(Layout::of(&metadata, &topic).with_group(&group, group_list))
        };
        self.layout
            .start(&self.context, &self.settings.topic, &self.consumer, ask);
    }
}
