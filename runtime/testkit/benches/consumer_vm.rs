//! The process of a consumer VM: three members of a group and a WebSocket server.

use pipeline_testkit::{Ports, Running, eventually, unique};
use serde_json::Value;

use crate::scene::{Topic, WITHIN};

/// Waits until each of the three members has one of the three partitions: before, the group rebalances.
pub(crate) async fn members_share(pipeline: &Running, ports: &Ports) {
    eventually(WITHIN, "a partition for each member", async || {
        for member in 1..=3 {
            let status = pipeline.status(ports.addr(member)).await?;
            let read = status.pointer("/stages/0/document/partitions");
            if read.and_then(Value::as_array).map(Vec::len) != Some(1) {
                return Err(format!("member {member} has {read:?}"));
            }
        }
        Ok(())
    })
    .await;
}

/// The flows of `pipelines/consumer-vm.yaml`; port 0 is the server's, then those of the members' status.
pub(crate) fn consumer_vm(topic: &Topic, ports: &Ports) -> String {
    format!(
        "flows:
           consumer:
             instances: 3
             status: {status}
             stages:
               - use: kafka-group-source
                 with:
                   brokers: '{brokers}'
                   topic: {name}
                   group: {group}
                   address_family: v4
                   offset_reset: latest
               - use: http-post
                 with: {{ url: 'http://{server}/api/trades' }}
           websocket-server:{websocket_server}",
        websocket_server = websocket_server(&ports.addr(0).to_string(), &ports.addr(4).to_string()),
        status = ports.addr(1),
        brokers = topic.kafka.brokers(),
        name = topic.name,
        group = unique("bench"),
        server = ports.addr(0),
    )
}

/// The flow of the WebSocket server alone.
pub(crate) fn websocket_server(server: &str, status: &str) -> String {
    format!(
        "
             status: {status}
             stages:
               - use: websocket-source
                 with: {{ urls: [], protocol: pipeline.v1 }}
               - use: ws-broadcast
                 with: {{ listen: '{server}' }}"
    )
}
