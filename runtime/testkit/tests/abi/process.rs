//! Plugins under the real `pipeline` command: what ends the process, with which code, and what does not.

use crate::build::{self, Built};
use pipeline_testkit::{Pipeline, Running, eventually};
use std::path::Path;
use std::time::Duration;

/// Longer than the command takes to end, whatever its stages do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pipeline of the C source and a sink that misbehaves.
fn pipeline(how: &str) -> (Pipeline, [Built; 2]) {
    let plugins = [
        build::fixture("misbehaving_source", &[]),
        build::fixture("misbehaving_sink", &[]),
    ];
    let yaml = format!(
        "stages:\n  - use: misbehaving-source\n  - use: misbehaving-sink\n    with: {{ how: {how} }}\n"
    );
    let path = plugin_path(plugins.iter().map(|plugin| plugin.folder.path()));
    (
        Pipeline::run_text(&yaml).env("PIPELINE_PLUGIN_PATH", path),
        plugins,
    )
}

fn plugin_path<'a>(folders: impl Iterator<Item = &'a Path>) -> String {
    let path = std::env::join_paths(folders).expect("folders without a colon");
    path.into_string().expect("a path in UTF-8")
}

/// Waits until the log says so.
async fn wait_for_log(running: &Running, text: &str) {
    eventually(PATIENCE, text, async || {
        let log = running.stderr();
        if log.contains(text) { Ok(()) } else { Err(log) }
    })
    .await;
}

#[tokio::test]
async fn a_stage_that_blocks_in_close_ends_the_process_with_70() {
    let (pipeline, _plugins) = pipeline("blocks-in-close");
    // Its source ends by itself, so that the flow is closed without a signal.
    let mut running = pipeline.spawn();
    let code = running.exit_code(PATIENCE).await;
    assert_eq!(code, 70, "{}", running.stderr());
    assert!(
        running.stderr().contains("misbehaving-sink"),
        "{}",
        running.stderr()
    );
}

#[tokio::test]
async fn a_stage_that_never_settles_ends_the_process_with_74() {
    let (pipeline, _plugins) = pipeline("never-settles");
    let mut running = pipeline.arg("--drain-timeout").arg("1s").spawn();
    wait_for_log(&running, "reached its end").await;
    running.sigterm();
    assert_eq!(
        running.exit_code(PATIENCE).await,
        74,
        "{}",
        running.stderr()
    );
}

#[tokio::test]
async fn a_stage_that_does_not_open_is_why_the_process_does_not_start() {
    let (pipeline, _plugins) = pipeline("open-fails");
    let mut running = pipeline.spawn();
    assert_eq!(
        running.exit_code(PATIENCE).await,
        69,
        "{}",
        running.stderr()
    );
    assert!(
        running.stderr().contains("failed to open: xxx"),
        "{}",
        running.stderr()
    );
}

fn check(plugin: &Built) -> (i32, String) {
    let pipeline = Pipeline::command(["check"]);
    let file = pipeline.write("pipeline.yaml", "stages:\n  - use: refused\n");
    let output = pipeline
        .arg(file)
        .env("PIPELINE_PLUGIN_PATH", plugin.folder.path().display())
        .output();
    let said = [output.stdout, output.stderr].concat();
    let code = output.status.code().expect("an exit code");
    (code, String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_refused_plugin_is_an_error_of_the_file_that_names_it() {
    let (code, said) = check(&build::fixture("refused", &["MAGIC=1"]));
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("magic word 0x00000001"), "{said}");
}

#[test]
fn a_plugin_whose_schema_is_none_is_told() {
    let description = r#"{"name":"refused","version":"1","stages":[{"kind":"refused","role":"sink","doc":"d",
        "inputs":{"min":1,"max":null},"config_schema":{"type":"no such type"}}]}"#;
    let definition = format!(
        "DESCRIPTION={}",
        build::literal(&description.replace('\n', " "))
    );
    let (code, said) = check(&build::fixture("refused", &[&definition]));
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("schema"), "{said}");
}

#[tokio::test]
async fn the_examples_in_c_work_in_a_pipeline() {
    let plugins = build::example("c");
    let lines = plugins.path().join("lines");
    let yaml = format!(
        "stages:\n  - use: trade-generator\n    with: {{ rate: 1000, count: 100 }}\n  - use: redact\n    with: {{ field: code }}\n  \
         - use: line-writer\n    with: {{ path: \"{}\" }}\n",
        lines.display()
    );
    let pipeline = Pipeline::run_text(&yaml).env("PIPELINE_PLUGIN_PATH", plugins.path().display());
    let mut running = pipeline.spawn();
    assert_eq!(running.exit_code(PATIENCE).await, 0, "{}", running.stderr());
    let written = std::fs::read_to_string(&lines).expect("read what was written");
    assert_eq!(written.lines().count(), 100);
    let redacted = written
        .lines()
        .filter(|line| line.contains(r#""code":"*******""#));
    assert_eq!(redacted.count(), 100);
}
