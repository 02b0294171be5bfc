//! How figures change with the number of partitions, the size of messages, the number of consumers and of clients. One run
//! each: it is the shape that is looked for.

use crate::fanout;
use crate::feed::{self, Feed};
use crate::post::{self, Posting};
use crate::report::Report;
use crate::scale::sized;
use crate::scene::Topic;

/// Trades a second to each client.
const RATE: u64 = 100;

pub(crate) async fn measure(report: &mut Report) {
    partitions(report).await;
    payload(report).await;
    consumers(report).await;
    clients(report).await;
}

async fn partitions(report: &mut Report) {
    let messages = sized(500_000, 20_000);
    let mut rows = Vec::new();
    for partitions in [1, 3, 6, 12, 24] {
        let feed = Feed {
            partitions,
            ..Feed::plain(messages)
        };
        let written = feed::run(feed).await;
        let topic = Topic::filled(partitions, messages).await;
        let read = post::run(&topic, Posting::batched(messages)).await;
        topic.delete().await;
        rows.push(vec![
            f64::from(partitions),
            written.thousands_a_second(),
            written.peak_mb(),
            read.thousands_a_second(),
            read.peak_mb(),
        ]);
    }
    let columns = [
        "partitions",
        "feed → Kafka, k messages/s",
        "peak memory, MB",
        "Kafka → POST, k messages/s",
        "peak memory, MB",
    ];
    report.table("Partitions", &columns, &rows);
}

async fn payload(report: &mut Report) {
    let mut rows = Vec::new();
    for bytes in [50, 200, 1_000, 10_000, 100_000] {
        let messages = (sized(100_000_000, 4_000_000) / bytes as u64).min(sized(500_000, 20_000));
        let feed = Feed {
            bytes,
            ..Feed::plain(messages)
        };
        let run = feed::run(feed).await;
        rows.push(vec![
            bytes as f64,
            run.thousands_a_second(),
            run.thousands_a_second() * bytes as f64 / 1e3,
            run.cpu_us(),
            run.peak_mb(),
        ]);
    }
    let columns = [
        "bytes a message",
        "feed → Kafka, k messages/s",
        "MB/s",
        "µs of CPU a message",
        "peak memory, MB",
    ];
    report.table("Payload", &columns, &rows);
}

async fn consumers(report: &mut Report) {
    let messages = sized(500_000, 20_000);
    let topic = Topic::filled(9, messages).await;
    let mut rows = Vec::new();
    for members in [1, 2, 3, 6, 9] {
        let posting = Posting {
            members,
            ..Posting::batched(messages)
        };
        let run = post::run(&topic, posting).await;
        rows.push(vec![
            members as f64,
            run.thousands_a_second(),
            run.cpu_us(),
            run.peak_mb(),
        ]);
    }
    topic.delete().await;
    let columns = [
        "consumers of 9 partitions",
        "Kafka → POST, k messages/s",
        "µs of CPU a message",
        "peak memory, MB",
    ];
    report.table("Consumers in one process", &columns, &rows);
}

async fn clients(report: &mut Report) {
    let mut rows = Vec::new();
    for clients in [1, 10, 100, 1_000, 5_000] {
        let clients = (clients as u64).min(sized(5_000, 100)) as usize;
        let run = fanout::pipeline(clients, RATE).await;
        rows.push(vec![
            clients as f64,
            run.deliveries_a_second / 1e3,
            run.p50_ms,
            run.p99_ms,
            run.cpu_us,
            run.bytes_a_client * clients as f64 / 1e6,
        ]);
    }
    let columns = [
        "clients",
        "k deliveries/s",
        "p50, ms",
        "p99, ms",
        "µs of CPU a delivery",
        "memory of the clients, MB",
    ];
    let title = format!("Clients, {RATE} trades a second each");
    report.table(&title, &columns, &rows);
}
