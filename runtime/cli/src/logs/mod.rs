//! Logs of this program and of its stages: filtered, freed of repetition, written by one thread.
//!
//! Whoever logs never waits: when the writer cannot keep up, lines are dropped and counted.

pub(crate) mod entry;
mod filter;
mod format;
mod repeats;
mod sink;

pub(crate) use filter::Filter;

use crate::args::LogFormat;
use arc_swap::ArcSwap;
use entry::{Entry, Level};
use parking_lot::Mutex;
use repeats::Repeats;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Lines that may wait for the writer.
const QUEUE: usize = 4096;
/// How often held-back messages are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// Takes log entries from any thread.
pub(crate) struct Logger {
    filter: ArcSwap<Filter>,
    queue: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
    writer: Mutex<Option<JoinHandle<()>>>,
    stop: Arc<AtomicBool>,
}

impl Logger {
    /// Starts the writer on standard error.
    pub(crate) fn start(format: Option<LogFormat>, filter: Filter) -> std::io::Result<Arc<Self>> {
        let terminal = std::io::stderr().is_terminal();
        let format = format.unwrap_or(if terminal {
            LogFormat::Human
        } else {
            LogFormat::Json
        });
        let (queue, entries) = sync_channel(QUEUE);
        let stop = Arc::new(AtomicBool::new(false));
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            entries,
            stop: stop.clone(),
            format,
            terminal,
            dropped: dropped.clone(),
            repeats: Repeats::default(),
        };
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(|| writer.run())?;
        Ok(Arc::new(Logger {
            filter: ArcSwap::from_pointee(filter),
            queue,
            dropped,
            writer: Mutex::new(Some(thread)),
            stop,
        }))
    }

    /// Writes an entry if the filter allows it.
    pub(crate) fn log(&self, entry: Entry) {
        if self.filter.load().allows(&entry) && self.queue.try_send(entry).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes a line of this program.
    pub(crate) fn error(&self, message: impl Into<String>) {
        self.log(Entry::own(Level::Error, message));
    }

    /// Writes a line of this program.
    pub(crate) fn warn(&self, message: impl Into<String>) {
        self.log(Entry::own(Level::Warn, message));
    }

    /// Writes a line of this program.
    pub(crate) fn info(&self, message: impl Into<String>) {
        self.log(Entry::own(Level::Info, message));
    }

    /// The most detailed level that is written.
    pub(crate) fn most_detailed(&self) -> Option<Level> {
        self.filter.load().most_detailed()
    }

    /// Replaces the filter and says the most detailed level that it lets through.
    pub(crate) fn set_filter(&self, filter: Filter) -> Option<Level> {
        let level = filter.most_detailed();
        self.filter.store(Arc::new(filter));
        level
    }

    /// Writes what waits and ends the writer; later entries are lost.
    pub(crate) fn finish(&self) {
        if let Some(writer) = self.writer.lock().take() {
            self.stop.store(true, Ordering::Release);
            let _ = writer.join();
        }
    }
}

struct Writer {
    entries: Receiver<Entry>,
    stop: Arc<AtomicBool>,
    format: LogFormat,
    terminal: bool,
    dropped: Arc<AtomicU64>,
    repeats: Repeats,
}

impl Writer {
    fn run(mut self) {
        let mut swept = Instant::now();
        while !self.stop.load(Ordering::Acquire) {
            match self.entries.recv_timeout(Duration::from_millis(50)) {
                Ok(entry) => self.take(entry),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.sweep(swept);
            }
        }
        // At most what the queue holds: whoever still logs must not keep the process alive.
        let left: Vec<_> = self.entries.try_iter().take(QUEUE).collect();
        left.into_iter().for_each(|entry| self.take(entry));
        let held = self.repeats.finish();
        held.iter().for_each(|entry| self.write(entry));
    }

    fn take(&mut self, entry: Entry) {
        if let Some(entry) = self.repeats.admit(entry, Instant::now()) {
            self.write(&entry);
        }
    }

    fn sweep(&mut self, now: Instant) {
        for entry in self.repeats.sweep(now) {
            self.write(&entry);
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            self.write(
                &Entry::own(
                    Level::Warn,
                    "log lines were dropped: the reader is too slow",
                )
                .with("dropped", dropped),
            );
        }
    }

    /// A reader that has gone away must not stop the pipeline: its lines are lost.
    fn write(&self, entry: &Entry) {
        let line = match self.format {
            LogFormat::Human => format::human(entry, self.terminal),
            LogFormat::Json => format::json(entry),
        };
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}
