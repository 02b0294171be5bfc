//! Receivers that refuse, or that take what they are sent and never say so.

use std::time::{Duration, Instant};

use pipeline_testkit::{Pipeline, Ports, Running, V1Client, eventually, kafka};
use tokio::io::copy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::scene::{Topic, WITHIN, counter, is_degraded, stage, trade};

/// A WebSocket server that only takes what bears its token.
fn server(ports: &Ports, token: &str) -> Running {
    let yaml = format!(
        "stages: [{{ use: ws-broadcast, with: {{ listen: '{}', token: {token} }} }}]",
        ports.addr(0)
    );
    Pipeline::run_text(&yaml).spawn()
}

async fn page(ports: &Ports) -> V1Client {
    V1Client::connect(&format!("ws://{}/ws?recent=100000", ports.addr(0))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_for_a_while_loses_nothing() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 3).await;
    let ports = Ports::one();
    let mut strange = server(&ports, "another");
    strange.ready().await;
    let yaml = format!(
        "stages:
           - {}
           - use: http-post
             with: {{ url: 'http://{}/api/trades', token: the-right-one }}
             retry: {{ initial: 10ms, max: 200ms }}",
        topic.source(""),
        ports.addr(0)
    );
    let mut consumer = Pipeline::run_text(&yaml).spawn();
    consumer.ready().await;
    topic.write(1000, trade).await;
    is_degraded(&consumer, "http-post", "401").await;
    assert!(
        !consumer.stderr().contains("the-right-one"),
        "a secret is logged"
    );
    strange.sigterm();
    assert_eq!(strange.exit_code(WITHIN).await, 0);
    is_degraded(&consumer, "http-post", "refused").await;

    let mut right = server(&ports, "the-right-one");
    right.ready().await;
    topic.is_shown(&mut page(&ports).await).await;
    consumer.ready().await;
    consumer.sigterm();
    assert_eq!(consumer.exit_code(WITHIN).await, 0);
    assert_eq!(topic.committed(), topic.ends());
}

/// Passes requests on, and keeps the answers back until it is told to let them through.
struct Deaf {
    url: String,
    listens: watch::Sender<bool>,
}

impl Deaf {
    async fn before(server: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/trades", listener.local_addr().unwrap());
        let (listens, told) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, told.clone()));
            }
        });
        Self { url, listens }
    }
}

async fn pass(client: TcpStream, server: std::net::SocketAddr, mut told: watch::Receiver<bool>) {
    let server = TcpStream::connect(server).await.unwrap();
    let (mut requests, mut to_client) = client.into_split();
    let (mut answers, mut to_server) = server.into_split();
    let back = async {
        drop(told.wait_for(|&listens| listens).await);
        copy(&mut answers, &mut to_client).await
    };
    // How a connection ends is the pipeline's concern, not this test's.
    tokio::select! {
        _ = copy(&mut requests, &mut to_server) => {}
        _ = back => {}
    }
}

/// A member of the group that posts to `url` and tells its status on the port.
fn member(topic: &Topic<'_>, name: &str, url: &str, ports: &Ports) -> Running {
    let yaml = format!(
        "flows:
           member:
             status: {}
             stages:
               - {}
               - {{ use: http-post, with: {{ url: '{url}' }}, retry: {{ initial: 10ms, max: 200ms }} }}",
        ports.addr(0),
        topic.source(&format!(", instance_id: {name}"))
    );
    Pipeline::run_text(&yaml).spawn()
}

async fn has_partitions(member: &Running, ports: &Ports, count: usize) {
    eventually(WITHIN, "partitions", async || {
        let source = stage(member, ports.addr(0), "kafka-group-source").await?;
        let partitions = source["document"]["partitions"]
            .as_array()
            .map_or(0, Vec::len);
        if partitions == count {
            Ok(())
        } else {
            Err(format!("{partitions} of {count}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_does_not_wait_for_a_sink_that_stalls_and_duplicates_are_dropped() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 4).await;
    let ports = Ports::one();
    let (first_ports, second_ports) = (Ports::one(), Ports::one());
    let yaml = format!(
        "stages: [{{ use: ws-broadcast, with: {{ listen: '{}' }} }}]",
        ports.addr(0)
    );
    let mut server = Pipeline::run_text(&yaml).spawn();
    server.ready().await;
    let mut page = page(&ports).await;
    let deaf = Deaf::before(ports.addr(0)).await;
    let mut first = member(&topic, "first", &deaf.url, &first_ports);
    has_partitions(&first, &first_ports, 4).await;

    // The server has it all, and the first member never hears so.
    topic.write(400, trade).await;
    page.read_until(WITHIN, |seen| seen.reached(&topic.name, &[1; 4]))
        .await
        .unwrap();
    assert_eq!(topic.committed(), [0; 4]);

    let joined = Instant::now();
    let url = format!("http://{}/api/trades", ports.addr(0));
    let mut second = member(&topic, "second", &url, &second_ports);
    has_partitions(&second, &second_ports, 2).await;
    let took = joined.elapsed();
    assert!(took < Duration::from_secs(20), "the move took {took:?}");
    eventually(
        WITHIN,
        "what the first had sent already, dropped",
        async || match counter(&server, "pipeline_ws_duplicate_messages_total").await {
            0.0 => Err("no duplicates"),
            _ => Ok(()),
        },
    )
    .await;

    deaf.listens.send_replace(true);
    topic.is_shown(&mut page).await;
    for member in [&mut first, &mut second] {
        member.ready().await;
        member.sigterm();
        assert_eq!(member.exit_code(WITHIN).await, 0);
    }
    assert_eq!(topic.committed(), topic.ends());
}
