//! Objects that are no plugin, or none for this host: refused when they are loaded, each with a text that says why.

use crate::build::{self, Built};
use pipeline_host::{LoadError, PluginStore};

fn load(plugin: &Built) -> LoadError {
    let store = PluginStore::new(vec![plugin.folder.path().to_owned()]);
    store
        .load(&plugin.kind())
        .expect_err("a plugin that is refused")
}

fn assert_refused(definitions: &[&str], expected: &str) {
    let error = load(&build::fixture("refused", definitions)).to_string();
    assert!(
        error.contains(expected),
        "expected `{expected}` of {definitions:?}, got `{error}`"
    );
    assert!(
        error.contains("libstage_refused.so"),
        "`{error}` does not name the file"
    );
}

fn assert_description_refused(description: &str, expected: &str) {
    let definition = format!("DESCRIPTION={}", build::literal(description));
    assert_refused(&[&definition], expected);
}

/// The fixture's own description with something else in a place.
fn description(kind: &str, role: &str, inputs: &str, schema: &str) -> String {
    let stage = format!(
        r#"{{"kind":"{kind}","role":"{role}","doc":"d","inputs":{inputs},"config_schema":{schema}}}"#
    );
    format!(r#"{{"name":"refused","version":"1","stages":[{stage}]}}"#)
}

const INPUTS: &str = r#"{"min":1,"max":null}"#;

#[test]
fn the_fixture_is_accepted_when_nothing_is_wrong() {
    let plugin = build::fixture("refused", &[]);
    let store = PluginStore::new(vec![plugin.folder.path().to_owned()]);
    let loaded = store.load("refused").expect("a plugin");
    assert_eq!(
        (loaded.name.as_str(), loaded.version.as_str()),
        ("refused", "1")
    );
}

#[test]
fn a_file_that_is_no_shared_object_is_refused() {
    let plugin = build::fixture("refused", &[]);
    std::fs::write(&plugin.object, "not an ELF file").expect("write the file");
    let error = load(&plugin).to_string();
    assert!(error.contains("cannot be loaded: "), "{error}");
    assert!(
        error.contains("file too short") || error.contains("invalid ELF header"),
        "{error}"
    );
}

#[test]
fn an_object_without_the_entry_symbol_is_refused() {
    assert_refused(
        &["ENTRY=some_other_symbol"],
        "expected the symbol `pl_plugin_entry_v1`",
    );
}

#[test]
fn a_plugin_of_a_newer_major_is_refused_by_its_symbol() {
    assert_refused(
        &["ENTRY=pl_plugin_entry_v2"],
        "expected the symbol `pl_plugin_entry_v1`",
    );
}

#[test]
fn a_plugin_that_refuses_the_host_is_refused() {
    assert_refused(&["ANSWER=NULL"], "refused this host (ABI 1.0)");
}

#[test]
fn a_misaligned_answer_is_refused() {
    assert_refused(
        &["ANSWER=(const PlPlugin *)((const char *)&plugin + 2)"],
        "misaligned pointer",
    );
}

#[test]
fn a_wrong_magic_word_is_refused() {
    assert_refused(
        &["MAGIC=0xdeadbeef"],
        "the magic word 0xdeadbeef (expected 0x4e494c50)",
    );
}

#[test]
fn a_table_that_is_too_short_is_refused() {
    assert_refused(
        &["STRUCT_SIZE=24"],
        "a description of 24 bytes (expected at least 48)",
    );
}

#[test]
fn a_table_of_a_newer_major_is_refused() {
    assert_refused(&["MAJOR=2"], "built for ABI 2 (expected 1)");
}

#[test]
fn a_plugin_that_needs_a_newer_host_is_refused() {
    assert_refused(
        &["MIN_HOST_MINOR=7"],
        "needs a host with ABI 1.7 (this one has 1.0)",
    );
}

#[test]
fn a_null_function_is_refused_by_name() {
    assert_refused(&["DESCRIBE=NULL"], "no function `describe`");
    assert_refused(&["VALIDATE=NULL"], "no function `validate`");
    assert_refused(&["OPEN=NULL"], "no function `open`");
}

#[test]
fn a_longer_table_of_a_newer_minor_is_accepted() {
    let plugin = build::fixture("refused", &["STRUCT_SIZE=4096"]);
    let store = PluginStore::new(vec![plugin.folder.path().to_owned()]);
    store.load("refused").expect("a plugin of a newer minor");
}

#[test]
fn a_plugin_that_cannot_describe_itself_is_refused() {
    assert_refused(
        &["DESCRIBE_STATUS=PL_ERR"],
        "`describe` failed with status -1",
    );
    assert_description_refused("", "a description of 0 bytes");
    assert_description_refused("no JSON", "does not describe itself: expected");
    assert_description_refused("{}", "missing field `name`");
    assert_description_refused(
        r#"{"name":"n","version":"1","stages":[]}"#,
        "it has no stages",
    );
}

#[test]
fn a_wrong_description_of_a_stage_is_refused() {
    let wrong = [
        (
            description("Refused Stage", "sink", INPUTS, "{}"),
            "is not a stage kind",
        ),
        (
            description("refused", "tap", INPUTS, "{}"),
            "unknown variant `tap`",
        ),
        (
            description("refused", "source", INPUTS, "{}"),
            "a source with inputs",
        ),
        (
            description("refused", "sink", r#"{"min":3,"max":2}"#, "{}"),
            "at least 3 inputs and at most 2",
        ),
        (
            description("refused", "sink", INPUTS, "[]"),
            "`config_schema` is not an object",
        ),
    ];
    for (description, expected) in wrong {
        assert_description_refused(&description, expected);
    }
}

#[test]
fn a_kind_that_is_described_twice_is_refused() {
    let one = description("refused", "sink", INPUTS, "{}");
    let stage = &one[one.find('[').expect("a list") + 1..one.len() - 2];
    let twice = one.replace(stage, &format!("{stage},{stage}"));
    assert_description_refused(&twice, "stage `refused` comes twice");
}

#[test]
fn a_plugin_without_the_kind_that_its_file_is_named_for_is_refused() {
    let other = description("something-else", "sink", INPUTS, "{}");
    assert_description_refused(&other, "has no stage `refused` (it has `something-else`)");
}
