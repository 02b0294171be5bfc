//! `--watch`: tells when a pipeline file has changed.
//!
//! Folders are watched, not files: editors and deployments replace a file by renaming another one over it.

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// Quiet time after a change before it is told: writes come in several events.
const SETTLE: Duration = Duration::from_millis(200);

/// Watches files until it is dropped.
pub(crate) struct FileWatcher {
    _watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
}

impl FileWatcher {
    /// Starts to watch.
    pub(crate) fn start(files: &[String]) -> Result<Self, String> {
        let files: Vec<PathBuf> = files.iter().map(|file| absolute(file)).collect();
        let folders: BTreeSet<PathBuf> = files
            .iter()
            .filter_map(|file| file.parent().map(Path::to_owned))
            .collect();
        let (told, changes) = mpsc::channel(1);
        let watched = files.clone();
        let handler = move |event: notify::Result<Event>| {
            // A full channel means that a change is waiting to be told already.
            if event.is_ok_and(|event| concerns(&event, &watched)) {
                let _ = told.try_send(());
            }
        };
        let explain = |error: notify::Error| format!("cannot watch the pipeline files: {error}");
        let mut watcher = notify::recommended_watcher(handler).map_err(explain)?;
        for folder in &folders {
            watcher
                .watch(folder, RecursiveMode::NonRecursive)
                .map_err(explain)?;
        }
        Ok(FileWatcher {
            _watcher: watcher,
            changes,
        })
    }

    /// Waits for a change and for the quiet after it.
    pub(crate) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            return std::future::pending().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(SETTLE, self.changes.recv()).await {}
    }
}

fn concerns(event: &Event, files: &[PathBuf]) -> bool {
    let content = matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_));
    // Kubernetes-style mounts swap a link beside the file; its name starts with two dots.
    let swapped = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(".."))
    };
    content
        && event
            .paths
            .iter()
            .any(|path| files.contains(path) || swapped(path))
}

fn absolute(file: &str) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_replaced_is_told_and_its_neighbour_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "1").unwrap();
        let mut watcher = FileWatcher::start(&[file.to_string_lossy().into_owned()]).unwrap();
        std::fs::write(folder.path().join("b.yaml"), "x").unwrap();
        let quiet = tokio::time::timeout(Duration::from_millis(500), watcher.changed()).await;
        assert!(quiet.is_err());
        std::fs::rename(folder.path().join("b.yaml"), &file).unwrap();
        tokio::time::timeout(Duration::from_secs(10), watcher.changed())
            .await
            .unwrap();
    }
}
