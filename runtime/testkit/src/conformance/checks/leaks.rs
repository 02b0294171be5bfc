//! Threads and file descriptors after `close`.

use super::Checked;
use crate::instance::{Instance, Opening};
use crate::process;
use crate::subject::Subject;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often a stage is opened again, and for how long at most: some clients take a second to close.
const REOPENINGS: usize = 50;
const REOPENING: Duration = Duration::from_secs(10);
/// The kernel needs a moment to forget what has ended.
const SETTLING: Duration = Duration::from_millis(100);
/// Threads that a language's runtime may add while so many instances come and go.
const OF_A_RUNTIME: usize = 8;

/// One life, with whatever the stage does when it runs.
fn live(subject: &Subject) -> Checked {
    let instance = Instance::running(subject, &Opening::of(subject))?;
    std::thread::sleep(Duration::from_millis(5));
    instance.close()?;
    Ok(())
}

/// When `close` returns, each thread that the instance had is gone.
pub(super) fn joins_its_threads(subject: &Subject) -> Checked {
    live(subject)?;
    let before = process::threads();
    live(subject)?;
    compare_threads(subject, &before)
}

/// The kernel lists a thread for a moment after it was joined.
fn compare_threads(subject: &Subject, before: &BTreeMap<String, usize>) -> Checked {
    let count = |threads: &BTreeMap<String, usize>| threads.values().sum::<usize>();
    let allowed = count(before)
        + if subject.runtime_threads {
            OF_A_RUNTIME
        } else {
            0
        };
    let after = settled(process::threads, |threads| count(threads) <= allowed);
    if count(&after) <= allowed {
        return Ok(());
    }
    Err(format!("threads are left: {after:?}, before {before:?}"))
}

/// Many lives leave no thread and no file descriptor.
pub(super) fn opens_again_and_again(subject: &Subject) -> Checked {
    live(subject)?;
    let (threads, descriptors) = (process::threads(), process::descriptors());
    let begun = Instant::now();
    for _ in (0..REOPENINGS).take_while(|_| begun.elapsed() < REOPENING) {
        live(subject)?;
    }
    compare_threads(subject, &threads)?;
    let now = settled(process::descriptors, |now| now.len() <= descriptors.len());
    let left: Vec<_> = now
        .into_iter()
        .filter(|(number, _)| !descriptors.contains_key(number))
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("file descriptors are left: {left:?}"))
    }
}

/// Looks until it is as expected, but not for long.
fn settled<T>(look: impl Fn() -> T, is_expected: impl Fn(&T) -> bool) -> T {
    let until = Instant::now() + SETTLING;
    loop {
        let seen = look();
        if is_expected(&seen) || Instant::now() > until {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
