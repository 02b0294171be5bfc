//! The whole stage: messages in, requests out, settlements back.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pipeline_sdk::testing::{self, Feed, Settled};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::*;
use crate::server::{Request, answer, serve};

const OK: &str = "200 OK";

/// A running stage.
struct Running {
    context: Context,
    feed: Feed,
    stage: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(address: SocketAddr, mut settings: Value) -> Self {
        settings["url"] = json!(format!("http://{address}/in"));
        let context = Context::detached("http-post");
        let (feed, mut input) = testing::input(&context);
        let config = serde_json::from_value(settings).unwrap();
        let mut stage = HttpPost::open(config, context.clone()).await.unwrap();
        let stage = tokio::task::spawn_local(async move { stage.run(&mut input).await.unwrap() });
        Self {
            context,
            feed,
            stage,
        }
    }

    /// Adds one batch of partition `partition` whose payloads are `offsets`.
    fn push(&self, partition: i32, offsets: std::ops::Range<i64>) {
        let payloads: Vec<String> = offsets.clone().map(|offset| offset.to_string()).collect();
        let records: Vec<Record<'_>> = payloads
            .iter()
            .zip(offsets)
            .map(|(payload, offset)| Record::new(payload.as_bytes()).position(partition, offset))
            .collect();
        self.feed.push_topic("trades", &records);
    }

    /// Drains the stage; returns how many messages are done, and the reasons of the others.
    async fn drain(self) -> (usize, Vec<String>) {
        testing::drain(&self.context);
        self.stage.await.unwrap();
        let mut done = 0;
        let mut reasons = Vec::new();
        for Settled {
            range, rejected, ..
        } in self.feed.settled()
        {
            match rejected {
                None => done += range.len(),
                Some(why) => reasons.extend(range.map(|_| why.clone())),
            }
        }
        (done, reasons)
    }
}

/// Runs a test where tasks need not be `Send`, as in a stage.
async fn local(test: impl Future<Output = ()>) {
    tokio::task::LocalSet::new().run_until(test).await;
}

/// The payloads of a request of envelopes.
fn numbers(request: &Request) -> Vec<i64> {
    request
        .body()
        .lines()
        .map(|line| envelope(line)["data"].as_i64().unwrap())
        .collect()
}

fn envelope(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Waits for something that another task does.
async fn eventually(mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "waited ten seconds"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn an_envelope_carries_all_that_is_known_of_a_message() {
    local(async {
        let (seen, mut requests) = mpsc::unbounded_channel();
        let address = serve(async move |request| {
            seen.send(request).unwrap();
            answer(OK, "", "")
        });
        let running = Running::start(address, json!({})).await;
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let headers: [(&str, &[u8]); 2] = [
            ("kafka-timestamp", b"1700000000001"),
            ("pipeline-times", b"{\"received\":1600000000000000000}"),
        ];
        let full = Record::new(b"{\"price\":\"1.0\"}")
            .key(&b"KRW-BTC"[..])
            .headers(&headers)
            .timestamp_ns(1_700_000_000_000_000_000)
            .position(2, 42)
            .trace(Trace::parse(traceparent))
            .replay(true);
        running
            .feed
            .push_topic("trades", &[full, Record::new(b"not\njson").position(2, 43)]);
        let request = requests.recv().await.unwrap();
        let lines: Vec<Value> = request.body().lines().map(envelope).collect();
        assert_eq!(lines[0]["topic"], "trades");
        assert_eq!(
            (&lines[0]["partition"], &lines[0]["offset"]),
            (&json!(2), &json!(42))
        );
        assert_eq!(lines[0]["timestamp"], 1_700_000_000_000_000_000_i64);
        assert_eq!(
            (&lines[0]["key"], &lines[0]["traceparent"]),
            (&json!("KRW-BTC"), &json!(traceparent))
        );
        assert_eq!(
            (&lines[0]["replay"], &lines[0]["data"]),
            (&json!(true), &json!({"price": "1.0"}))
        );
        let times = &lines[0]["times"];
        assert_eq!(times["received"], 1_600_000_000_000_000_000_i64);
        assert_eq!(times["produced"], 1_700_000_000_001_000_000_i64);
        assert!(
            times["consumed"].as_i64() <= times["posted"].as_i64(),
            "{times}"
        );
        assert_eq!(lines[1]["data_base64"], "bm90Cmpzb24=");
        assert_eq!(running.drain().await, (2, vec![]));
    })
    .await;
}

#[tokio::test]
async fn what_waits_goes_out_in_one_request_within_the_limit() {
    local(async {
        let release = Arc::new(Notify::new());
        let (seen, mut requests) = mpsc::unbounded_channel();
        let held = release.clone();
        let address = serve(async move |request| {
            seen.send(request).unwrap();
            held.notified().await;
            answer(OK, "", "")
        });
        let running = Running::start(address, json!({"max_messages": 5})).await;
        running.push(0, 0..1);
        assert_eq!(numbers(&requests.recv().await.unwrap()), [0]);
        running.push(0, 1..3);
        running.push(0, 3..7);
        // Lets the stage take both, so that they wait in the lane.
        tokio::time::sleep(Duration::from_millis(20)).await;
        release.notify_one();
        assert_eq!(numbers(&requests.recv().await.unwrap()), [1, 2, 3, 4, 5]);
        release.notify_one();
        assert_eq!(numbers(&requests.recv().await.unwrap()), [6]);
        release.notify_one();
        assert_eq!(running.drain().await, (7, vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_partition_that_hangs_does_not_hold_up_another() {
    local(async {
        let hung = Arc::new(Notify::new());
        let release = hung.clone();
        let address = serve(async move |request| {
            if numbers(&request)[0] < 100 {
                hung.notified().await;
            }
            answer(OK, "", "")
        });
        let running = Running::start(address, json!({})).await;
        running.push(0, 0..10);
        for start in (100..200).step_by(10) {
            running.push(1, start..start + 10);
        }
        let settled = || {
            running
                .feed
                .settled()
                .iter()
                .map(|one| one.range.len())
                .sum::<usize>()
        };
        eventually(|| settled() == 100).await;
        release.notify_one();
        assert_eq!(running.drain().await, (110, vec![]));
    })
    .await;
}

#[tokio::test]
async fn only_the_message_that_the_receiver_refuses_is_rejected() {
    local(async {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let seen = taken.clone();
        let address = serve(async move |request| {
            let numbers = numbers(&request);
            if numbers.contains(&37) {
                return answer("400 Bad Request", "", "37 is not a price");
            }
            seen.lock().unwrap().extend(numbers);
            answer(OK, "", "")
        });
        let running = Running::start(address, json!({})).await;
        running.push(0, 0..100);
        running.push(0, 100..110);
        assert_eq!(
            running.drain().await,
            (109, vec!["400 Bad Request: 37 is not a price".to_owned()])
        );
        let in_order: Vec<i64> = (0..110).filter(|number| *number != 37).collect();
        assert_eq!(*taken.lock().unwrap(), in_order);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_an_answer_lists_is_rejected_and_the_rest_is_done() {
    local(async {
        let body = r#"{"accepted":2,"duplicates":0,"rejected":[{"index":1,"reason":"too old"}]}"#;
        let address = serve(async move |_| answer(OK, "", body));
        let running = Running::start(address, json!({})).await;
        running.push(0, 0..3);
        eventually(|| running.feed.settled().len() == 3).await;
        let rejected = Settled {
            batch: 0,
            range: 1..2,
            rejected: Some("too old".into()),
        };
        assert!(running.feed.settled().contains(&rejected));
        assert_eq!(running.drain().await, (2, vec!["too old".to_owned()]));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_token_for_a_while_loses_nothing_and_is_told() {
    local(async {
        let tries = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let (count, seen) = (tries.clone(), accepted.clone());
        let address = serve(async move |request| {
            if count.fetch_add(1, Ordering::SeqCst) < 4 {
                return answer("401 Unauthorized", "", "");
            }
            seen.lock().unwrap().extend(numbers(&request));
            answer(OK, "", "")
        });
        let running = Running::start(address, json!({"token": "t0ken"})).await;
        running.push(0, 0..10);
        eventually(|| testing::trouble(&running.context).is_some()).await;
        let trouble = testing::trouble(&running.context).unwrap();
        assert!(
            trouble.starts_with("trades/0: POST http://127.0.0.1:"),
            "{trouble}"
        );
        assert!(
            trouble.contains("401 Unauthorized") && !trouble.contains("t0ken"),
            "{trouble}"
        );
        running.push(0, 10..20);
        let context = running.context.clone();
        assert_eq!(running.drain().await, (20, vec![]));
        assert_eq!(*accepted.lock().unwrap(), (0..20).collect::<Vec<_>>());
        assert_eq!(testing::trouble(&context), None);
    })
    .await;
}

#[tokio::test]
async fn order_per_partition_holds_whatever_the_receiver_does() {
    local(async {
        let tries = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let seen = accepted.clone();
        let address = serve(async move |request| {
            let answers = [
                answer("503 Service Unavailable", "", ""),
                "CUT".to_owned(),
                "HTTP/1.1 200 OK\r\ncontent-lenCUT".to_owned(),
                answer(OK, "connection: close\r\n", ""),
                answer(OK, "", ""),
            ];
            let answer = answers[tries.fetch_add(1, Ordering::SeqCst) % answers.len()].clone();
            if answer.starts_with("HTTP/1.1 200 OK\r\nconn")
                || answer.starts_with("HTTP/1.1 200 OK\r\ncontent-length")
            {
                seen.lock().unwrap().extend(numbers(&request));
            }
            answer
        });
        let running = Running::start(address, json!({"max_messages": 7})).await;
        for start in (0..60).step_by(5) {
            running.push(0, start..start + 5);
            running.push(1, 1000 + start..1000 + start + 5);
        }
        assert_eq!(running.drain().await, (120, vec![]));
        let accepted = accepted.lock().unwrap();
        let of = |from: i64| {
            accepted
                .iter()
                .copied()
                .filter(move |number| (from..from + 60).contains(number))
        };
        assert!(of(0).eq(0..60) && of(1000).eq(1000..1060), "{accepted:?}");
    })
    .await;
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    local(async {
        let tries = Arc::new(AtomicUsize::new(0));
        let address = serve(async move |_| match tries.fetch_add(1, Ordering::SeqCst) {
            0 => answer("429 Too Many Requests", "retry-after: 1\r\n", ""),
            _ => answer(OK, "", ""),
        });
        let start = Instant::now();
        let running = Running::start(address, json!({})).await;
        running.push(0, 0..1);
        assert_eq!(running.drain().await, (1, vec![]));
        assert!(start.elapsed() >= Duration::from_secs(1));
    })
    .await;
}

#[tokio::test]
async fn load_never_changes_the_encoding() {
    for (encoding, first, later) in [
        ("json", "0", vec!["1", "2"]),
        ("json_array", "[0]", vec!["[1,2]"]),
    ] {
        local(async {
            let (seen, mut requests) = mpsc::unbounded_channel();
            let address = serve(async move |request: Request| {
                assert!(
                    request.text.contains("content-type: application/json\r\n"),
                    "{request:?}"
                );
                seen.send(request.body().to_owned()).unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                answer(OK, "", "")
            });
            let running = Running::start(address, json!({"encoding": encoding})).await;
            running.push(0, 0..1);
            assert_eq!(requests.recv().await.unwrap(), first);
            running.push(0, 1..3);
            for body in later {
                assert_eq!(requests.recv().await.unwrap(), body);
            }
            assert_eq!(running.drain().await, (3, vec![]));
        })
        .await;
    }
}

#[tokio::test]
async fn a_payload_that_is_not_json_is_rejected_where_the_encoding_cannot_carry_it() {
    for encoding in ["json", "json_array"] {
        local(async {
            let address = serve(async |_| answer(OK, "", ""));
            let running = Running::start(address, json!({"encoding": encoding})).await;
            running
                .feed
                .push(&[Record::new(b"1"), Record::new(b"{"), Record::new(b"2")]);
            let (done, reasons) = running.drain().await;
            assert_eq!(done, 2);
            assert!(
                reasons.len() == 1 && reasons[0].starts_with("payload is not JSON: "),
                "{reasons:?}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn requests_of_a_partition_share_a_connection() {
    local(async {
        let (seen, mut requests) = mpsc::unbounded_channel();
        let address = serve(async move |request| {
            seen.send(request).unwrap();
            answer(OK, "", "")
        });
        let running = Running::start(address, json!({})).await;
        for number in 0..5 {
            running.push(0, number..number + 1);
            assert_eq!(requests.recv().await.unwrap().connection, 0);
        }
        assert_eq!(running.drain().await, (5, vec![]));
    })
    .await;
}
