//! Processor time and memory of a process, as the kernel counts them.

use std::fs;
use std::time::Duration;

/// The unit of times in `/proc/PID/stat` on every architecture that Rust knows Linux on.
const TICK: Duration = Duration::from_millis(10);

/// A process of this machine.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    pub(crate) fn own() -> Self {
        Self(std::process::id())
    }

    /// Time that all threads so far, ended ones too, have had on a processor, for themselves and in the kernel.
    pub(crate) fn cpu(self) -> Duration {
        let stat = self.read("stat");
        // The name, in parentheses, may hold anything; behind it stand the fields from the third on.
        let (_, fields) = stat.rsplit_once(") ").expect("fields behind the name");
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks = ticks.map(|ticks| ticks.parse::<u32>().expect("a number of ticks"));
        TICK * ticks.sum::<u32>()
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory so far, in bytes.
    pub(crate) fn peak(self) -> u64 {
        self.status("VmHWM:")
    }

    /// The name of one of its threads; those of librdkafka, and those that have ended, have one together.
    pub(crate) fn thread(self, id: u64) -> String {
        let name = fs::read_to_string(format!("/proc/{}/task/{id}/comm", self.0));
        match name.as_deref().map(str::trim) {
            Ok(name) if name.starts_with("rdk:") => "librdkafka".to_owned(),
            Ok(name) => name.to_owned(),
            Err(_) => "ended".to_owned(),
        }
    }

    fn status(self, name: &str) -> u64 {
        let text = self.read("status");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: u64 = kibibytes
            .and_then(|it| it.parse().ok())
            .expect("a size in kB");
        kibibytes * 1024
    }

    fn read(self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.0);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}
