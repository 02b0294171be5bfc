//! A loaded and checked plugin.

use super::{LoadError, StageKind, check, describe};
use pipeline_abi::{PL_ERR_INVALID, PL_OK, PlPlugin, PlStr, PlText};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};

/// Room for the findings of one `validate`, bytes; more is asked for once if that is not enough.
const FINDINGS_ROOM: usize = 16 << 10;
/// Longest findings that are read, bytes.
const FINDINGS_MAX: usize = 1 << 20;

/// A plugin that passed every check. It stays loaded until the process ends.
pub struct Plugin {
    /// The file.
    pub path: PathBuf,
    /// Its own name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// What it has.
    pub stages: Vec<StageKind>,
    raw: &'static PlPlugin,
}

/// Something wrong with a stage's settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// JSON pointer to the setting.
    pub pointer: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl Plugin {
    /// Checks what the entry symbol of `path` answered.
    ///
    /// # Safety
    /// As for [`check::plugin`]; its functions do what the ABI says.
    pub(crate) unsafe fn new(raw: *const PlPlugin, path: &Path) -> Result<Self, LoadError> {
        // SAFETY: promised by the caller.
        let raw = unsafe { check::plugin(raw, path) }?;
        let described = describe::describe(raw).map_err(|why| LoadError::Describe {
            path: path.to_path_buf(),
            why,
        })?;
        Ok(Plugin {
            path: path.to_path_buf(),
            name: described.name,
            version: described.version,
            stages: described.stages,
            raw,
        })
    }

    /// The kind of that name.
    #[must_use]
    pub fn kind(&self, kind: &str) -> Option<&StageKind> {
        self.stages.iter().find(|stage| stage.kind == kind)
    }

    /// Asks the plugin about settings that passed its schema: what a schema cannot say.
    ///
    /// # Errors
    /// When the plugin fails to answer.
    pub fn validate(&self, kind: &str, config: &Value) -> Result<Vec<Finding>, String> {
        let config = config.to_string();
        let mut room = vec![0; FINDINGS_ROOM];
        let (mut status, mut len) = self.ask(kind, &config, &mut room);
        if status == PL_ERR_INVALID && len > room.len() && len <= FINDINGS_MAX {
            room.resize(len, 0);
            (status, len) = self.ask(kind, &config, &mut room);
        }
        let text = &room[..len.min(room.len())];
        match status {
            PL_OK => Ok(Vec::new()),
            PL_ERR_INVALID => serde_json::from_slice(text).map_err(|error| {
                format!("`validate` of `{kind}` answered with unreadable findings: {error}")
            }),
            status => Err(format!(
                "`validate` of `{kind}` failed with status {status}: {}",
                String::from_utf8_lossy(text)
            )),
        }
    }

    fn ask(&self, kind: &str, config: &str, room: &mut [u8]) -> (i32, usize) {
        let mut text = PlText {
            ptr: room.as_mut_ptr(),
            cap: room.len(),
            len: 0,
        };
        let (kind, config) = (PlStr::new(kind.as_bytes()), PlStr::new(config.as_bytes()));
        // SAFETY: a checked function; everything that it is given is ours and lives for the call.
        let status = unsafe { (self.raw.validate)(kind, config, &raw mut text) };
        (status, text.len)
    }

    pub(crate) fn raw(&self) -> &'static PlPlugin {
        self.raw
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Plugin({} {} at `{}`)",
            self.name,
            self.version,
            self.path.display()
        )
    }
}
