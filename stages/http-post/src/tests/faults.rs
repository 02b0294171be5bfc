//! Receivers that refuse, fail and come back.

use super::*;

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
