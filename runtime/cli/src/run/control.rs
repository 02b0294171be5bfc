//! The Unix socket by which `pipeline status` and operators reach a running pipeline.
//!
//! A path is taken over only when nothing answers on it. The socket appears under its name with mode 0660, never wider.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

const SOCKET_MODE: u32 = 0o660;
const FOLDER_MODE: u32 = 0o700;

/// A bound socket, removed when dropped.
pub(crate) struct ControlSocket {
    /// Its path.
    pub(crate) path: PathBuf,
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Binds the socket at `path`, or at the default place.
pub(crate) fn bind(path: Option<&Path>) -> Result<(UnixListener, ControlSocket), String> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => default_path()?,
    };
    let explain = |error: io::Error| {
        format!(
            "cannot open the control socket `{}`: {error}",
            path.display()
        )
    };
    if UnixStream::connect(&path).is_ok() {
        return Err(format!(
            "control socket `{}` is in use by another pipeline (choose one with `--control`)",
            path.display()
        ));
    }
    let hidden = path.with_extension(format!("{}.new", std::process::id()));
    let _ = std::fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden).map_err(explain)?;
    let published = std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(SOCKET_MODE))
        .and_then(|()| std::fs::rename(&hidden, &path));
    if let Err(error) = published {
        let _ = std::fs::remove_file(&hidden);
        return Err(explain(error));
    }
    Ok((listener, ControlSocket { path }))
}

/// The sockets that `pipeline status` asks when it is not told which.
pub(crate) fn find() -> Vec<PathBuf> {
    let folders = [
        variable("RUNTIME_DIRECTORY"),
        user_folder(),
        Some(PathBuf::from("/run/pipeline")),
    ];
    let mut sockets: Vec<_> = folders
        .into_iter()
        .flatten()
        .flat_map(|folder| sockets_in(&folder))
        .collect();
    sockets.sort();
    sockets.dedup();
    sockets
}

fn sockets_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "sock")
        })
        .collect()
}

/// A service has a folder of its own; a user's pipelines share one and tell each other apart by process.
fn default_path() -> Result<PathBuf, String> {
    if let Some(folder) = variable("RUNTIME_DIRECTORY") {
        return Ok(folder.join("control.sock"));
    }
    let folder = user_folder()
        .ok_or_else(|| "no folder for the control socket (expected `--control`)".to_owned())?;
    make_private(&folder).map_err(|why| format!("no folder for the control socket: {why}"))?;
    remove_stale(&folder);
    Ok(folder.join(format!("{}.sock", std::process::id())))
}

fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    // systemd separates several folders by colons.
    value.split(':').next().map(PathBuf::from)
}

fn user_folder() -> Option<PathBuf> {
    if let Some(folder) = variable("XDG_RUNTIME_DIR").filter(|folder| folder.is_dir()) {
        return Some(folder.join("pipeline"));
    }
    let uid = std::fs::metadata("/proc/self").ok()?.uid();
    Some(std::env::temp_dir().join(format!("pipeline-{uid}")))
}

/// Makes the folder, or makes sure that nobody else can have made it.
fn make_private(folder: &Path) -> Result<(), String> {
    match std::fs::DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(format!("cannot make `{}`: {error}", folder.display())),
    }
    let found = std::fs::symlink_metadata(folder).map_err(|error| error.to_string())?;
    let own = std::fs::metadata("/proc/self")
        .map_err(|error| error.to_string())?
        .uid();
    if !found.is_dir() || found.uid() != own || found.mode() & 0o022 != 0 {
        return Err(format!(
            "`{}` is not a folder that only this user can write",
            folder.display()
        ));
    }
    Ok(())
}

/// Sockets of processes that were killed.
fn remove_stale(folder: &Path) {
    for path in sockets_in(folder) {
        let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if UnixStream::connect(&path).is_err_and(|error| refused(&error)) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_not_taken_from_a_living_pipeline_but_from_a_dead_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let (listener, guard) = bind(Some(&path)).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().mode() & 0o777,
            SOCKET_MODE
        );
        assert!(
            bind(Some(&path))
                .err()
                .unwrap()
                .contains("in use by another pipeline")
        );
        drop(listener);
        std::mem::forget(guard);
        let (_listener, guard) = bind(Some(&path)).unwrap();
        drop(guard);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_private(folder.path()).is_err());
        let private = folder.path().join("own");
        assert_eq!(make_private(&private), Ok(()));
        assert_eq!(make_private(&private), Ok(()));
    }
}
