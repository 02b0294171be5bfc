//! What goes into a request, and when.

use super::*;

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
        assert_eq!(lines[0]["key"], "KRW-BTC");
        // The same trace; the parent of what comes next is the POST.
        let told = lines[0]["traceparent"].as_str().and_then(Trace::parse);
        let (told, given) = (told.unwrap(), Trace::parse(traceparent).unwrap());
        assert_eq!((told.trace_id, told.flags), (given.trace_id, given.flags));
        assert_ne!(told.span_id, given.span_id);
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
