//! The real command and the real files: what `make demo` shows. The workspace must be built, as `make test` does.

use std::time::Duration;

use pipeline_testkit::{V1Client, http};
use rustix::process::{Signal, kill_process};

use super::driver::{Sandbox, all_gone};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_trade_is_seen_once_on_one_vm_while_another_is_killed() {
    let mut sandbox = Sandbox::real();
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
