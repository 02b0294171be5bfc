//! The examples in other languages keep the ABI.

use crate::battery::assert_conforms;
use crate::build;

#[test]
fn the_filter_in_c_keeps_the_abi() {
    let folder = build::example("c");
    assert_conforms(
        &folder.path().join("libstage_redact.so"),
        &["--delivers", "--with", r#"{"field":"symbol"}"#],
    );
}

#[test]
fn the_sink_in_c_keeps_the_abi() {
    let folder = build::example("c");
    let settings = serde_json::json!({ "path": folder.path().join("lines") }).to_string();
    assert_conforms(
        &folder.path().join("libstage_line_writer.so"),
        &["--delivers", "--with", &settings],
    );
    let lines =
        std::fs::read_to_string(folder.path().join("lines")).expect("read what was written");
    assert!(
        lines.lines().count() >= 1001 && lines.ends_with("}\n"),
        "{} lines",
        lines.lines().count()
    );
}

#[test]
fn the_sink_in_go_keeps_the_abi() {
    let folder = build::example("go");
    assert_conforms(
        &folder.path().join("libstage_tally.so"),
        &["--delivers", "--runtime-threads"],
    );
}
