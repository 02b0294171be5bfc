//! A running sandbox, its lines and its processes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

const PATIENCE: Duration = Duration::from_secs(90);

/// Number of machines.
const MACHINES: usize = 6;

/// A `pipeline` command that only waits.
pub(crate) const WAITS: &str = "#!/bin/sh
case $1 in
check) test ! -e mistakes || { echo 'mistake in line 1' >&2; exit 64; } ;;
run) trap 'echo drained; exit 0' TERM; echo \"$2 host=$HOST\"; while :; do sleep 0.05; done ;;
esac
";

pub(crate) struct Sandbox {
    child: Child,
    lines: Receiver<String>,
    _folder: Option<tempfile::TempDir>,
    _one: File,
}

impl Sandbox {
    /// Starts the sandbox with the real `pipeline` command and the real files; `environment` is what a person set before.
    pub(crate) fn real(environment: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self::start(
            Path::new(env!("CARGO_BIN_EXE_pipeline-sandbox")),
            &root,
            environment,
            None,
            one(),
        )
    }

    /// Starts the sandbox beside a `pipeline` command that only waits, in a folder of its own that `prepare` may change.
    pub(crate) fn waiting(prepare: impl FnOnce(&Path)) -> Self {
        let one = one();
        let folder = tempfile::tempdir().unwrap();
        let sandbox = folder.path().join("pipeline-sandbox");
        fs::copy(env!("CARGO_BIN_EXE_pipeline-sandbox"), &sandbox).unwrap();
        let pipeline = folder.path().join("pipeline");
        fs::write(&pipeline, WAITS).unwrap();
        fs::set_permissions(&pipeline, fs::Permissions::from_mode(0o755)).unwrap();
        let files = folder.path().join("pipelines");
        fs::create_dir(&files).unwrap();
        for name in [
            "exchange-simulator",
            "producer-vm",
            "consumer-vm",
            "dashboard-vm",
        ] {
            fs::write(files.join(format!("{name}.yaml")), "").unwrap();
        }
        prepare(folder.path());
        let path = folder.path().to_owned();
        Self::start(&sandbox, &path, &[], Some(folder), one)
    }

    fn start(
        sandbox: &Path,
        work: &Path,
        environment: &[(&str, &str)],
        folder: Option<tempfile::TempDir>,
        one: File,
    ) -> Self {
        let mut child = Command::new(sandbox)
            .current_dir(work)
            .env_remove("KAFKA_BROKERS")
            .env_remove("FEED_URL")
            .env_remove("TRADES_TOPIC")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        hand_on(child.stdout.take().unwrap(), sender.clone());
        hand_on(child.stderr.take().unwrap(), sender);
        Self {
            child,
            lines,
            _folder: folder,
            _one: one,
        }
    }

    /// Waits for a line that has all of these words.
    pub(crate) fn line(&self, words: &[&str]) -> String {
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

    /// Waits until a machine is started; returns its name and process id.
    pub(crate) fn started(&self) -> (String, Pid) {
        let line = self.line(&[" * started, pid "]);
        let mut words = line.split_whitespace();
        let name = words.next().unwrap().to_owned();
        let pid = Pid::from_raw(words.next_back().unwrap().parse().unwrap());
        (name, pid.unwrap())
    }

    /// Waits until all machines are started.
    pub(crate) fn machines(&self) -> BTreeMap<String, Pid> {
        (0..MACHINES).map(|_| self.started()).collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses of the machines are fixed: one sandbox at a time, also beside the dashboard's test of the demo.
fn one() -> File {
    let path = Path::new(env!("CARGO_BIN_EXE_pipeline-sandbox")).with_extension("lock");
    let lock = File::create(path).unwrap();
    lock.lock().unwrap();
    lock
}

fn hand_on(output: impl Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}

/// Waits until none of these processes is there.
pub(crate) fn all_gone<'a>(pids: impl IntoIterator<Item = &'a Pid>) -> bool {
    let start = Instant::now();
    pids.into_iter().all(|pid| {
        while test_kill_process(*pid).is_ok() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        test_kill_process(*pid).is_err()
    })
}
