//! The real command and the real files: what `make demo` shows. The workspace must be built, as `make test` does.

use std::time::Duration;

use pipeline_testkit::otlp::Collector;
use pipeline_testkit::{V1Client, http};
use rustix::process::{Signal, kill_process};

use super::driver::{Sandbox, all_gone};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_trade_is_seen_once_on_one_vm_while_another_is_killed() {
    let mut sandbox = Sandbox::real(&[]);
    let mut machines = sandbox.machines();
    sandbox.line(&["Open http://127.0.0.1:3000/"]);
    let (status, page) = http::get("http://127.0.0.1:3000/").await.unwrap();
    assert!(
        status.is_success() && page.contains("<html"),
        "{status}: {page}"
    );

    let mut browser = V1Client::connect("ws://127.0.1.2:8080/ws?recent=100000").await;
    browser
        .read_until(PATIENCE, |seen| seen.count() > 200)
        .await
        .unwrap();
    kill_process(machines["vm-1"], Signal::KILL).unwrap();
    machines.extend([sandbox.started()]);
    let enough = browser.seen().count() + 1000;
    browser
        .read_until(PATIENCE, |seen| seen.count() > enough)
        .await
        .unwrap();
    assert_eq!(browser.seen().violations(), [""; 0]);
    assert_eq!(browser.seen().gaps(), [""; 0]);

    sandbox.signal(Signal::INT);
    assert!(sandbox.ended().success());
    assert!(all_gone(machines.values()));
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_go_where_the_environment_says_and_the_page_links_to_them() {
    let collector = Collector::listen().await;
    let mut sandbox = Sandbox::real(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint()),
        ("JAEGER_URL", "http://jaeger.test:16686"),
    ]);
    sandbox.line(&["Open http://127.0.0.1:3000/"]);
    let (_, page) = http::get("http://127.0.0.1:3000/page.json").await.unwrap();
    assert!(
        page.contains(r#""jaeger_url":"http://jaeger.test:16686""#),
        "{page}"
    );
    let watched = ["producer", "consumer", "websocket-server"];
    collector
        .until(
            PATIENCE,
            "spans of one trade from three processes",
            |spans| {
                let is_whole = |trace: &str| {
                    let of = |service| {
                        spans
                            .iter()
                            .any(|span| span.trace == trace && span.service == service)
                    };
                    watched.into_iter().all(of)
                };
                match spans.iter().any(|span| is_whole(&span.trace)) {
                    true => Ok(()),
                    false => Err(format!("{} spans", spans.len())),
                }
            },
        )
        .await;
    sandbox.signal(Signal::INT);
    assert!(sandbox.ended().success());
}
