//! The examples in other languages keep the ABI.

use crate::battery::assert_conforms;
use crate::build;
use std::path::Path;

#[test]
fn the_filter_in_c_keeps_the_abi() {
    let folder = build::example("c", &[]);
    assert_conforms(
        &folder.path().join("libstage_redact.so"),
        &["--delivers", "--with", r#"{"field":"symbol"}"#],
    );
}

#[test]
fn the_sink_in_c_keeps_the_abi() {
    let folder = build::example("c", &[]);
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
    if !build::is_installed(Path::new("go")) {
        return eprintln!("skipped: the Go toolchain is not installed");
    }
    let folder = build::example("go", &[]);
    assert_conforms(
        &folder.path().join("libstage_tally.so"),
        &["--delivers", "--runtime-threads"],
    );
}

/// The language changes between versions: without the one that the example was written for, it is left out.
#[test]
fn the_source_in_zig_keeps_the_abi() {
    let zig = std::env::var_os("ZIG").unwrap_or_else(|| "zig".into());
    if !build::is_installed(Path::new(&zig)) {
        return eprintln!("skipped: the Zig compiler is not installed");
    }
    let folder = build::example("zig", &[("ZIG", &zig)]);
    assert_conforms(
        &folder.path().join("libstage_ticker.so"),
        &["--delivers", "--with", r#"{"every_ms":5}"#],
    );
}
