//! A `pipeline` command that only waits: what is started, started again and left behind.

use std::fs;
use std::net::TcpListener;

use rustix::process::{Signal, kill_process};

use super::driver::{Sandbox, WAITS, all_gone};

#[test]
fn a_machine_that_is_killed_is_started_again_and_ctrl_c_drains_all() {
    let mut sandbox = Sandbox::waiting(|_| {});
    let mut machines = sandbox.machines();
    sandbox.line(&["vm-2", "consumer-vm.yaml host=127.0.1.2"]);
    kill_process(machines["vm-3"], Signal::KILL).unwrap();
    sandbox.line(&["vm-3", "ended (signal: 9 (SIGKILL)), starts again in 1s"]);
    machines.extend([sandbox.started()]);

    sandbox.signal(Signal::INT);
    for machine in ["exchange", "producer", "vm-", "dashboard"] {
        sandbox.line(&[machine, "drained"]);
    }
    assert!(sandbox.ended().success());
    assert!(all_gone(machines.values()));
}

#[test]
fn nothing_is_left_when_the_sandbox_is_killed() {
    let sandbox = Sandbox::waiting(|_| {});
    let machines = sandbox.machines();
    sandbox.signal(Signal::KILL);
    assert!(all_gone(machines.values()));
}

#[test]
fn a_second_ctrl_c_ends_a_machine_that_does_not_drain() {
    let stubborn = WAITS.replace("echo drained; exit 0", "echo stubborn");
    let mut sandbox =
        Sandbox::waiting(|folder| fs::write(folder.join("pipeline"), stubborn).unwrap());
    let machines = sandbox.machines();
    sandbox.line(&["exchange", "exchange-simulator.yaml host="]);
    sandbox.signal(Signal::INT);
    sandbox.line(&["exchange", "stubborn"]);
    sandbox.signal(Signal::INT);
    assert!(sandbox.ended().success());
    assert!(all_gone(machines.values()));
}

#[test]
fn an_address_in_use_is_told_before_anything_starts() {
    let mut taken = None;
    let mut sandbox = Sandbox::waiting(|_| taken = TcpListener::bind("127.0.1.3:8082").ok());
    sandbox.line(&["`vm-3` cannot listen on 127.0.1.3:8082: another process listens there"]);
    assert!(!sandbox.ended().success());
    // Before the next sandbox may start.
    drop(taken);
}

#[test]
fn a_file_with_mistakes_is_told_before_anything_starts() {
    let mut sandbox = Sandbox::waiting(|folder| fs::write(folder.join("mistakes"), "").unwrap());
    sandbox.line(&["mistake in line 1"]);
    sandbox.line(&["`pipelines/exchange-simulator.yaml` has mistakes"]);
    assert!(!sandbox.ended().success());
}

#[test]
fn a_missing_folder_of_pipelines_is_told() {
    let mut sandbox =
        Sandbox::waiting(|folder| fs::remove_dir_all(folder.join("pipelines")).unwrap());
    sandbox.line(&[
        "expected the file `pipelines/exchange-simulator.yaml`",
        "--pipelines",
    ]);
    assert!(!sandbox.ended().success());
}
