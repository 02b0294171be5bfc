//! What lies in Kafka afterwards.

use super::sink::{local, open};
use pipeline_sdk::prelude::*;
use pipeline_testkit::kafka::{self, Stored};
use pipeline_testkit::unique;
use serde_json::json;
use std::collections::BTreeMap;

async fn topic(partitions: i32) -> String {
    let topic = unique("sink");
    kafka::cluster().create_topic(&topic, partitions).await;
    topic
}

fn header<'a>(record: &'a Stored, name: &str) -> Option<&'a str> {
    let found = record.headers.iter().find(|(header, _)| header == name)?;
    std::str::from_utf8(&found.1).ok()
}

#[tokio::test]
async fn a_record_has_key_headers_trace_and_entry_time() {
    let _shared = kafka::cluster().shared();
    local(async {
        let topic = topic(1).await;
        let sink = open(
            &kafka::cluster().brokers(),
            &topic,
            json!({"key": "/symbol"}),
        )
        .await;
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let headers = [
            ("a", &b"1"[..]),
            ("tracestate", b"x=y"),
            ("pipeline-timestamp", b"old"),
        ];
        let with_all = Record::new(br#"{"symbol":"BTC"}"#)
            .key(&b"own"[..])
            .headers(&headers)
            .timestamp_ns(1_700_000_000_000_000_001)
            .trace(Trace::parse(traceparent));
        let without = Record::new(b"not JSON").key(&b"own"[..]);
        let bare = Record::new(b"");
        sink.feed.push(&[with_all, without, bare]);
        sink.settled(3, 0).await;
        sink.drain().await;

        let stored = kafka::cluster().read_topic(&topic).await;
        let keys: Vec<_> = stored.iter().map(|record| record.key.as_deref()).collect();
        assert_eq!(keys, [Some(&b"BTC"[..]), Some(b"own"), None]);
        let names: Vec<&str> = stored[0]
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            names,
            ["a", "tracestate", "traceparent", "pipeline-timestamp"]
        );
        assert_eq!(header(&stored[0], "traceparent"), Some(traceparent));
        assert_eq!(
            header(&stored[0], "pipeline-timestamp"),
            Some("1700000000000000001")
        );
        assert_eq!(header(&stored[1], "traceparent"), None);
        assert!(header(&stored[2], "pipeline-timestamp").is_some() && stored[2].payload.is_empty());
    })
    .await;
}

#[tokio::test]
async fn every_key_keeps_its_order() {
    let _shared = kafka::cluster().shared();
    local(async {
        let topic = topic(3).await;
        let sink = open(&kafka::cluster().brokers(), &topic, json!({})).await;
        sink.ready().await;
        for batch in 0..10 {
            let numbers = batch * 1000..(batch + 1) * 1000;
            let owned: Vec<(String, String)> = numbers
                .map(|number| (number.to_string(), format!("key-{}", number % 17)))
                .collect();
            let records: Vec<Record<'_>> = owned
                .iter()
                .map(|(payload, key)| Record::new(payload.as_bytes()).key(key.as_bytes()))
                .collect();
            sink.feed.push(&records);
        }
        let settled = sink.drain().await;
        let delivered: usize = settled.iter().map(|one| one.range.len()).sum();
        assert_eq!(delivered, 10_000);

        let stored = kafka::cluster().read_topic(&topic).await;
        assert_eq!(stored.len(), 10_000);
        let mut by_key: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for record in stored {
            let number = String::from_utf8(record.payload).unwrap().parse().unwrap();
            by_key.entry(record.key.unwrap()).or_default().push(number);
        }
        assert_eq!(by_key.len(), 17);
        assert!(by_key.values().all(|numbers| numbers.is_sorted()));
    })
    .await;
}
