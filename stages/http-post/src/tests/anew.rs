//! A receiver that starts anew with an empty memory is given again what it had last.

use super::*;

/// A receiver whose memory has the name `tag`; answers 412 to who expects another. Tells the requests that it took.
fn memory(
    tag: Arc<Mutex<&'static str>>,
) -> (SocketAddr, mpsc::UnboundedReceiver<(Vec<i64>, bool)>) {
    let (seen, requests) = mpsc::unbounded_channel();
    let address = serve(async move |request| {
        let tag = format!("\"{}\"", tag.lock().unwrap());
        let etag = format!("etag: {tag}\r\n");
        let expected = request
            .text
            .lines()
            .find_map(|line| line.strip_prefix("if-match: "));
        if expected.is_some_and(|expected| expected != tag) {
            return answer("412 Precondition Failed", &etag, "");
        }
        let is_replay = request.text.contains("pipeline-replay: true\r\n");
        seen.send((numbers(&request), is_replay)).unwrap();
        answer(OK, &etag, "")
    });
    (address, requests)
}

#[tokio::test]
async fn what_a_lost_memory_had_last_is_given_again_before_what_is_new() {
    local(async {
        let tag = Arc::new(Mutex::new("one"));
        let (address, mut requests) = memory(tag.clone());
        let running = Running::start(address, json!({"resend": 3})).await;
        for first in [0, 2, 4] {
            running.push(0, first..first + 2);
            assert_eq!(
                requests.recv().await.unwrap(),
                (vec![first, first + 1], false)
            );
        }
        *tag.lock().unwrap() = "two";
        running.push(0, 6..7);
        assert_eq!(requests.recv().await.unwrap(), (vec![2, 3, 4, 5], true));
        assert_eq!(requests.recv().await.unwrap(), (vec![6], false));
        running.push(0, 7..8);
        assert_eq!(requests.recv().await.unwrap(), (vec![7], false));
        assert_eq!(running.drain().await, (8, vec![]));
    })
    .await;
}

#[tokio::test]
async fn each_partition_is_given_again_on_its_own() {
    local(async {
        let tag = Arc::new(Mutex::new("one"));
        let (address, mut requests) = memory(tag.clone());
        let running = Running::start(address, json!({})).await;
        running.push(0, 0..1);
        requests.recv().await.unwrap();
        running.push(1, 10..11);
        requests.recv().await.unwrap();
        *tag.lock().unwrap() = "two";
        running.push(1, 11..12);
        assert_eq!(requests.recv().await.unwrap(), (vec![10], true));
        assert_eq!(requests.recv().await.unwrap(), (vec![11], false));
        running.push(0, 1..2);
        assert_eq!(requests.recv().await.unwrap(), (vec![0], true));
        assert_eq!(requests.recv().await.unwrap(), (vec![1], false));
        assert_eq!(running.drain().await, (4, vec![]));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_given_again_when_nothing_is_to_be_kept() {
    local(async {
        let tag = Arc::new(Mutex::new("one"));
        let (address, mut requests) = memory(tag.clone());
        let running = Running::start(address, json!({"resend": 0})).await;
        running.push(0, 0..1);
        requests.recv().await.unwrap();
        *tag.lock().unwrap() = "two";
        running.push(0, 1..2);
        assert_eq!(requests.recv().await.unwrap(), (vec![1], false));
        assert_eq!(running.drain().await, (2, vec![]));
    })
    .await;
}
