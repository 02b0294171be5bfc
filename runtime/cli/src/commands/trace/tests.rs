use super::jaeger::{Trace, search_link};
use super::*;
use pipeline_testkit::{Answer, HttpReceiver};
use serde_json::{Value, json};

/// A trace as Jaeger answers it, its spans in no order.
fn answer() -> Value {
    let span = |id: &str, parent: Option<&str>, name: &str, times: [u64; 2], kind: &str| {
        let parent =
            parent.map(|id| json!({ "refType": "CHILD_OF", "traceID": "4bf9", "spanID": id }));
        json!({
            "traceID": "4bf9", "spanID": id, "operationName": name, "references": parent.as_slice(),
            "startTime": times[0], "duration": times[1], "processID": "p1",
            "tags": [
                { "key": "otel.scope.name", "type": "string", "value": "http-post" },
                { "key": "span.kind", "type": "string", "value": kind },
                { "key": "messaging.kafka.offset", "type": "int64", "value": 1071 },
            ],
            "logs": [], "warnings": null,
        })
    };
    let mut post = span("c", Some("b"), "POST", [1_500, 200], "client");
    let failed = [
        json!({ "key": "otel.status_code", "type": "string", "value": "ERROR" }),
        json!({ "key": "otel.status_description", "type": "string", "value": "503\u{1b}[2J" }),
    ];
    post["tags"].as_array_mut().unwrap().extend(failed);
    post["logs"] = json!([{ "timestamp": 1_600, "fields": [{ "key": "event", "type": "string", "value": "exception" }] }]);
    json!({
        "data": [{
            "traceID": "4bf9",
            "spans": [
                post,
                span("a", None, "receive", [1_000, 5_000], "consumer"),
                span("d", Some("b"), "POST", [1_900, 100], "client"),
                span("b", Some("a"), "process", [1_250, 1_000], "consumer"),
                span("e", Some("lost"), "deliver", [2_000, 10], "client"),
            ],
            "processes": { "p1": { "serviceName": "consumer", "tags": [] } },
        }],
        "total": 0, "limit": 0, "offset": 0, "errors": null,
    })
}

fn position() -> Position {
    "stock_trade/2:1071".parse().unwrap()
}

#[test]
fn a_trace_is_a_tree_of_lines() {
    let trace: Trace = serde_json::from_value(answer()["data"][0].clone()).unwrap();
    assert_eq!(
        tree::text(&trace),
        "\
receive  [consumer/http-post, consumer]  +0.000 ms, 5.000 ms
  process  [consumer/http-post, consumer]  +0.250 ms, 1.000 ms
    POST  [consumer/http-post, client]  +0.500 ms, 0.200 ms  exception  failed: 503\\u{1b}[2J
    POST  [consumer/http-post, client]  +0.900 ms, 0.100 ms
deliver  [consumer/http-post, client]  +1.000 ms, 0.010 ms
"
    );
}

#[test]
fn a_link_looks_for_the_position() {
    let link = search_link("http://jaeger:16686", "consumer", &position());
    let url = url::Url::parse(&link).unwrap();
    assert_eq!(url.path(), "/search");
    let query: std::collections::HashMap<_, _> = url.query_pairs().collect();
    assert_eq!(
        (&*query["service"], &*query["lookback"]),
        ("consumer", "7d")
    );
    let tags: Value = serde_json::from_str(&query["tags"]).unwrap();
    assert_eq!(tags["messaging.destination.name"], "stock_trade");
    assert_eq!(tags["messaging.destination.partition.id"], "2");
    assert_eq!(tags["messaging.kafka.offset"], "1071");
}

#[test]
fn what_is_no_position_is_refused() {
    for text in [
        "",
        "stock_trade",
        "stock_trade/2",
        "/2:1",
        "t/x:1",
        "t/2:-1",
        "t/2:",
    ] {
        assert!(text.parse::<Position>().is_err(), "{text}");
    }
    assert_eq!(position().to_string(), "stock_trade/2:1071");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_is_asked_until_one_knows_the_position() {
    let jaeger = HttpReceiver::answering(|request| match request.line.as_str() {
        "GET /base/api/services" => Answer::json(json!({ "data": ["jaeger", "consumer"] })),
        line if line.starts_with("GET /base/api/traces?service=consumer&") => {
            Answer::json(answer())
        }
        _ => Answer::json(json!({ "data": [] })),
    })
    .await;
    let base = format!("http://{}/base/", jaeger.addr());
    let text = find(&base, &position()).await.unwrap().unwrap();
    let (link, tree) = text.split_once('\n').unwrap();
    assert_eq!(link, format!("http://{}/base/trace/4bf9", jaeger.addr()));
    assert!(tree.starts_with("receive "), "{tree}");
    assert_eq!(jaeger.received().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_jaeger_is_told() {
    for (answer, told) in [
        (Answer::status(404), "answer 404 Not Found"),
        (
            Answer::status(200).body("<html>"),
            "expected the answer of its query API",
        ),
    ] {
        let other = HttpReceiver::scripted([answer]).await;
        let why = find(&format!("http://{}", other.addr()), &position()).await;
        let why = why.unwrap_err();
        assert!(why.contains(told), "{why}");
    }
}
