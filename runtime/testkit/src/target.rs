//! Where cargo put what it built, seen from the executable of a test.

use std::env;
use std::path::{Path, PathBuf};

/// The folder of the profile that this executable was built in: `target/debug`.
///
/// # Panics
///
/// When this executable lies in no target folder.
pub fn profile_folder() -> PathBuf {
    let executable = env::current_exe().expect("path of this executable");
    let folder = executable
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"));
    folder.expect("an executable in a target folder").to_owned()
}

/// The repository.
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("a crate two folders below the repository")
}
