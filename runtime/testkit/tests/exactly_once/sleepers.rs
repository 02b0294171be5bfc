//! A VM that sleeps longer than its session: others take over, and when it wakes it does no harm.

use pipeline_testkit::{Browser, Deployment, kafka};

use crate::live::{Live, WITHIN, each_reads_one, members, read_by};

const RATE: u64 = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn who_wakes_after_its_session_shows_and_commits_nothing_twice() {
    let kafka = kafka::cluster().shared();
    let deployment = Deployment::new(&kafka, 2).await;
    let mut sleeper = deployment.consumer(1).spawn();
    each_reads_one(&deployment, 1).await;
    let mut other = deployment.consumer(2).spawn();
    other.ready().await;
    let pages = [
        Browser::open(&[deployment.socket(1)]).await,
        Browser::open(&[deployment.socket(2)]).await,
    ];
    let live = Live::start(kafka, deployment.clone(), RATE).await;

    pages[0].goes_on(4_000, WITHIN).await;
    sleeper.freeze();
    members(&live.kafka, &deployment, 3).await;
    read_by(&deployment, [2]).await;
    live.is_shown(&pages[1], "beside the sleeper").await;
    sleeper.thaw();
    members(&live.kafka, &deployment, 6).await;
    for page in &pages {
        live.is_shown(page, "after it woke").await;
    }
    live.finish(0, &pages, [&mut sleeper, &mut other]).await;
}
