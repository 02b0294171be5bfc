//! The plugins of this process.

use super::{LoadError, Plugin, describe, search};
use crate::callbacks::TABLE;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use parking_lot::Mutex;
use pipeline_abi::{PL_ENTRY_SYMBOL, PlEntry};
use std::fs::File;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Never unloaded, not even when the handle is closed (not in every libc's public constants).
const RTLD_NODELETE: i32 = 0x1000;

/// Everything that was ever loaded: an entry symbol is called once a process, whichever store asks.
static LOADED: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

/// A file by what it is, not by what it is called: a new version under the old name is another file.
struct Loaded {
    device: u64,
    inode: u64,
    path: PathBuf,
    /// A refusal is kept too: the entry symbol was called.
    plugin: Result<Arc<Plugin>, LoadError>,
}

/// Finds plugins by name and loads each of them once.
#[derive(Clone, Debug)]
pub struct PluginStore {
    folders: Vec<PathBuf>,
}

impl PluginStore {
    /// A store that looks in these folders, in this order; see [`super::search_path`].
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Self {
        PluginStore { folders }
    }

    /// The plugin that has a kind.
    ///
    /// # Errors
    /// When there is none, or when it fails a check.
    pub fn load(&self, kind: &str) -> Result<Arc<Plugin>, LoadError> {
        if !describe::is_kind_name(kind) {
            return Err(LoadError::BadName {
                kind: kind.to_owned(),
            });
        }
        let file = search::file_name(kind);
        let tried: Vec<PathBuf> = self
            .folders
            .iter()
            .map(|folder| folder.join(&file))
            .collect();
        let Some(path) = tried.iter().find(|path| path.exists()) else {
            let nearest = search::nearest(kind, &self.folders);
            return Err(LoadError::NotFound {
                kind: kind.to_owned(),
                tried,
                nearest,
            });
        };
        let plugin = load(path)?;
        if plugin.kind(kind).is_none() {
            let offers = plugin
                .stages
                .iter()
                .map(|stage| stage.kind.clone())
                .collect();
            return Err(LoadError::NoSuchKind {
                path: path.clone(),
                kind: kind.to_owned(),
                offers,
            });
        }
        Ok(plugin)
    }

    /// Every plugin in the folders, also those that are refused.
    #[must_use]
    pub fn installed(&self) -> Vec<Result<Arc<Plugin>, LoadError>> {
        search::candidates(&self.folders)
            .into_iter()
            .map(|(kind, _)| self.load(&kind))
            .collect()
    }
}

fn load(path: &Path) -> Result<Arc<Plugin>, LoadError> {
    let open_error = |why: String| LoadError::Open {
        path: path.to_path_buf(),
        why,
    };
    let file = File::open(path).map_err(|error| open_error(error.to_string()))?;
    let metadata = file
        .metadata()
        .map_err(|error| open_error(error.to_string()))?;
    let (device, inode) = (metadata.dev(), metadata.ino());
    // Held while loading, so that no file is loaded, nor its entry symbol called, twice.
    let mut loaded = LOADED.lock();
    if let Some(known) = loaded
        .iter()
        .find(|known| known.device == device && known.inode == inode)
    {
        return known.plugin.clone();
    }
    let path = path
        .canonicalize()
        .map_err(|error| open_error(error.to_string()))?;
    let replaced = loaded.iter().any(|known| known.path == path);
    let entry = open(file, &path, replaced)?;
    // SAFETY: the entry symbol of a library that stays loaded; the table is static.
    let raw = unsafe { entry(&raw const TABLE) };
    // SAFETY: what an entry symbol answers is null or static.
    let plugin = unsafe { Plugin::new(raw, &path) }.map(Arc::new);
    loaded.push(Loaded {
        device,
        inode,
        path,
        plugin: plugin.clone(),
    });
    plugin
}

/// Loads a file. `replaced`: another file was loaded under the same name, which the dynamic linker would answer with again;
/// the new one gets a name of its own, through a descriptor that stays open as long as the code stays loaded.
fn open(file: File, path: &Path, replaced: bool) -> Result<PlEntry, LoadError> {
    let name = if replaced {
        PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
    } else {
        path.to_path_buf()
    };
    // SAFETY: loading runs the file's initialisers: who can put a file into the search path is trusted that far.
    let library = unsafe { Library::open(Some(&name), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
    let library = library.map_err(|error| LoadError::Open {
        path: path.to_path_buf(),
        why: why(&error),
    })?;
    if replaced {
        let _ = file.into_raw_fd();
    }
    // SAFETY: the symbol's name carries the major version, so it has the type of that version.
    let entry = unsafe { library.get::<PlEntry>(PL_ENTRY_SYMBOL) };
    let entry = *entry.map_err(|_| LoadError::NoSymbol {
        path: path.to_path_buf(),
    })?;
    std::mem::forget(library);
    Ok(entry)
}

/// What the dynamic linker said; libloading keeps it as the source of its error.
fn why(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
