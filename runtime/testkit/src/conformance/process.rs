//! What this process holds: threads and file descriptors.

use std::collections::BTreeMap;
use std::fs;

/// Number of threads of this process by their names.
pub(crate) fn threads() -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task")
        .expect("read /proc/self/task")
        .flatten()
    {
        // A thread may end between the two calls.
        if let Ok(name) = fs::read_to_string(task.path().join("comm")) {
            *names.entry(name.trim_end().to_owned()).or_default() += 1;
        }
    }
    names
}

/// Open file descriptors and what each leads to.
pub(crate) fn descriptors() -> BTreeMap<String, String> {
    let mut open = BTreeMap::new();
    for descriptor in fs::read_dir("/proc/self/fd")
        .expect("read /proc/self/fd")
        .flatten()
    {
        // The one that lists the folder is gone by now.
        if let Ok(target) = fs::read_link(descriptor.path()) {
            let number = descriptor.file_name().to_string_lossy().into_owned();
            open.insert(number, target.display().to_string());
        }
    }
    open
}
