//! What a stage instance knows of itself and may ask of its host.

use crate::phase::{Control, Phase};
use crate::{Backoff, Counter, Error, Gauge, Histogram, host};
use pipeline_abi::*;
use std::fmt::Display;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use tokio::task::JoinHandle;

/// One stage instance's side of the host. Cheap to clone; every function may be called on any thread.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

/// How much unsettled work an edge takes before it makes its producer wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Most messages.
    pub messages: u32,
    /// Most payload and key bytes.
    pub bytes: u64,
}

struct Inner {
    cookie: u64,
    flow: String,
    stage: String,
    instance: u32,
    instances: u32,
    state_dir: Option<PathBuf>,
    retry: (Duration, Duration),
    window: Window,
    control: Control,
    /// The reason told last; `None` while ready.
    trouble: Mutex<Option<String>>,
    threads: Mutex<usize>,
    thread_ended: Condvar,
}

impl Inner {
    fn bare() -> Self {
        Inner {
            cookie: 0,
            flow: String::new(),
            stage: String::new(),
            instance: 0,
            instances: 1,
            state_dir: None,
            retry: (millis(100), millis(30_000)),
            window: Window {
                messages: 4096,
                bytes: 16 << 20,
            },
            control: Control::new(),
            trouble: Mutex::new(None),
            threads: Mutex::new(0),
            thread_ended: Condvar::new(),
        }
    }
}

impl Context {
    /// # Safety
    /// All that `open` points to is valid for the call.
    pub(crate) unsafe fn new(open: &PlOpen) -> Self {
        // SAFETY: promised by the caller.
        let (flow, stage, state_dir) =
            unsafe { (open.flow.text(), open.stage.text(), open.state_dir.text()) };
        Self::with(Inner {
            cookie: open.cookie,
            flow: flow.to_owned(),
            stage: stage.to_owned(),
            instance: open.instance,
            instances: open.instances,
            state_dir: (!state_dir.is_empty()).then(|| PathBuf::from(state_dir)),
            retry: (millis(open.retry_initial_ms), millis(open.retry_max_ms)),
            window: Window {
                messages: open.window_messages,
                bytes: open.window_bytes,
            },
            ..Inner::bare()
        })
    }

    /// A context without a host, for a stage's own unit tests: what is told goes nowhere.
    #[must_use]
    pub fn detached(stage: &str) -> Self {
        Self::with(Inner {
            stage: stage.to_owned(),
            ..Inner::bare()
        })
    }

    fn with(inner: Inner) -> Self {
        Context(Arc::new(inner))
    }

    pub(crate) fn control(&self) -> &Control {
        &self.0.control
    }

    pub(crate) fn cookie(&self) -> u64 {
        self.0.cookie
    }

    /// Name of the flow.
    #[must_use]
    pub fn flow(&self) -> &str {
        &self.0.flow
    }

    /// Name of the stage in its flow.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.0.stage
    }

    /// Index of this copy of the flow, from 0.
    #[must_use]
    pub fn instance(&self) -> u32 {
        self.0.instance
    }

    /// Number of copies of the flow.
    #[must_use]
    pub fn instances(&self) -> u32 {
        self.0.instances
    }

    /// How much unsettled work the edge behind the output takes.
    #[must_use]
    pub fn window(&self) -> Window {
        self.0.window
    }

    /// Folder where this stage may keep state, if the operator gave one.
    #[must_use]
    pub fn state_dir(&self) -> Option<&Path> {
        self.0.state_dir.as_deref()
    }

    /// Says that all is well again. Costs little when nothing changed.
    pub fn ready(&self) {
        let was_in_trouble = self.trouble().take().is_some();
        if was_in_trouble {
            host::emit(self.0.cookie, PL_EVENT_HEALTH, PL_HEALTH_READY, "");
        }
    }

    /// Says what is wrong now, while nothing is lost: `/readyz` shows it. Costs little when the text is the same as before.
    pub fn degraded(&self, reason: impl Display) {
        let reason = reason.to_string();
        let mut trouble = self.trouble();
        if trouble.as_deref() != Some(&reason) {
            host::emit(self.0.cookie, PL_EVENT_HEALTH, PL_HEALTH_DEGRADED, &reason);
            *trouble = Some(reason);
        }
    }

    pub(crate) fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a JSON object as this stage's part of `/status`, in place of the one before. At most about one a second.
    pub fn publish_status(&self, status: &impl serde::Serialize) {
        match serde_json::to_vec(status) {
            Ok(json) => host::publish_status(self.0.cookie, &json),
            Err(error) => tracing::warn!(%error, "a status document cannot be written as JSON"),
        }
    }

    /// A counter `pipeline_…` (without `_total`) with these labels; the same arguments give the same counter.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        Counter::register(self.0.cookie, name, help, labels)
    }

    /// A gauge `pipeline_…` (without its unit) with these labels; the same arguments give the same gauge.
    #[must_use]
    pub fn gauge(&self, name: &str, unit: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
        Gauge::register(self.0.cookie, name, unit, help, labels)
    }

    /// A histogram `pipeline_…` (without its unit) over buckets with these upper bounds; the same arguments give the same one.
    #[must_use]
    pub fn histogram(
        &self,
        name: &str,
        unit: &str,
        help: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Histogram {
        Histogram::register(self.0.cookie, name, unit, help, labels, bounds)
    }

    /// Runs a task on the stage's runtime. Unlike `tokio::spawn`, a panic in it fails the stage.
    ///
    /// # Panics
    /// Outside the stage's runtime (a filter has none).
    pub fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        use futures_util::FutureExt;
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
        let counted = CountedThread::new(self.clone());
        tokio::task::spawn_blocking(move || counted.0.contain(work))
    }

    /// Starts a thread whose logs carry the stage and whose panic fails it. It must end soon after
    /// [`is_closing`](Self::is_closing): the instance is closed only when all its threads have ended.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn thread(&self, name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let counted = CountedThread::new(self.clone());
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _ = catch_unwind(AssertUnwindSafe(|| counted.0.contain(work)));
                drop(counted);
            })?;
        Ok(())
    }

    fn contain<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = host::enter(self.0.cookie);
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            self.fail(panic_text(&*panic));
            resume_unwind(panic)
        })
    }

    /// Waits until all threads have ended; false when time ran out.
    pub(crate) fn join_threads(&self, until: Instant) -> bool {
        let mut threads = self
            .0
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while *threads > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            threads = self
                .0
                .thread_ended
                .wait_timeout(threads, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// Makes the instance fail, as if `run` had returned the error: the host closes and reopens it and delivers again what was
    /// not settled.
    pub fn fail(&self, error: impl Into<Error>) {
        self.0.control.fail(error.into());
    }

    /// Waits until the stage is asked to drain (or to close).
    pub async fn draining(&self) {
        self.0.control.reached(Phase::Draining).await;
    }

    /// Whether the stage was asked to drain (or to close).
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.control.phase() >= Phase::Draining
    }

    /// Waits until the stage is asked to close: its threads must end now.
    pub async fn closing(&self) {
        self.0.control.reached(Phase::Closing).await;
    }

    /// Whether the stage was asked to close.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.0.control.phase() >= Phase::Closing
    }

    /// New waits between tries, as the stage's `retry` says.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        Backoff::new(self.0.retry.0, self.0.retry.1)
    }
}

/// A thread of the instance that has not ended.
struct CountedThread(Context);

impl CountedThread {
    fn new(context: Context) -> Self {
        *context
            .0
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += 1;
        CountedThread(context)
    }
}

impl Drop for CountedThread {
    fn drop(&mut self) {
        *self
            .0
            .0
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.0.thread_ended.notify_all();
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    format!("panicked: {}", crate::bridge::message(panic))
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(u64::from(millis))
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
        assert!(context.join_threads(Instant::now() + Duration::from_secs(10)));
    }

    #[test]
    fn a_thread_that_does_not_end_is_told() {
        let context = Context::detached("test");
        let (release, held) = std::sync::mpsc::channel::<()>();
        context.thread("stuck", move || _ = held.recv()).unwrap();
        assert!(!context.join_threads(Instant::now() + Duration::from_millis(20)));
        drop(release);
        assert!(context.join_threads(Instant::now() + Duration::from_secs(10)));
    }
}
