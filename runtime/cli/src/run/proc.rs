//! What the kernel knows of this process, from `/proc` (proc(5)).

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
use std::fs;

/// What the kernel knows.
#[derive(Debug)]
pub(crate) struct Process {
    /// User and system time.
    pub(crate) cpu_seconds: f64,
    /// Memory in RAM.
    pub(crate) resident_bytes: f64,
    /// Address space.
    pub(crate) virtual_bytes: f64,
    /// Open file descriptors.
    pub(crate) open_fds: f64,
    /// File descriptors that may be open.
    pub(crate) max_fds: f64,
    /// Threads.
    pub(crate) threads: f64,
    /// When it began, since the Unix epoch.
    pub(crate) start_seconds: f64,
}

/// Reads it; nothing where there is no `/proc`.
pub(crate) fn read() -> Option<Process> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the command in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Numbered as in proc(5), where the field behind the command is the third.
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let per_second = clock_ticks_per_second() as f64;
    Some(Process {
        cpu_seconds: (field(14)? + field(15)?) / per_second,
        resident_bytes: field(24)? * page_size() as f64,
        virtual_bytes: field(23)?,
        threads: field(20)?,
        start_seconds: boot_seconds()? + field(22)? / per_second,
        open_fds: fs::read_dir("/proc/self/fd").ok()?.count() as f64,
        max_fds: getrlimit(Resource::Nofile)
            .current
            .map_or(f64::INFINITY, |limit| limit as f64),
    })
}

/// When the machine began, since the Unix epoch.
fn boot_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn the_process_is_known() {
        let process = read().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(process.start_seconds > 1e9 && process.start_seconds <= now.as_secs_f64() + 1.0);
        assert!(process.resident_bytes > 1e5 && process.resident_bytes <= process.virtual_bytes);
        assert!(process.open_fds >= 3.0 && process.open_fds <= process.max_fds);
        assert!(
            process.threads >= 1.0 && process.cpu_seconds >= 0.0,
            "{process:?}"
        );
    }
}
