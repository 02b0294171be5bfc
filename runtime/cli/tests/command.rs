//! The real binary, without any plugin: what it prints and how it exits.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn pipeline(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_pipeline"))
        .args(arguments)
        .env_clear()
        .env("PIPELINE_PLUGIN_PATH", folder.path())
        .env("TMPDIR", folder.path())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn file(folder: &Path, text: &str) -> String {
    let path = folder.join("a.yaml");
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn help_and_manual_hold_the_exit_codes() {
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["check", "--help"],
        &["man"],
    ] {
        let output = pipeline(arguments);
        let text = out(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        for code in ["64", "65", "69", "70", "74"] {
            assert!(text.contains(code), "{arguments:?} lacks {code}: {text}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for arguments in [
        &[][..],
        &["runn"],
        &["run"],
        &["run", "a.yaml", "--drain-timeout", "soon"],
        &["run", "a.yaml", "--metrics", "nowhere"],
        &["run", "a.yaml", "--log", "loud"],
        &["graph", "a.yaml", "--format", "png"],
    ] {
        let output = pipeline(arguments);
        assert_eq!(
            output.status.code(),
            Some(64),
            "{arguments:?}: {}",
            err(&output)
        );
        assert!(!err(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn check_prints_every_mistake_of_every_file() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = file(one.path(), "stages:\n  - use: nowhere-sink\n  - yuse: x\n");
    let second = file(two.path(), "flows: 3\nfoo: 1\n");
    let output = pipeline(&["check", &first, &second, "/nowhere.yaml"]);
    assert_eq!(output.status.code(), Some(64));
    let told = err(&output);
    for line in [
        format!(
            "{first}:2:10: stage `nowhere-sink`: no plugin provides `nowhere-sink` (looked for "
        ),
        format!("{first}:3:5: unknown key `yuse` (expected `use`, "),
        format!("{first}:3:5: missing key `use` (expected the name of a stage)"),
        format!("{second}:1:8: `flows` is a number (expected a mapping of names to flows)"),
        format!("{second}:2:1: unknown key `foo` (expected "),
        "/nowhere.yaml:1:1: cannot read the file: ".to_owned(),
    ] {
        assert!(told.contains(&line), "lacks {line}: {told}");
    }
    assert!(told.ends_with("6 errors\n"), "{told}");
}

#[test]
fn run_refuses_a_wrong_file_as_check_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "stages: []\n");
    let output = pipeline(&["run", &path, "--metrics", "off"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(err(&output).contains(":1:9: "), "{}", err(&output));
}

#[test]
fn status_without_a_pipeline_says_so() {
    let nobody = pipeline(&["status", "--control", "/nowhere/control.sock"]);
    assert_eq!(nobody.status.code(), Some(69));
    assert!(
        err(&nobody).contains("`/nowhere/control.sock`"),
        "{}",
        err(&nobody)
    );
}

#[test]
fn a_broken_plugin_is_named_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("libstage_broken_sink.so"),
        "not a library",
    )
    .unwrap();
    let stages = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command
            .args(arguments)
            .env("PIPELINE_PLUGIN_PATH", folder.path())
            .output()
            .unwrap()
    };
    let list = stages(&["stages"]);
    assert!(
        out(&list).contains("broken: ") && out(&list).contains("libstage_broken_sink.so"),
        "{}",
        out(&list)
    );
    let one = stages(&["stages", "broken-sink"]);
    assert_eq!(one.status.code(), Some(69));
    assert!(
        err(&one).contains("libstage_broken_sink.so"),
        "{}",
        err(&one)
    );
    let missing = stages(&["stages", "broken-sin"]);
    assert!(
        err(&missing).contains("did you mean `broken-sink`?"),
        "{}",
        err(&missing)
    );
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = pipeline(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains("drain-timeout"), "{shell}");
    }
}

#[test]
fn the_schema_is_json() {
    let output = pipeline(&["schema"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        out(&output).starts_with("{\n") && out(&output).contains("\"on_reject\""),
        "{}",
        out(&output)
    );
}
