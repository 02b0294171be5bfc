//! The real sandbox around a `pipeline` command that only waits: what it starts, starts again and leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

const PATIENCE: Duration = Duration::from_secs(20);

/// The addresses of the machines are fixed: one sandbox at a time.
static ONE: Mutex<()> = Mutex::new(());

const WAITS: &str = "#!/bin/sh
case $1 in
check) test ! -e mistakes || { echo 'mistake in line 1' >&2; exit 64; } ;;
run) trap 'echo drained; exit 0' TERM; echo \"$2 host=$HOST\"; while :; do sleep 0.05; done ;;
esac
";

struct Sandbox {
    child: Child,
    lines: Receiver<String>,
    _folder: tempfile::TempDir,
    _one: MutexGuard<'static, ()>,
}

impl Sandbox {
    fn start(prepare: impl FnOnce(&Path)) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let sandbox = folder.path().join("pipeline-sandbox");
        fs::copy(env!("CARGO_BIN_EXE_pipeline-sandbox"), &sandbox).unwrap();
        let pipeline = folder.path().join("pipeline");
        fs::write(&pipeline, WAITS).unwrap();
        fs::set_permissions(&pipeline, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("pipelines")).unwrap();
        for name in [
            "exchange-simulator",
            "producer-vm",
            "consumer-vm",
            "dashboard-vm",
        ] {
            fs::write(folder.path().join(format!("pipelines/{name}.yaml")), "").unwrap();
        }
        prepare(folder.path());
        let mut child = Command::new(sandbox)
            .current_dir(folder.path())
            .env_remove("KAFKA_BROKERS")
            .env_remove("FEED_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self {
            child,
            lines,
            _folder: folder,
            _one: one,
        }
    }

    /// Waits for a line that has all of these words.
    fn line(&self, words: &[&str]) -> String {
        let start = Instant::now();
        let mut seen = Vec::new();
        while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
            let Ok(line) = self.lines.recv_timeout(left) else {
                break;
            };
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line with {words:?} in {seen:#?}");
    }

    fn pids(&self) -> Vec<Pid> {
        (0..6).map(|_| pid(&self.line(&["started, pid"]))).collect()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pid(line: &str) -> Pid {
    Pid::from_raw(line.rsplit(' ').next().unwrap().parse().unwrap()).unwrap()
}

fn all_gone(pids: &[Pid]) -> bool {
    let start = Instant::now();
    while pids.iter().any(|pid| test_kill_process(*pid).is_ok()) {
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

#[test]
fn a_machine_that_is_killed_is_started_again_and_ctrl_c_drains_all() {
    let mut sandbox = Sandbox::start(|_| {});
    let mut pids = sandbox.pids();
    sandbox.line(&["vm-2", "consumer-vm.yaml host=127.0.1.2"]);
    kill_process(pids[2], Signal::KILL).unwrap();
    sandbox.line(&["ended (signal: 9 (SIGKILL)), starts again in 1s"]);
    pids.push(pid(&sandbox.line(&["started, pid"])));

    sandbox.signal(Signal::INT);
    for machine in ["exchange", "producer", "vm-", "dashboard"] {
        sandbox.line(&[machine, "drained"]);
    }
    assert!(sandbox.child.wait().unwrap().success());
    assert!(all_gone(&pids));
}

#[test]
fn nothing_is_left_when_the_sandbox_is_killed() {
    let sandbox = Sandbox::start(|_| {});
    let pids = sandbox.pids();
    sandbox.signal(Signal::KILL);
    assert!(all_gone(&pids));
}

#[test]
fn a_second_ctrl_c_ends_a_machine_that_does_not_drain() {
    let stubborn = WAITS.replace("echo drained; exit 0", "echo stubborn");
    let mut sandbox =
        Sandbox::start(|folder| fs::write(folder.join("pipeline"), stubborn).unwrap());
    let pids = sandbox.pids();
    sandbox.signal(Signal::INT);
    sandbox.line(&["stubborn"]);
    sandbox.signal(Signal::INT);
    assert!(sandbox.child.wait().unwrap().success());
    assert!(all_gone(&pids));
}

#[test]
fn an_address_in_use_is_told_before_anything_starts() {
    let mut taken = None;
    let mut sandbox = Sandbox::start(|_| taken = TcpListener::bind("127.0.1.3:8082").ok());
    sandbox.line(&["`vm-3` cannot listen on 127.0.1.3:8082: another process listens there"]);
    assert!(!sandbox.child.wait().unwrap().success());
    // Before the next sandbox may start.
    drop(taken);
}

#[test]
fn a_file_with_mistakes_is_told_before_anything_starts() {
    let mut sandbox = Sandbox::start(|folder| fs::write(folder.join("mistakes"), "").unwrap());
    sandbox.line(&["mistake in line 1"]);
    sandbox.line(&["`pipelines/exchange-simulator.yaml` has mistakes"]);
    assert!(!sandbox.child.wait().unwrap().success());
}

#[test]
fn a_missing_folder_of_pipelines_is_told() {
    let mut sandbox =
        Sandbox::start(|folder| fs::remove_dir_all(folder.join("pipelines")).unwrap());
    sandbox.line(&[
        "expected the file `pipelines/exchange-simulator.yaml`",
        "--pipelines",
    ]);
    assert!(!sandbox.child.wait().unwrap().success());
}
