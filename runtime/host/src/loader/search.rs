//! Where plugins are looked for.

use super::describe::is_kind_name;
use std::path::{Path, PathBuf};

/// The folder of installed plugins.
const INSTALLED: &str = "/usr/lib/pipeline/stages";
const PREFIX: &str = "libstage_";
const SUFFIX: &str = ".so";

/// The folders in which plugins are looked for, in order: `$PIPELINE_PLUGIN_PATH`, the executable's, the installed ones.
#[must_use]
pub fn search_path() -> Vec<PathBuf> {
    let own: Vec<PathBuf> = std::env::var_os("PIPELINE_PLUGIN_PATH")
        .map(|paths| {
            std::env::split_paths(&paths)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        })
        .unwrap_or_default();
    let executable = std::env::current_exe()
        .ok()
        .and_then(|path| path.parent().map(Path::to_path_buf));
    own.into_iter()
        .chain(executable)
        .chain([PathBuf::from(INSTALLED)])
        .collect()
}

/// The file that has a kind.
pub(super) fn file_name(kind: &str) -> String {
    format!("{PREFIX}{}{SUFFIX}", kind.replace('-', "_"))
}

/// The kinds for which there are files in the folders, with the first file of each.
pub(super) fn candidates(folders: &[PathBuf]) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for folder in folders {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut kinds: Vec<_> = files
            .filter_map(|file| Some((kind_of(&file.file_name())?, file.path())))
            .collect();
        kinds.sort();
        for (kind, path) in kinds {
            if !found.iter().any(|(known, _)| *known == kind) {
                found.push((kind, path));
            }
        }
    }
    found
}

/// The known kind whose name is most like `kind`, if any is like it.
pub(super) fn nearest(kind: &str, folders: &[PathBuf]) -> Option<String> {
    let score =
        |(candidate, _): (String, PathBuf)| (strsim::jaro_winkler(kind, &candidate), candidate);
    let best = candidates(folders)
        .into_iter()
        .map(score)
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}

fn kind_of(file: &std::ffi::OsStr) -> Option<String> {
    let kind = file
        .to_str()?
        .strip_prefix(PREFIX)?
        .strip_suffix(SUFFIX)?
        .replace('_', "-");
    is_kind_name(&kind).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_one_that_is_installed() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "libstage_kafka_sink.so",
            "libstage_http_post.so",
            "libother.so",
        ] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let folders = [folder.path().to_path_buf()];
        assert_eq!(
            nearest("kafka-snk", &folders).as_deref(),
            Some("kafka-sink")
        );
        assert_eq!(nearest("zzz", &folders), None);
    }
}
