//! Whole files through the loader, with stages that exist only here.

use super::*;
use crate::catalogue::fake::FakeCatalogue;
use crate::config::model::OnReject;
use crate::config::render::{Style, render};
use std::collections::HashMap;

pub(crate) fn load_with(
    texts: &[(&str, &str)],
    environment: &HashMap<String, String>,
) -> Result<Vec<Pipeline>, Vec<FileReport>> {
    let loader = Loader {
        catalogue: &FakeCatalogue,
        environment,
        metrics: None,
    };
    let mut files: Vec<_> = texts
        .iter()
        .map(|(name, text)| loader.parse(SourceFile::new(*name, *text)))
        .collect();
    loader.finish(&mut files)
}

fn errors(texts: &[(&str, &str)]) -> String {
    render(
        &load_with(texts, &HashMap::new()).unwrap_err(),
        Style::Plain,
    )
}

fn errors_in(text: &str) -> String {
    errors(&[("a.yaml", text)])
}

pub(crate) fn only(text: &str) -> Pipeline {
    match load_with(&[("a.yaml", text)], &HashMap::new()) {
        Ok(mut pipelines) => pipelines.remove(0),
        Err(reports) => panic!("{}", render(&reports, Style::Plain)),
    }
}

pub(crate) const CONSUMER: &str = r#"
flows:
  consumer:
    instances: 3
    status: ${HOST:-127.0.0.1}:8081
    stages:
      - use: kafka-group-source
        with:
          brokers: ${KAFKA_BROKERS:-127.0.0.1:9092}
          topic: ${TRADES_TOPIC:-stock_trade}
          rewind: ${REWIND:-1000}
      - use: http-post
        with: { url: "http://${HOST:-127.0.0.1}:8080/api/trades" }
        on_reject: { to: dead-letters }
      - name: dead-letters
        use: kafka-sink
        with: { brokers: "${KAFKA_BROKERS:-127.0.0.1:9092}", topic: stock_trade.dead }
  websocket-server:
    stages:
      - use: websocket-source
        with: { urls: "${PEERS:-}", protocol: pipeline.v1, local_only: true }
      - use: ws-broadcast
        with: { listen: "${HOST:-127.0.0.1}:8080" }
"#;

#[test]
fn a_consumer_vm_is_read_with_its_defaults() {
    let pipeline = only(CONSUMER);
    let consumer = &pipeline.flows[0];
    assert_eq!(consumer.instances.value, 3);
    assert_eq!(
        consumer.status.as_ref().unwrap().value.to_string(),
        "127.0.0.1:8081"
    );
    assert_eq!(
        consumer.stages[0].config,
        serde_json::json!({"brokers": ["127.0.0.1:9092"], "topic": "stock_trade", "rewind": 1000})
    );
    assert_eq!(consumer.stages[1].from[0].value, "kafka-group-source");
    assert_eq!(
        consumer.stages[1].on_reject.value,
        OnReject::To("dead-letters".into())
    );
    assert!(consumer.stages[2].takes_rejects && consumer.stages[2].from.is_empty());
    assert_eq!(
        pipeline.flows[1].stages[0].config["urls"],
        serde_json::json!([])
    );
}

#[test]
fn the_environment_reaches_scalars_with_the_type_of_their_place() {
    let environment = HashMap::from([
        ("KAFKA_BROKERS".to_owned(), "a:1, b:2".to_owned()),
        ("REWIND".to_owned(), "7".to_owned()),
        ("TRADES_TOPIC".to_owned(), "42".to_owned()),
    ]);
    let pipeline = load_with(&[("a.yaml", CONSUMER)], &environment)
        .unwrap_or_default()
        .remove(0);
    assert_eq!(
        pipeline.flows[0].stages[0].config,
        serde_json::json!({"brokers": ["a:1", "b:2"], "topic": "42", "rewind": 7})
    );
}

#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    insta::assert_snapshot!(errors_in(
        r#"flows:
  consumer:
    instances: none
    stages:
      - use: kafak-sink
      - use: kafka-group-source
        with:
          brokers: ${NOWHERE}
          topik: trades
          acks: maybe
          rewind: fast
          tls: { verify: no, cafile: x }
      - use: http-post
        with: { uri: "http://127.0.0.1:8080", timeout: soon }
        on_reject: { to: dead-leters }
        restart: sometimes
      - name: dead-letters
        use: kafka-sink
        with: { brokers: ["a:1"], topic: dead }
        buffer: { messages: 0, bytes: huge }
        retri: { initial: 1s }
"#
    ));
}

#[test]
fn wiring_that_makes_no_sense_is_told() {
    insta::assert_snapshot!(errors_in(
        r#"flows:
  a:
    stages:
      - use: http-post
        with: { url: "http://a:1" }
      - use: trade-normalizer
  b:
    stages:
      - use: websocket-source
        with: { urls: ["ws://a"] }
        from: [x]
        on_reject: stop
      - name: x
        use: trade-normalizer
        from: [y]
      - name: y
        use: trade-normalizer
        from: [x]
      - name: y
        use: ws-broadcast
        from: [y, y, z]
        with: { listen: "127.0.0.1:1" }
"#
    ));
}

#[test]
fn listeners_on_one_port_are_told_across_files_and_instances() {
    let server = "flows:\n  server:\n    instances: 2\n    stages:\n      - use: ws-broadcast\n        with: { listen: '0.0.0.0:8082' }\n";
    insta::assert_snapshot!(errors(&[
        ("consumer.yaml", CONSUMER),
        ("server.yaml", server)
    ]));
}

#[test]
fn two_flows_of_one_name_are_told() {
    let text = "flows:\n  server:\n    stages:\n      - { use: ws-broadcast, with: { listen: '127.0.0.1:0' } }\n";
    let told = errors(&[("a.yaml", text), ("b.yaml", text)]);
    assert!(
        told.starts_with("b.yaml:2:3: name `server` is taken by the flow at a.yaml:2"),
        "{told}"
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    let told = errors_in(
        "stages:\n  - use: kafka-group-source\n    with: { brokers: [], topic: t, password: hunter2hunter2 }\n  - use: http-post\n    with: { token: 12345678, url: x }\n",
    );
    assert!(
        !told.contains("hunter2") && !told.contains("12345678"),
        "{told}"
    );
    assert!(
        told.contains("password: ***") && told.contains("`token` is `***` (expected text)"),
        "{told}"
    );
}

#[test]
fn a_secret_is_shown_nowhere_also_where_nobody_knows_that_it_is_one() {
    let misspelt = "stages:\n  - use: kafka-group-source\n    with: { brokers: [a], topic: t, pasword: hunter2hunter2 }\n";
    let unknown = "stages:\n  - { use: kafka-thing, with: { password: hunter2hunter2 } }\n";
    let broken = "stages:\n  - use: kafka-group-source\n    with: { password: hunter2hunter2, ]\n";
    for text in [misspelt, unknown, broken] {
        let told = errors_in(text);
        assert!(!told.contains("hunter2") && told.contains("***"), "{told}");
    }
}

#[test]
fn a_plugin_answers_with_a_pointer_and_the_place_is_found() {
    let told = errors_in(
        "stages:\n  - use: websocket-source\n    with:\n      urls:\n        - wss://a\n        - http://b\n  - use: ws-broadcast\n",
    );
    assert!(
        told.starts_with("a.yaml:6:11: stage `websocket-source`: `http://b` is no WebSocket URL"),
        "{told}"
    );
}

#[test]
fn yaml_has_no_surprises() {
    let base = |rest: &str| {
        format!(
            "stages:\n  - use: websocket-source\n    with: {{ urls: [], {rest} }}\n  - use: ws-broadcast\n"
        )
    };
    assert_eq!(
        only(&base("protocol: no")).flows[0].stages[0].config["protocol"],
        "no"
    );
    assert_eq!(
        only(&base("protocol: 012")).flows[0].stages[0].config["protocol"],
        "012"
    );
    let twice = errors_in(&base("protocol: a, protocol: b"));
    assert!(
        twice.contains("duplicate") && twice.contains("protocol"),
        "{twice}"
    );
}

#[test]
fn hostile_files_cost_little() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert!(!errors_in(bomb).is_empty());
    assert!(!errors_in(&"[".repeat(100_000)).is_empty());
    assert!(!errors_in(&"a:\n".repeat(3)).is_empty());
    assert!(errors_in(&"x".repeat(2 << 20)).contains("expected at most"));
}

#[test]
fn a_file_full_of_mistakes_costs_little_and_tells_the_first_ones() {
    let began = std::time::Instant::now();
    let keys: String = (0..20_000).map(|key| format!("key{key}: 1\n")).collect();
    assert!(errors_in(&keys).ends_with("200 errors, and 19801 more\n"));
    let stages: String = (0..5_000)
        .map(|name| format!("  - {{ use: x{name}, from: [y{name}] }}\n"))
        .collect();
    assert!(
        errors_in(&format!("stages:\n{stages}")).contains("5000 stages (expected at most 256)")
    );
    let flows: String = (0..5_000)
        .map(|name| format!("  f{name}:\n    stages: []\n"))
        .collect();
    assert!(errors_in(&format!("flows:\n{flows}")).contains("5000 flows (expected at most 64)"));
    assert!(
        began.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_plugin_whose_schema_is_none_is_named() {
    let told = errors_in(
        "stages:\n  - { use: websocket-source, with: { urls: [] } }\n  - { use: odd-sink, with: { a: 1, b: x } }\n",
    );
    assert!(
        told.starts_with(
            "a.yaml:3:12: stage `odd-sink`: plugin of `odd-sink` has no valid schema: "
        ),
        "{told}"
    );
}

#[test]
fn a_literal_chain_of_sinks_is_valid() {
    let pipeline = only(
        "stages:\n  - { use: kafka-group-source, with: { brokers: [a], topic: t } }\n  - { use: http-post, with: { url: 'http://a:1' } }\n  - use: ws-broadcast\n",
    );
    assert_eq!(pipeline.flows[0].name, "a");
    assert_eq!(pipeline.flows[0].stages[2].from[0].value, "http-post");
}

#[test]
fn two_sources_join_by_from() {
    let pipeline = only(
        "stages:\n  - { use: websocket-source, with: { urls: [] } }\n  - { name: kafka, use: kafka-group-source, with: { brokers: [a], topic: t } }\n  - { use: ws-broadcast, from: [websocket-source, kafka] }\n",
    );
    assert_eq!(pipeline.flows[0].stages[2].from.len(), 2);
}
