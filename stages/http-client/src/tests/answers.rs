//! Answers: whole, half, huge, early, none.

use super::*;

#[tokio::test]
async fn a_server_that_hangs_costs_the_timeout() {
    let address = serve(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let client = limited(&format!("http://{address}/"), None, Duration::from_secs(1));
    let error = post(&client, "body").await.unwrap_err();
    assert_eq!(error.to_string(), "no answer within 1s");
}

#[tokio::test]
async fn a_body_that_stalls_is_cut_at_the_deadline() {
    let address = serve(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let client = limited(&format!("http://{address}/"), None, Duration::from_secs(1));
    let answer = post(&client, "body").await.unwrap();
    assert_eq!(answer.body, Body::Cut("answer did not end in time".into()));
}

#[tokio::test]
async fn half_a_head_on_a_fresh_connection_is_an_error() {
    let address = serve_once(*b"HTTP/1.1 200 OK\r\ncontent-le").await;
    let error = post(&client(address), "body").await.unwrap_err();
    assert!(matches!(error, RequestError::Closed), "{error}");
}

#[tokio::test]
async fn half_a_body_is_cut_with_its_status() {
    let address = serve_once(*b"HTTP/1.1 503 No\r\ncontent-length: 9\r\n\r\nhalf").await;
    let answer = post(&client(address), "body").await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(matches!(answer.body, Body::Cut(_)), "{:?}", answer.body);
}

#[tokio::test]
async fn a_huge_body_is_not_read() {
    let told = serve_once(*b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await;
    assert_eq!(
        post(&client(told), "body").await.unwrap().body,
        Body::TooLarge { limit: 1024 }
    );

    let chunks = b"400\r\n"
        .iter()
        .copied()
        .chain([b'x'; 0x400])
        .chain(*b"\r\n")
        .cycle()
        .take(1 << 20);
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        .iter()
        .copied()
        .chain(chunks);
    let chunked = serve_once(chunked.collect::<Vec<u8>>()).await;
    assert_eq!(
        post(&client(chunked), "body").await.unwrap().body,
        Body::TooLarge { limit: 1024 }
    );
}

#[tokio::test]
async fn huge_headers_are_an_error() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let error = post(&client(serve_once(long).await), "body")
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::HeadTooLarge(_)), "{error}");

    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    let error = post(&client(serve_once(many).await), "body")
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::HeadTooLarge(_)), "{error}");
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    let error = post(
        &client(serve_once(*b"SSH-2.0-OpenSSH_9.2\r\n").await),
        "body",
    )
    .await
    .unwrap_err();
    assert!(matches!(error, RequestError::Broken(_)), "{error}");
}

#[tokio::test]
async fn a_redirect_is_answered_not_followed() {
    let address = serve_once(
        *b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let answer = post(&client(address), "body").await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
}

#[tokio::test]
async fn an_answer_before_the_request_was_read_is_heard() {
    let address = serve(|mut stream, _| async move {
        let mut head = [0; 512];
        stream.read_exact(&mut head).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 413 Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let answer = post(&client(address), vec![b'x'; 64 << 20]).await.unwrap();
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_answer_before_a_reset_is_heard() {
    let address = serve(|mut stream, _| async move {
        let mut head = [0; 512];
        stream.read_exact(&mut head).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 413 Large\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    let client = client(address);
    for _ in 0..50 {
        let answer = post(&client, vec![b'x'; 8 << 20]).await.unwrap();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
