//! A flow of fixtures under the real host, in this process.

use crate::build::Built;
use pipeline_host::{
    Buffer, FlowHandle, FlowSpec, Host, HostEvent, HostOptions, Level, LogRecord, LogSink,
    OnReject, Restart, Retry, Sampling, SpanRecord, SpanSink, StageSpec, StageStatus, StartError,
};
use serde_json::json;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stage of a flow: a fixture and how it misbehaves, or no word for one that does not.
pub(crate) struct Stage<'a> {
    pub(crate) fixture: &'a Built,
    pub(crate) how: &'a str,
}

/// A flow that was started.
pub(crate) struct Running {
    pub(crate) handle: FlowHandle,
    events: Receiver<HostEvent>,
    logs: Arc<Logs>,
    _host: Arc<Host>,
}

#[derive(Default)]
struct Logs(Mutex<Vec<String>>);

impl LogSink for Logs {
    fn log(&self, record: &LogRecord<'_>) {
        let line = format!("{:?} {}", record.level, record.message);
        self.0.lock().expect("logs").push(line);
    }
}

struct NoSpans;

impl SpanSink for NoSpans {
    fn span(&self, _: &SpanRecord<'_>) {}
}

/// Starts a chain of stages, top first; they are named `top`, `middle` and `bottom`, or `top` and `bottom`.
pub(crate) fn start(stages: &[Stage<'_>]) -> Result<Running, StartError> {
    let (events, received) = channel();
    let events = Mutex::new(events);
    let logs = Arc::new(Logs::default());
    let host = Host::new(HostOptions {
        log: logs.clone(),
        spans: Arc::new(NoSpans),
        sampling: Sampling::default(),
        level: Some(Level::Debug),
        events: Arc::new(move |event| {
            // The test may have ended.
            let _ = events.lock().expect("events").send(event);
        }),
    });
    let names = if stages.len() == 2 {
        &["top", "bottom"][..]
    } else {
        &["top", "middle", "bottom"]
    };
    let spec = |(index, stage): (usize, &Stage<'_>)| {
        spec(
            stage,
            names[index],
            index.checked_sub(1).map(|above| names[above]),
        )
    };
    let flow = FlowSpec {
        name: "flow".to_owned(),
        instance: 0,
        instances: 1,
        stages: stages.iter().enumerate().map(spec).collect(),
    };
    let handle = host.start(flow)?;
    Ok(Running {
        handle,
        events: received,
        logs,
        _host: host,
    })
}

fn spec(stage: &Stage<'_>, name: &str, above: Option<&str>) -> StageSpec {
    StageSpec {
        name: name.to_owned(),
        plugin: stage.fixture.load(),
        kind: stage.fixture.kind(),
        config: json!({ "how": stage.how }),
        from: above.map(str::to_owned).into_iter().collect(),
        buffer: Buffer::default(),
        retry: Retry {
            initial: Duration::from_millis(10),
            max: Duration::from_millis(100),
        },
        on_reject: OnReject::Drop,
        restart: Restart::Always,
        state_dir: None,
    }
}

/// Asks until it is so; false when it does not become so.
fn eventually(mut probe: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    while !probe() {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Asserts that a stage of the flow fails for `reason` and `detail`, be it so early that the flow does not start.
pub(crate) fn assert_fails(
    how: &str,
    started: Result<Running, StartError>,
    reason: &str,
    detail: &str,
) {
    let told = match started {
        Err(error) => error.to_string(),
        Ok(running) => {
            running.wait_until_failed(reason);
            let log = running.log();
            running.close();
            log
        }
    };
    assert!(
        told.contains(reason) && told.contains(detail),
        "expected `{reason}{detail}` of `{how}`, got\n{told}"
    );
}

impl Running {
    pub(crate) fn stage(&self, name: &str) -> StageStatus {
        let stages = self.handle.status().stages;
        stages
            .into_iter()
            .find(|stage| stage.name == name)
            .expect("a stage of this name")
    }

    /// Whether a line of the log contains the text.
    pub(crate) fn has_logged(&self, text: &str) -> bool {
        self.logs
            .0
            .lock()
            .expect("logs")
            .iter()
            .any(|line| line.contains(text))
    }

    /// The log, for messages of failures.
    pub(crate) fn log(&self) -> String {
        self.logs.0.lock().expect("logs").join("\n")
    }

    /// Waits until the source has sent all.
    pub(crate) fn wait_until_sent(&self) {
        let sent = eventually(|| self.stage("top").sent == Some(42));
        assert!(sent, "{:?}\n{}", self.stage("top"), self.log());
    }

    /// Waits until the source has sent all and all of it is settled.
    pub(crate) fn wait_until_settled(&self) {
        let mut top = self.stage("top");
        let settled = eventually(|| {
            top = self.stage("top");
            top.sent == Some(42) && top.unsettled == Some(0)
        });
        assert!(settled, "{top:?}\n{}", self.log());
    }

    /// Waits until a stage has failed for a reason that contains the text.
    pub(crate) fn wait_until_failed(&self, text: &str) {
        let told = |line: &String| line.contains(" failed") && line.contains(&format!(": {text}"));
        let failed = eventually(|| self.logs.0.lock().expect("logs").iter().any(told));
        assert!(failed, "no failure `{text}` in\n{}", self.log());
    }

    /// Waits until the program is told that a stage is stuck; answers its name.
    pub(crate) fn wait_until_stuck(&self) -> String {
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(HostEvent::Stuck { stage, .. }) => return stage,
                Ok(_) => {}
                Err(error) => panic!("nothing is stuck: {error}\n{}", self.log()),
            }
        }
    }

    /// Drains and closes; the flow ends as if nothing had been wrong.
    pub(crate) fn assert_ends(self) {
        let drained = self.handle.drain(PATIENCE);
        assert!(drained.clean, "{drained:?}\n{}", self.log());
        self.close();
    }

    pub(crate) fn close(self) {
        let closed = self.handle.close(PATIENCE);
        assert_eq!(closed, Ok(()), "{}", self.log());
    }
}
