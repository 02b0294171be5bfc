//! Threads and file descriptors after `close`.

use super::Checked;
use crate::instance::{Instance, Opening};
use crate::process;
use crate::subject::Subject;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Threads that a language's runtime may add while fifty instances come and go.
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
    let after = process::threads();
    compare_threads(subject, &before, &after)
}

fn compare_threads(
    subject: &Subject,
    before: &BTreeMap<String, usize>,
    after: &BTreeMap<String, usize>,
) -> Checked {
    let allowed = if subject.runtime_threads {
        OF_A_RUNTIME
    } else {
        0
    };
    let (before_count, after_count): (usize, usize) = (before.values().sum(), after.values().sum());
    if after_count > before_count + allowed {
        return Err(format!(
            "{} threads are left: {after:?}, before {before:?}",
            after_count - before_count
        ));
    }
    Ok(())
}

/// Fifty lives leave no thread and no file descriptor.
pub(super) fn opens_fifty_times(subject: &Subject) -> Checked {
    live(subject)?;
    let (threads, descriptors) = (process::threads(), process::descriptors());
    for _ in 0..50 {
        live(subject)?;
    }
    compare_threads(subject, &threads, &process::threads())?;
    let left: Vec<_> = settled_descriptors(&descriptors)
        .into_iter()
        .filter(|(number, _)| !descriptors.contains_key(number))
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("file descriptors are left: {left:?}"))
    }
}

/// The descriptors, after the kernel had a moment to close what other threads let go.
fn settled_descriptors(before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let until = Instant::now() + Duration::from_secs(1);
    loop {
        let now = process::descriptors();
        if now.len() <= before.len() || Instant::now() > until {
            return now;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
