//! Requests to receivers that are a TCP socket and a script.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::server::{self, answer};

type Requests = Arc<Mutex<Vec<String>>>;

/// Answers the n-th request with the n-th answer, the last one for ever.
fn serve(answers: &[&str]) -> (SocketAddr, Requests) {
    let requests = Requests::default();
    let seen = requests.clone();
    let answers: Arc<Vec<String>> =
        Arc::new(answers.iter().map(|&answer| answer.to_owned()).collect());
    let address = server::serve(async move |request| {
        let mut seen = seen.lock().unwrap();
        seen.push(request.text);
        answers
            .get(seen.len() - 1)
            .or(answers.last())
            .unwrap()
            .clone()
    });
    (address, requests)
}

fn receiver(address: SocketAddr, mut settings: Value) -> Receiver {
    settings["url"] = json!(format!("http://{address}/in?key=hush"));
    let config: Config = serde_json::from_value(settings).unwrap();
    assert_eq!(config.problems(), []);
    Receiver::new(&config, &Context::detached("test")).unwrap()
}

fn two_of_three() -> Encoded {
    Encoded {
        body: "a\nc\n".into(),
        places: vec![0, 2],
        unfit: Rejected::from([(1, "unfit".to_owned())]),
    }
}

async fn post(receiver: &Receiver) -> Result<Rejected, WriteError> {
    receiver
        .post(
            &two_of_three(),
            &mut Given::default(),
            &mut Posts::default(),
        )
        .await
}

/// Posts to a receiver of envelopes that gives one answer.
async fn post_to(answer: &str) -> Result<Rejected, WriteError> {
    let (address, _) = serve(&[answer]);
    post(&receiver(address, json!({"timeout": "200ms"}))).await
}

fn retry(result: Result<Rejected, WriteError>) -> (String, Option<Duration>) {
    match result {
        Err(WriteError::Retry { error, after }) => (error.to_string(), after),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_carries_type_token_and_headers() {
    let (address, requests) = serve(&[&answer("200 OK", "", "")]);
    let settings = json!({"token": "t0ken", "headers": {"X-Api-Key": "k3y"}});
    post(&receiver(address, settings)).await.unwrap();
    let request = requests.lock().unwrap()[0].clone();
    assert!(
        request.starts_with("POST /in?key=hush HTTP/1.1\r\n"),
        "{request}"
    );
    for header in [
        "content-type: application/x-ndjson",
        "authorization: Bearer t0ken",
        "x-api-key: k3y",
    ] {
        assert!(request.contains(&format!("{header}\r\n")), "{request}");
    }
    assert!(request.ends_with("\r\n\r\na\nc\n"), "{request}");
}

#[tokio::test]
async fn rejected_messages_are_told_by_their_place_in_the_chunk() {
    let body = r#"{"accepted":1,"duplicates":0,"rejected":[{"index":1,"reason":"no"}]}"#;
    let rejected = post_to(&answer("200 OK", "", body)).await.unwrap();
    assert_eq!(
        rejected,
        Rejected::from([(1, "unfit".to_owned()), (2, "no".to_owned())])
    );
}

#[tokio::test]
async fn an_answer_that_rejects_all_needs_no_smaller_requests() {
    let body = r#"{"accepted":0,"duplicates":0,"rejected":[{"index":0,"reason":"x"},{"index":1,"reason":"y"}]}"#;
    let rejected = post_to(&answer("422 Unprocessable Content", "", body))
        .await
        .unwrap();
    assert_eq!(
        rejected.into_values().collect::<Vec<_>>(),
        ["x", "unfit", "y"]
    );
}

#[tokio::test]
async fn a_success_without_an_answer_of_the_contract_is_delivered() {
    for body in ["", "ok", "{}", "[1]"] {
        assert_eq!(
            post_to(&answer("202 Accepted", "", body))
                .await
                .unwrap()
                .len(),
            1,
            "{body}"
        );
    }
}

#[tokio::test]
async fn statuses_about_messages_are_invalid_with_what_the_receiver_says() {
    for status in [
        "400 Bad Request",
        "413 Payload Too Large",
        "422 Unprocessable Entity",
    ] {
        match post_to(&answer(status, "", "line 2:\n not an envelope")).await {
            Err(WriteError::Invalid(why)) => {
                assert_eq!(why, format!("{status}: line 2: not an envelope"))
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_receiver_that_echoes_secrets_does_not_get_them_into_a_reason() {
    let (address, _) = serve(&[&answer("400 Bad Request", "", "you sent t0ken and k3y")]);
    let settings = json!({"token": "t0ken", "headers": {"x-api-key": "k3y"}});
    match post(&receiver(address, settings)).await {
        Err(WriteError::Invalid(why)) => assert_eq!(why, "400 Bad Request: you sent *** and ***"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_token_is_retried_and_told_without_the_query() {
    let (address, _) = serve(&[
        &answer("401 Unauthorized", "", "t0ken"),
        &answer("200 OK", "", ""),
    ]);
    let receiver = receiver(address, json!({"token": "t0ken"}));
    let (text, after) = retry(post(&receiver).await);
    assert_eq!(
        text,
        format!("POST http://{address}/in: 401 Unauthorized: the receiver wants a valid `token`")
    );
    assert_eq!(after, None);
    assert_eq!(post(&receiver).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_retried_and_told() {
    let (text, _) = retry(
        post_to(&answer(
            "308 Permanent Redirect",
            "location: http://127.0.0.1:1/\r\n",
            "",
        ))
        .await,
    );
    assert!(
        text.ends_with(
            "308 Permanent Redirect: redirects are not followed; set `url` to where the receiver is"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn a_receiver_without_time_is_asked_again_when_it_says() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let (text, after) = retry(post_to(&answer(status, "retry-after: 7\r\n", "")).await);
        assert!(text.ends_with(status), "{text}");
        assert_eq!(after, Some(Duration::from_secs(7)));
    }
    assert_eq!(
        retry(post_to(&answer("500 Internal Server Error", "", "")).await).1,
        None
    );
}

#[tokio::test]
async fn an_unexpected_status_is_retried_and_told() {
    for status in ["101 Switching Protocols", "418 I'm a teapot", "999 What"] {
        let (text, _) = retry(post_to(&answer(status, "", "")).await);
        assert!(
            text.contains("not one that a POST should get"),
            "{status}: {text}"
        );
    }
}

#[tokio::test]
async fn half_an_answer_with_envelopes_is_retried() {
    let (text, _) =
        retry(post_to("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"accepted\":CUT").await);
    assert!(text.contains("200 OK: answer broke off"), "{text}");
}

#[tokio::test]
async fn half_an_answer_with_plain_json_is_delivered() {
    let (address, _) = serve(&["HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{CUT"]);
    let receiver = receiver(address, json!({"encoding": "json_array"}));
    assert_eq!(post(&receiver).await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_answer_is_retried() {
    for (answer, told) in [
        ("", "no answer within 200ms"),
        ("CUT", "connection closed before the answer"),
    ] {
        let (text, _) = retry(post_to(answer).await);
        assert!(text.ends_with(told), "{text}");
    }
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let (text, _) = retry(post(&receiver(free, json!({}))).await);
    assert!(text.contains("Connection refused"), "{text}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_delivered() {
    let (address, _) = serve(&["HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n"]);
    assert_eq!(post(&receiver(address, json!({}))).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_chunk_of_unfit_messages_makes_no_request() {
    let (address, requests) = serve(&[""]);
    let unfit = Rejected::from([(0, "payload is not JSON".to_owned())]);
    let encoded = Encoded {
        unfit: unfit.clone(),
        ..Encoded::default()
    };
    let receiver = receiver(address, json!({"encoding": "json"}));
    assert_eq!(
        receiver
            .post(&encoded, &mut Given::default(), &mut Posts::default())
            .await
            .unwrap(),
        unfit
    );
    assert!(requests.lock().unwrap().is_empty());
}
