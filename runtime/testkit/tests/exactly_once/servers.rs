//! WebSocket servers that die: what was in their memory only comes to every page after all.

use pipeline_testkit::{Browser, Deployment, kafka};

use crate::live::{Live, WITHIN, each_reads_one, read_by};

const RATE: u64 = 4_000;
const CRASHES: i64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_alone_again_and_again_leaves_no_hole() {
    let kafka = kafka::cluster().shared();
    let deployment = Deployment::new(&kafka, 2).await;
    let server = || deployment.consumer(1).flow("websocket-server").spawn();
    let mut dying = server();
    let mut consumers = [
        deployment.consumer(1).flow("consumer").spawn(),
        deployment.consumer(2).spawn(),
    ];
    consumers[0].ready().await;
    consumers[1].ready().await;
    let pages = [
        Browser::open(&[deployment.socket(1)]).await,
        Browser::open(&[deployment.socket(2)]).await,
    ];
    let live = Live::start(kafka, deployment.clone(), RATE).await;
    for crash in 0..CRASHES {
        // At another moment each time, with all that was lost before made good.
        pages[0].goes_on(1_000 + 177 * crash, WITHIN).await;
        dying.kill9();
        dying = server();
        dying.ready().await;
        for page in &pages {
            live.is_shown(page, &format!("after crash {crash}")).await;
        }
    }
    assert!(pages[0].connections() > CRASHES as usize);
    live.finish(0, &pages, &mut consumers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_cut_off_resumes_on_another_server_without_a_hole() {
    let kafka = kafka::cluster().shared();
    let deployment = Deployment::new(&kafka, 2).await;
    let mut dying = deployment.consumer(1).spawn();
    each_reads_one(&deployment, 1).await;
    let mut other = deployment.consumer(2).spawn();
    other.ready().await;
    let page = Browser::open(&[deployment.socket(1), deployment.socket(2)]).await;
    let live = Live::start(kafka, deployment.clone(), RATE).await;

    page.goes_on(5_000, WITHIN).await;
    dying.kill9();
    read_by(&deployment, [2]).await;
    live.is_shown(&page, "on the other server").await;
    assert!(page.connections() > 1);
    live.finish(0, [&page], [&mut other]).await;
}
