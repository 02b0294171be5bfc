//! Why a plugin is refused.

use pipeline_abi::{PL_ABI_MAJOR, PL_ABI_MINOR, PL_MAGIC, PlPlugin};
use std::fmt::Write;
use std::mem::size_of;
use std::path::PathBuf;

/// One variant per check that a plugin can fail.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// No file of that name in the search path.
    #[error("no plugin for `{kind}`{}", not_found(tried, nearest.as_deref()))]
    NotFound {
        /// The word of `use:`.
        kind: String,
        /// Every file that was looked for.
        tried: Vec<PathBuf>,
        /// The installed kind with the most similar name.
        nearest: Option<String>,
    },
    /// The word cannot be a kind.
    #[error("`{kind}` is not a stage kind (expected lowercase words joined by `-`)")]
    BadName {
        /// The word of `use:`.
        kind: String,
    },
    /// The dynamic linker refused the file.
    #[error("`{}` cannot be loaded: {why}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the linker said.
        why: String,
    },
    /// The file has no entry symbol of this major version.
    #[error("`{}` is no pipeline plugin for ABI {PL_ABI_MAJOR} (expected the symbol `pl_plugin_entry_v{PL_ABI_MAJOR}`)", path.display())]
    NoSymbol {
        /// The file.
        path: PathBuf,
    },
    /// The entry answered null.
    #[error("`{}` refused this host (ABI {PL_ABI_MAJOR}.{PL_ABI_MINOR})", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
    },
    /// The entry answered a pointer that cannot be a plugin.
    #[error("`{}` answered with a misaligned pointer", path.display())]
    Misaligned {
        /// The file.
        path: PathBuf,
    },
    /// Not a plugin description.
    #[error("`{}` has the magic word {found:#010x} (expected {PL_MAGIC:#010x})", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// What was read.
        found: u32,
    },
    /// The description is too short.
    #[error("`{}` has a description of {found} bytes (expected at least {})", path.display(), size_of::<PlPlugin>())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its `struct_size`.
        found: u32,
    },
    /// Built for another major version.
    #[error("`{}` was built for ABI {found} (expected {PL_ABI_MAJOR})", path.display())]
    Major {
        /// The file.
        path: PathBuf,
        /// Its major version.
        found: u16,
    },
    /// Needs a newer host.
    #[error("`{}` needs a host with ABI {PL_ABI_MAJOR}.{needs} (this one has {PL_ABI_MAJOR}.{PL_ABI_MINOR})", path.display())]
    HostTooOld {
        /// The file.
        path: PathBuf,
        /// The lowest minor version that it works with.
        needs: u16,
    },
    /// A function is missing.
    #[error("`{}` has no function `{function}` (it is null)", path.display())]
    NullFunction {
        /// The file.
        path: PathBuf,
        /// The name of the function.
        function: &'static str,
    },
    /// `describe` failed or its answer is not what it should be.
    #[error("`{}` does not describe itself: {why}", path.display())]
    Describe {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file was found by a name that it does not have.
    #[error("`{}` has no stage `{kind}` (it has {})", path.display(), quoted(offers))]
    NoSuchKind {
        /// The file.
        path: PathBuf,
        /// The word of `use:`.
        kind: String,
        /// The kinds that it has.
        offers: Vec<String>,
    },
}

fn not_found(tried: &[PathBuf], nearest: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(nearest) = nearest {
        let _ = write!(text, " (did you mean `{nearest}`?)");
    }
    if !tried.is_empty() {
        text.push_str(", tried");
    }
    for path in tried {
        let _ = write!(text, " `{}`", path.display());
    }
    text
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
