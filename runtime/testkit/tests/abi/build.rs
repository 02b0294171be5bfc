//! Plugins that the tests compile: C fixtures, and the examples in C and Go.

use pipeline_host::{Plugin, PluginStore};
use pipeline_testkit::{profile_folder, repository};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// A plugin in a folder of its own, where a host finds it by name.
pub(crate) struct Built {
    pub(crate) folder: TempDir,
    pub(crate) object: PathBuf,
}

impl Built {
    /// Loads it as a host does.
    pub(crate) fn load(&self) -> Arc<Plugin> {
        let store = PluginStore::new(vec![self.folder.path().to_owned()]);
        store
            .load(&self.kind())
            .expect("a plugin that can be loaded")
    }

    /// The word of `use:`.
    pub(crate) fn kind(&self) -> String {
        let name = self
            .object
            .file_stem()
            .expect("a file name")
            .to_string_lossy();
        name.trim_start_matches("libstage_").replace('_', "-")
    }
}

/// Compiles `fixtures/<name>.c`, with definitions like `MAGIC=1`.
pub(crate) fn fixture(name: &str, definitions: &[&str]) -> Built {
    let abi = repository().join("runtime/abi");
    let folder = tempfile::tempdir().expect("make a folder");
    let object = folder.path().join(format!("libstage_{name}.so"));
    let mut compile = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compile
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .args(["-g", "-fPIC", "-fvisibility=hidden", "-pthread", "-shared"])
        .arg("-I")
        .arg(abi.join("include"))
        .arg("-I")
        .arg(abi.join("examples/c"))
        .args(
            definitions
                .iter()
                .map(|definition| format!("-D{definition}")),
        )
        .arg("-o")
        .arg(&object)
        .arg(repository().join(format!("runtime/testkit/fixtures/{name}.c")));
    run(&mut compile);
    Built { folder, object }
}

/// Finds the example `stage_<name>` of this crate, which cargo builds with its tests.
pub(crate) fn rust(name: &str) -> Built {
    let file = format!("libstage_{name}.so");
    let built = profile_folder().join("examples").join(&file);
    assert!(
        built.exists(),
        "{} is missing: cargo build -p pipeline-testkit --examples",
        built.display()
    );
    let folder = tempfile::tempdir().expect("make a folder");
    let object = folder.path().join(file);
    std::os::unix::fs::symlink(&built, &object).expect("link to the object");
    Built { folder, object }
}

/// A text as a C string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

/// Builds the examples in a language by their Makefile.
pub(crate) fn example(language: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("make a folder");
    let mut make = Command::new("make");
    make.arg("-C")
        .arg(repository().join("runtime/abi/examples").join(language));
    make.arg(assignment("OUT", folder.path().as_os_str()));
    run(&mut make);
    folder
}

fn assignment(name: &str, value: &OsStr) -> std::ffi::OsString {
    [OsStr::new(name), OsStr::new("="), value]
        .into_iter()
        .collect()
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
}
