//! A source's or sink's instance: its thread, its runtime, and the host's control calls.
//!
//! Invariant: everything of the stage (its value, its futures, its tasks) lives on the instance's thread and is dropped there
//! before the thread ends; `close` returns `PL_OK` only after that.

use crate::Context;
use crate::error::chain;
use crate::host::{self, emit};
use crate::phase::Phase;
use crate::workers::panic_text;
use crate::{Error, Result};
use pipeline_abi::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The memory behind a `PlStage` of a source or sink.
#[repr(C)]
struct Instance {
    header: PlStage, // first: a pointer to it is a pointer to `Instance`
    context: Context,
    thread: Option<JoinHandle<()>>,
}

/// Ports on their way to the instance's thread.
pub(crate) struct Ports(pub(crate) Vec<*mut PlPort>);
// SAFETY: a port is used by one thread at a time; the opening thread does not use it any more.
unsafe impl Send for Ports {}

impl Ports {
    /// # Safety
    /// `ports` is null or points to `count` ports.
    pub(crate) unsafe fn new(ports: *const *mut PlPort, count: u32) -> Self {
        if ports.is_null() {
            return Ports(Vec::new());
        }
        // SAFETY: promised by the caller.
        Ports(unsafe { std::slice::from_raw_parts(ports, count as usize) }.to_vec())
    }
}

/// Starts the thread of an instance whose life is `life`.
pub(crate) fn start(
    context: Context,
    life: impl AsyncFnOnce(Context) -> Result<()> + Send + 'static,
) -> Result<*mut PlStage> {
    let on_thread = context.clone();
    let thread = std::thread::Builder::new()
        .name(thread_name(context.stage()))
        .spawn(move || live(&on_thread, life))
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    let instance = Instance {
        header: PlStage { vt: &VT },
        context,
        thread: Some(thread),
    };
    Ok(Box::into_raw(Box::new(instance)).cast())
}

/// The system shows 15 bytes of a thread's name.
fn thread_name(stage: &str) -> String {
    stage
        .chars()
        .filter(|&character| character != '\0')
        .take(15)
        .collect()
}

fn live(context: &Context, life: impl AsyncFnOnce(Context) -> Result<()>) {
    let _entered = host::enter(context.cookie());
    let ended = catch_unwind(AssertUnwindSafe(|| -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start a runtime: {error}"))?;
        let ended = runtime.block_on(async {
            tokio::select! {
                biased;
                failure = context.control().failure() => Err(failure),
                ended = life(context.clone()) => ended,
            }
        });
        // Blocking work that still runs is waited for in `close`, whose time is bounded.
        runtime.shutdown_background();
        ended
    }));
    match ended {
        Ok(Ok(())) => emit(context.cookie(), PL_EVENT_CLOSED, PL_OK, ""),
        Ok(Err(error)) => emit(context.cookie(), PL_EVENT_FAILED, PL_ERR, &chain(&*error)),
        Err(panic) => emit(
            context.cookie(),
            PL_EVENT_FAILED,
            PL_ERR_PANIC,
            &panic_text(&*panic),
        ),
    }
}

/// Says that the stage is open and waits for the host's `start`; false when it is to close instead.
pub(crate) async fn opened(context: &Context) -> bool {
    emit(context.cookie(), PL_EVENT_OPENED, PL_OK, "");
    context.control().reached(Phase::Running).await;
    !context.is_closing()
}

/// Says that the stage is drained and waits for the host's `close`.
pub(crate) async fn drained(context: &Context) {
    emit(context.cookie(), PL_EVENT_DRAINED, PL_OK, "");
    context.closing().await;
}

/// Runs until done, but no longer than until the stage is asked to close: then `None`.
pub(crate) async fn until_closing<T>(
    context: &Context,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = context.closing() => None,
        value = work => Some(value),
    }
}

static VT: PlStageVt = PlStageVt {
    struct_size: size_of::<PlStageVt>() as u32,
    reserved: 0,
    start: start_call,
    drain: drain_call,
    close: close_call,
    process: None,
};

unsafe extern "C" fn start_call(stage: *mut PlStage) -> i32 {
    // SAFETY: the host calls with an instance that it has not closed.
    unsafe { advance(stage, Phase::Running) }
}

unsafe extern "C" fn drain_call(stage: *mut PlStage, _deadline_ms: u32) -> i32 {
    // SAFETY: as above.
    unsafe { advance(stage, Phase::Draining) }
}

unsafe fn advance(stage: *mut PlStage, phase: Phase) -> i32 {
    // SAFETY: promised by the caller; control calls are serialised, and only `close` frees.
    let instance = unsafe { &*stage.cast::<Instance>() };
    guard(|| {
        instance.context.control().advance(phase);
        PL_OK
    })
}

unsafe extern "C" fn close_call(stage: *mut PlStage, timeout_ms: u32) -> i32 {
    let until = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
    // SAFETY: as above; nobody else uses the instance during its last control call.
    let instance = unsafe { &mut *stage.cast::<Instance>() };
    let ended = guard(|| {
        instance.context.control().advance(Phase::Closing);
        join(instance, until)
    });
    if ended == PL_OK {
        // SAFETY: made by `Box::into_raw` in `start`; its threads have ended and the host does not use it again.
        drop(unsafe { Box::from_raw(stage.cast::<Instance>()) });
    }
    ended
}

fn join(instance: &mut Instance, until: Instant) -> i32 {
    while instance
        .thread
        .as_ref()
        .is_some_and(|thread| !thread.is_finished())
    {
        if Instant::now() >= until {
            return PL_ERR_TIMEOUT;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if let Some(thread) = instance.thread.take() {
        // It caught its panics itself.
        let _ = thread.join();
    }
    if instance.context.threads().join(until) {
        PL_OK
    } else {
        PL_ERR_TIMEOUT
    }
}

/// Runs what the host called; a panic does not cross.
pub(crate) fn guard(call: impl FnOnce() -> i32) -> i32 {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(PL_ERR_PANIC)
}

/// An error of a stage's run that ended although nobody asked it to.
pub(crate) fn ended_early() -> Error {
    "`run` returned before the stage was asked to drain".into()
}
