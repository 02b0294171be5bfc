//! From one stage to the next, across the ABI: both do next to nothing.

use std::path::Path;
use std::time::Duration;

use pipeline_testkit::{Pipeline, Running, profile_folder};

use crate::figures::Run;
use crate::limit::Limit;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::{WITHIN, process};
use crate::trades::Trade;

/// Messages a batch.
const BATCHES: [u64; 3] = [1, 16, 256];

pub(crate) async fn measure(report: &mut Report) {
    for batch in BATCHES {
        let messages = sized(20_000_000, 200_000) * batch.min(16) / 16;
        let (mut limit, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let arguments = [messages, batch].map(|number| number.to_string());
            let arguments = arguments.each_ref().map(String::as_str);
            limit.push(Limit::start("hop", &arguments).told().await);
            ours.push(pipeline(messages, batch).await);
        }
        let row = Row::beside(&limit, &ours);
        report.path(
            &format!("Stage to stage across the ABI, {batch} a batch"),
            "the same two stages in one program, two runtimes and a channel of tokio between them",
            &[
                row("k messages/s", Run::thousands_a_second, "1 ×"),
                row("µs of CPU a message", Run::cpu_us, ""),
            ],
        );
    }
}

async fn pipeline(messages: u64, batch: u64) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let seconds = folder.path().join("seconds");
    let pipeline = stages(messages, batch, &seconds).spawn();
    ended(&pipeline, messages, &seconds).await
}

/// A pipeline of the two stages, the second of which writes `seconds`.
pub(crate) fn stages(messages: u64, batch: u64, seconds: &Path) -> Pipeline {
    let yaml = format!(
        "stages:
           - use: bench-source
             with: {{ messages: {messages}, batch: {batch}, bytes: {bytes} }}
           - use: bench-sink
             with: {{ messages: {messages}, seconds: '{seconds}' }}",
        bytes = Trade::LEN,
        seconds = seconds.display(),
    );
    Pipeline::run_text(&yaml).env(
        "PIPELINE_PLUGIN_PATH",
        profile_folder().join("examples").display(),
    )
}

/// Waits until all messages have come.
pub(crate) async fn ended(pipeline: &Running, messages: u64, seconds: &Path) -> Run {
    let ended = async {
        loop {
            if let Ok(text) = std::fs::read_to_string(seconds) {
                break text.parse().expect("seconds");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let seconds = tokio::time::timeout(WITHIN, ended).await;
    let time = Duration::from_secs_f64(seconds.expect("all messages in time"));
    Run::of(process(pipeline), messages, time)
}
