//! A topic, read by a member of a group and POSTed one message a request.

use crate::figures::Run;
use crate::limit::Limit;
use crate::post::{self, Posting};
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::Topic;

/// As many connections: one request is in flight for each partition.
const CONNECTIONS: i32 = 8;

pub(crate) async fn measure(report: &mut Report) {
    let messages = sized(200_000, 10_000);
    let topic = Topic::filled(CONNECTIONS, messages).await;
    let (mut limit, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        limit.push(send(messages).await);
        let posting = Posting {
            encoding: "json",
            ..Posting::batched(messages)
        };
        ours.push(post::run(&topic, posting).await);
    }
    topic.delete().await;
    let row = Row::beside(&limit, &ours);
    report.path(
        &format!(
            "Kafka → POST, one message a request ({messages} trades, {CONNECTIONS} partitions)"
        ),
        &format!("a client of hyper that makes its messages itself, {CONNECTIONS} connections"),
        &[
            row("k messages/s", Run::thousands_a_second, "0.7 ×"),
            row("µs of CPU a message", Run::cpu_us, ""),
            row("peak memory, MB", Run::peak_mb, ""),
        ],
    );
}

/// As many requests, sent by a plain client.
async fn send(messages: u64) -> Run {
    let receiver = Receiver::expecting(messages).await;
    let arguments = [
        &*receiver.addr().to_string(),
        &CONNECTIONS.to_string(),
        &messages.to_string(),
    ];
    Limit::start("post", &arguments).told().await
}
