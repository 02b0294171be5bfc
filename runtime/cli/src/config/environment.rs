//! Where variables and secret files come from: the process, or a test.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Largest secret file that is read.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Variables and secret files.
pub(crate) trait Environment {
    /// The value of a variable. An error says why it cannot be used.
    fn variable(&self, name: &str) -> Result<Option<String>, String>;

    /// The text of a secret file without its last line break. A relative path is looked up among the service's credentials.
    fn secret(&self, path: &str) -> Result<String, String> {
        let path = self.secret_path(path)?;
        read_secret(&path).map_err(|why| format!("cannot read `{}`: {why}", path.display()))
    }

    /// Whether a secret file is there. A relative path is nowhere without credentials.
    fn has_secret(&self, path: &str) -> Result<bool, String> {
        if Path::new(path).is_relative() && self.variable("CREDENTIALS_DIRECTORY")?.is_none() {
            return Ok(false);
        }
        let path = self.secret_path(path)?;
        path.try_exists()
            .map_err(|why| format!("cannot look for `{}`: {why}", path.display()))
    }

    /// The absolute path of a secret file.
    fn secret_path(&self, path: &str) -> Result<PathBuf, String> {
        if Path::new(path).is_absolute() {
            return Ok(PathBuf::from(path));
        }
        match self.variable("CREDENTIALS_DIRECTORY")? {
            Some(folder) => Ok(Path::new(&folder).join(path)),
            None => Err(format!(
                "relative path `{path}` but `CREDENTIALS_DIRECTORY` is not set (expected an absolute path)"
            )),
        }
    }
}

fn read_secret(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    if metadata.len() > MAX_SECRET_BYTES {
        return Err(format!(
            "{} bytes (expected at most {MAX_SECRET_BYTES})",
            metadata.len()
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// The environment of this process.
#[derive(Debug)]
pub(crate) struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(format!("variable `{name}` is not UTF-8"))
            }
        }
    }
}

impl Environment for HashMap<String, String> {
    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_loses_one_line_break_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "a\n\n").unwrap();
        let environment = HashMap::from([(
            "CREDENTIALS_DIRECTORY".to_owned(),
            folder.path().to_str().unwrap().to_owned(),
        )]);
        assert_eq!(environment.secret("token").unwrap(), "a\n");
    }

    #[test]
    fn a_relative_secret_without_credentials_is_an_error() {
        let error = HashMap::new().secret("token").unwrap_err();
        assert!(
            error.contains("`CREDENTIALS_DIRECTORY` is not set"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_secret_names_its_path() {
        let error = HashMap::new().secret("/nowhere/token").unwrap_err();
        assert!(
            error.starts_with("cannot read `/nowhere/token`: "),
            "{error}"
        );
    }
}
