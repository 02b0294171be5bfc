//! Tasks and threads of a stage: a panic in one fails the stage, and the instance is closed only when all have ended.

use crate::bridge::message;
use crate::{Context, host};
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use tokio::task::JoinHandle;

impl Context {
    /// Runs a task on the stage's runtime. Unlike `tokio::spawn`, a panic in it fails the stage.
    ///
    /// # Panics
    /// Outside the stage's runtime (a filter has none).
    pub fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let context = self.clone();
        tokio::spawn(async move {
            AssertUnwindSafe(task)
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| {
                    context.fail(panic_text(&*panic));
                    resume_unwind(panic)
                })
        })
    }

    /// Runs blocking work on a thread of the stage's runtime. A panic in it fails the stage.
    ///
    /// # Panics
    /// Outside the stage's runtime (a filter has none).
    pub fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let counted = Counted::new(self.clone());
        tokio::task::spawn_blocking(move || counted.0.contain(work))
    }

    /// Starts a thread whose logs carry the stage and whose panic fails it. It must end soon after
    /// [`is_closing`](Self::is_closing): the instance is closed only when all its threads have ended.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn thread(&self, name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let counted = Counted::new(self.clone());
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _ = catch_unwind(AssertUnwindSafe(|| counted.0.contain(work)));
                drop(counted);
            })?;
        Ok(())
    }

    fn contain<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = host::enter(self.cookie());
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            self.fail(panic_text(&*panic));
            resume_unwind(panic)
        })
    }
}

/// How many threads of an instance have not ended.
#[derive(Default)]
pub(crate) struct Threads {
    running: Mutex<usize>,
    ended: Condvar,
}

impl Threads {
    /// Waits until all have ended; false when time ran out.
    pub(crate) fn join(&self, until: Instant) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until
            .saturating_duration_since(Instant::now())
            .max(Duration::from_nanos(1));
        let joined = self
            .ended
            .wait_timeout_while(running, left, |running| *running > 0);
        !joined.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn add(&self, change: isize) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = running.saturating_add_signed(change);
        self.ended.notify_all();
    }
}

/// A thread of the instance that has not ended.
struct Counted(Context);

impl Counted {
    fn new(context: Context) -> Self {
        context.threads().add(1);
        Counted(context)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.threads().add(-1);
    }
}

/// What a panic said, as the reason of a failure.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    format!("panicked: {}", message(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_task_fails_the_stage() {
        let context = Context::detached("test");
        let task = context.spawn(async { panic!("boom") });
        assert_eq!(
            context.control().failure().await.to_string(),
            "panicked: boom"
        );
        assert!(task.await.is_err_and(|error| error.is_panic()));
    }

    #[tokio::test]
    async fn a_panic_in_a_thread_fails_the_stage_and_the_thread_is_joined() {
        let context = Context::detached("test");
        context.thread("worker", || panic!("boom")).unwrap();
        assert_eq!(
            context.control().failure().await.to_string(),
            "panicked: boom"
        );
        assert!(
            context
                .threads()
                .join(Instant::now() + Duration::from_secs(10))
        );
    }

    #[test]
    fn a_thread_that_does_not_end_is_told() {
        let context = Context::detached("test");
        let (release, held) = std::sync::mpsc::channel::<()>();
        context.thread("stuck", move || _ = held.recv()).unwrap();
        assert!(
            !context
                .threads()
                .join(Instant::now() + Duration::from_millis(20))
        );
        drop(release);
        assert!(
            context
                .threads()
                .join(Instant::now() + Duration::from_secs(10))
        );
    }
}
